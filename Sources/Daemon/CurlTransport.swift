package import Curl
import Health
package import TargetsAPI

/// The Targets API's transport over the Curl room: the same HTTP client that the probes use.
///
/// Redirects are answers, and over plain http a request is made to this machine only, because it carries a token.
package func apiTransport(baseURL: String, userAgent: String, over engine: TransferEngine) -> APITransport {
    { (request: APIRequest) async throws(TransportError) -> APIResponse in
        let url = try endpoint(baseURL, request.path)
        var transfer = TransferRequest(url: url)
        transfer.method = request.method.rawValue
        transfer.headers = request.headers.map { (name: $0.name, value: $0.value.revealed) }
        transfer.body = request.body
        transfer.userAgent = userAgent
        transfer.timeout = request.timeout
        transfer.connection = .reuse
        transfer.maxBody = request.maxBody
        transfer.keepBody = request.maxBody
        transfer.keepHeaders = true
        let report = await engine.transfer(transfer)
        if let failure = report.failure { throw TransportError(failure) }
        return APIResponse(
            status: report.status ?? 0, contentType: report.header("content-type"), tag: report.header("etag"), body: report.body)
    }
}

private func endpoint(_ baseURL: String, _ path: String) throws(TransportError) -> URLParts {
    var base = baseURL
    while base.hasSuffix("/") { base.removeLast() }
    guard let url = URLParts(base + path) else {
        throw TransportError(.other, detail: "base_url \"\(baseURL)\" is no absolute http or https URL")
    }
    guard url.scheme == "https" || isLoopback(url.host) else {
        throw TransportError(.other, detail: "a token is sent over http to this machine only; use https for \(url.host)")
    }
    return url
}

private func isLoopback(_ host: String) -> Bool {
    if host == "localhost" { return true }
    let loopback = EgressRule(deny: [.addressClass(.loopback)])
    return IPAddress(host).map { loopback.denial(of: $0) == .addressClass(.loopback) } ?? false
}

extension TransferReport {
    fileprivate func header(_ name: String) -> String? { headers.last { $0.name.lowercased() == name }?.value }
}

extension TransportError {
    fileprivate init(_ failure: TransferFailure) {
        let kind: Kind =
            switch failure.code {
            case .lookupFailed, .lookupTimedOut, .noAddress: .dns
            case .connectRefused, .connectTimedOut, .networkUnreachable, .connectReset, .connectionClosed: .connect
            case .tlsFailed, .tlsTimedOut, .certificateExpired, .certificateNotYetValid, .certificateUntrusted,
                .certificateNameMismatch, .caFileUnreadable, .clientCertificateUnusable, .proxyFailed:
                .tls
            case .timedOut: .timeout
            case .bodyTooLarge: .tooLarge
            case .cancelled, .shutDown: .cancelled
            case .urlMalformed, .unsupportedScheme, .addressDenied, .protocolError, .localFault: .other
            }
        self.init(kind, detail: failure.detail)
    }
}
