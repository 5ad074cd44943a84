package import Curl
import Health
package import TargetsAPI

/// The Targets API's transport over the Curl module: the same HTTP client that the probes use.
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
        // A kept connection may be dead already, and libcurl sends again what it lost on one: a create would be done twice.
        transfer.connection = request.method == .post ? .fresh : .reuse
        transfer.maxBody = request.maxBody
        transfer.keepBody = request.maxBody
        transfer.keepHeaders = true
        let report = await engine.transfer(transfer)
        if let failure = report.failure { throw TransportError(failure) }
        var response = APIResponse(
            status: report.status ?? 0, contentType: report.header("content-type"), tag: report.header("etag"), body: report.body)
        response.undecoded = report.bodyProblem?.codings
        response.retryAfter = report.header("retry-after").flatMap { retryAfter($0, now: .now()) }
        response.next = try next(report.headers.filter { $0.name.lowercased() == "link" }.map(\.value), from: url, baseURL)
        return response
    }
}

/// RFC 9110, section 10.2.3: seconds, or a date as in `Sun, 06 Nov 1994 08:49:37 GMT`.
func retryAfter(_ text: String, now: Timestamp) -> Duration? {
    if !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) { return .seconds(Int32(text) ?? .max) }
    return Timestamp(httpDate: text.utf8).map { max(.zero, $0 - now) }
}

/// What `rel="next"` names in the headers Link (RFC 8288), as the path of another request; nil when there is none.
///
/// - Parameter here: the URL of the request, against which a relative reference is resolved.
/// - Throws: when it leaves the API, for the token stays where it was meant for; and when it can't be read, for half a list is none.
private func next(_ values: [String], from here: URLParts, _ baseURL: String) throws(TransportError) -> String? {
    guard let header = LinkHeader(values) else {
        throw TransportError(.unusable, detail: "its header Link can't be read, and may say that the list goes on")
    }
    guard let target = header.target(of: "next") else { return nil }
    let base = URLParts(withoutEndingSlashes(baseURL))
    let ownPath = base.map { $0.path == "/" ? "" : $0.path } ?? ""
    guard let base, let url = here.resolving(target), url.hasOrigin(of: base), !url.hasUserInfo, url.path.hasPrefix(ownPath + "/")
    else {
        throw TransportError(.unusable, detail: "its list goes on elsewhere than below base_url: \(urlWithoutSecrets(target))")
    }
    return url.path.dropFirst(ownPath.count) + (url.query.map { "?\($0)" } ?? "")
}

private func withoutEndingSlashes(_ url: String) -> String {
    var url = url
    while url.hasSuffix("/") { url.removeLast() }
    return url
}

private func endpoint(_ baseURL: String, _ path: String) throws(TransportError) -> URLParts {
    guard let url = URLParts(withoutEndingSlashes(baseURL) + path) else {
        throw TransportError(.unusable, detail: "base_url \"\(baseURL)\" is no absolute http or https URL")
    }
    guard url.scheme == "https" || isLoopback(host: url.host) else {
        throw TransportError(.unusable, detail: "a token is sent over http to this machine only; use https for \(url.host)")
    }
    return url
}

extension TransferReport {
    fileprivate func header(_ name: String) -> String? { headers.last { $0.name.lowercased() == name }?.value }
}

extension TransportError {
    fileprivate init(_ failure: TransferFailure) {
        let kind: Kind =
            switch failure.code {
            case .lookupFailed, .lookupNeedsSearch, .lookupTimedOut, .noAddress: .dns
            case .connectRefused, .connectTimedOut, .networkUnreachable: .connect
            case .tlsFailed, .tlsTimedOut, .certificateExpired, .certificateNotYetValid, .certificateUntrusted,
                .certificateNameMismatch, .caFileUnreadable, .clientCertificateUnusable, .proxyFailed:
                .tls
            case .timedOut: .timeout
            case .bodyTooLarge: .tooLarge
            case .cancelled, .shutDown: .cancelled
            case .urlMalformed, .unsupportedScheme, .addressDenied: .unusable
            // What was sent before it broke off may have arrived.
            case .connectReset, .connectionClosed, .protocolError, .localFault: .other
            }
        self.init(kind, detail: failure.detail)
    }
}
