import ConnectionLimits
import Exposition
import Glibc
import HTTPTypes
import Health
import Hummingbird
import HummingbirdCore
import NIOCore

/// One request's connection.
struct Peer {
    let channel: any Channel
    /// By a name and a password.
    var isAuthenticated = false
    /// The request says that a proxy passed it on, so whoever asks may be anywhere.
    let isPassedOn: Bool

    init(_ request: Request, over channel: any Channel) {
        self.channel = channel
        isPassedOn = Self.proxyFields.contains { request.headers.contains($0) }
    }

    /// Whether whoever asks is on this machine, as far as one can know.
    var isLoopback: Bool {
        !isPassedOn && channel.remoteAddress?.ipAddress.flatMap { IPAddress($0) }?.isLoopback ?? false
    }

    /// RFC 7239, RFC 9110 section 7.6.3, and what proxies send in their place.
    private static let proxyFields = ["Forwarded", "Via", "X-Forwarded-For", "X-Real-IP"].compactMap { HTTPField.Name($0) }
}

/// The listener's routes, behind its rules.
struct Site: Sendable {
    private let rules: RequestRules
    private let security: WebSecurity?
    private let daemon: WebServer.Daemon
    private let metrics: MetricsRoute
    private let pages: PagesRoute
    private let admin: AdminRoutes

    init(configuration: WebServer.Configuration, daemon: WebServer.Daemon) {
        rules = RequestRules(names: configuration.names)
        security = configuration.security
        self.daemon = daemon
        metrics = MetricsRoute(page: daemon.page)
        let isUnix = configuration.unixSocket != nil
        pages = PagesRoute(daemon.pages, isOpen: configuration.opensPages, takesAnyPeer: isUnix)
        admin = AdminRoutes(isEnabled: configuration.admin || isUnix, takesAnyPeer: isUnix, daemon: daemon)
    }

    func respond(to request: Request, over channel: any Channel) async throws -> Response {
        var response = try await answer(to: request, over: channel)
        response.headers[.date] = httpDate()
        for field in security?.headers ?? [:] { response.headers[field.name] = field.value }
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func answer(to request: Request, over channel: any Channel) async throws -> Response {
        var (request, peer) = (request, Peer(request, over: channel))
        switch await security?.admit(request, over: channel) ?? .nobodyAsked {
        case .nobodyAsked: break
        case .admitted: peer.isAuthenticated = true
        // Who may not ask keeps no place.
        case .refused(let response): return closing(response)
        }
        if let refusal = refusal(of: request) {
            return .text(HTTPResponse.Status(code: refusal.status), refusal.sentence)
        }
        // What is refused by now is so without its body having been asked for.
        let tooLarge = Response.text(.contentTooLarge, "the request's body is too large")
        let length = request.headers[.contentLength].flatMap { Int($0) } ?? 0
        guard length <= WebServer.bodyLimit else { return closing(tooLarge) }
        await askForBody(over: channel)
        let body: ByteBuffer
        do { body = try await request.collectBody(upTo: WebServer.bodyLimit) } catch is NIOTooManyBytesError {
            return closing(tooLarge)
        }
        return try await answer(to: request, Array(body.readableBytesView), from: peer)
    }

    private func answer(to request: Request, _ body: [UInt8], from peer: Peer) async throws -> Response {
        let route: (method: HTTPRequest.Method, answer: () async throws -> Response)
        switch request.uri.path {
        case "/metrics": route = (.get, { try metrics.answer(to: request, over: peer.channel) })
        case "/-/healthy": route = (.get, { .text(.ok, "healthy") })
        case "/-/ready": route = (.get, { await ready() })
        case "/-/reload": route = (.post, { await admin.reload(request.uri, from: peer) })
        case "/-/sync": route = (.post, { await admin.sync(request.uri, from: peer) })
        case "/-/maintenance":
            route = (.post, { await admin.byHand(body, from: peer) { fields, _ in HandRequest.maintenance(fields) } })
        case "/-/notes": route = (.post, { await admin.byHand(body, from: peer, read: HandRequest.note) })
        default:
            guard let wanted = pages.wanted(request.uri) else { return await pages.nothing(request, from: peer) }
            route = (.get, { await pages.answer(wanted, to: request, from: peer) })
        }
        let isAllowed = request.method == route.method || (request.method == .head && route.method == .get)
        guard isAllowed else {
            var response = Response.text(.methodNotAllowed, "this wants \(route.method.rawValue)")
            response.headers[.allow] = route.method == .get ? "GET, HEAD" : route.method.rawValue
            return response
        }
        return try await route.answer()
    }

    private func refusal(of request: Request) -> RequestRules.Refusal? {
        // The first Host header became the authority; a second one is still a header.
        let hasSecondHost = HTTPField.Name("Host").map { request.headers.contains($0) } ?? false
        return rules.refusal(
            method: request.method.rawValue, host: hasSecondHost ? nil : request.head.authority,
            origin: request.headers[.origin], secFetchSite: HTTPField.Name("Sec-Fetch-Site").flatMap { request.headers[$0] })
    }

    private func ready() async -> Response {
        let missing = await daemon.readiness()
        if missing.isEmpty { return .text(.ok, "ready") }
        let lines = missing.map { "- " + displayText($0) }
        return .text(.serviceUnavailable, "not ready:\n" + lines.joined(separator: "\n"))
    }

    /// The connection ends with it: the rest of a body that is too large is not worth reading.
    private func closing(_ response: Response) -> Response {
        var response = response
        response.headers[.connection] = "close"
        return response
    }
}

extension Response {
    /// What every answer carries: a browser takes it for what it says it is, and runs nothing that came with it.
    private static func safeHeaders(_ contentType: String) -> HTTPFields {
        [
            .contentType: contentType, .contentSecurityPolicy: "default-src 'self'", .xContentTypeOptions: "nosniff",
        ]
    }

    /// One or more lines for people.
    static func text(_ status: HTTPResponse.Status, _ text: String) -> Response {
        Response(
            status: status, headers: safeHeaders("text/plain; charset=utf-8"),
            body: ResponseBody(byteBuffer: ByteBuffer(string: text + "\n")))
    }

    static func stream(_ contentType: String, _ body: ResponseBody) -> Response {
        Response(status: .ok, headers: safeHeaders(contentType), body: body)
    }
}

/// As in `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7). This program never sets another locale than C's.
func httpDate(_ seconds: time_t = time(nil)) -> String {
    var (seconds, parts) = (seconds, tm())
    gmtime_r(&seconds, &parts)
    var text = [CChar](repeating: 0, count: 40)
    let count = strftime(&text, text.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
    return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
