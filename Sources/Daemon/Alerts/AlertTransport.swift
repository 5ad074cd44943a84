package import Alerting
package import Curl
import Health

/// Alerts go out by the same HTTP client as the probes, on another thread. Redirects are answers: what is sent may be signed for one host.
package func alertTransport(userAgent: String, over engine: TransferEngine) -> AlertTransport {
    { request in
        guard let url = URLParts(request.url.revealed) else { return .refused("its URL is no absolute http or https URL") }
        var transfer = TransferRequest(url: url)
        transfer.method = request.method
        transfer.headers = request.headers.map { (name: $0.name, value: $0.value) }
        transfer.body = request.body
        transfer.userAgent = userAgent
        transfer.timeout = request.timeout
        transfer.connection = .reuse
        transfer.maxBody = 1 << 20
        let report = await engine.transfer(transfer)
        if let failure = report.failure {
            // The words may name the host, and a secret URL is secret whole.
            return .refused(request.url.isSecret ? "no answer (\(failure.code))" : failure.detail)
        }
        let status = report.status ?? 0
        return (200...299).contains(status) ? .taken : .refused("it answered HTTP \(status)")
    }
}
