package import Alerting
package import Curl
import Health

/// Alerts go out by the same HTTP client as the probes, on another thread. Redirects are answers: what is sent may be signed for one host.
package func alertTransport(userAgent: String, over engine: TransferEngine) -> AlertTransport {
    { request in
        guard let url = URLParts(request.url.revealed) else { return .later("its URL is no absolute http or https URL") }
        var transfer = TransferRequest(url: url)
        transfer.method = request.method
        transfer.headers = request.headers.map { (name: $0.name, value: $0.value) }
        transfer.body = request.body
        transfer.userAgent = userAgent
        transfer.timeout = request.timeout
        transfer.connection = .reuse
        transfer.maxBody = 1 << 20
        transfer.keepHeaders = true
        let report = await engine.transfer(transfer)
        // The status says it, also where the answer's body is too long, cut short, or packed as nobody unpacks it. What comes before
        // the final status (1xx) is no answer yet.
        if let status = report.status, status >= 200 {
            let header = report.headers.last { $0.name.lowercased() == "retry-after" }?.value
            return AlertAnswer(status: status, retryAfter: header.flatMap { retryAfter($0, now: .now()) })
        }
        guard let failure = report.failure else { return .later("no answer") }
        // The words may name the host, and a secret URL is secret whole.
        return .later(request.url.isSecret ? "no answer (\(failure.code))" : failure.detail)
    }
}
