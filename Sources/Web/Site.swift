import Exposition
import HTTPTypes
import Health
import Hummingbird
import HummingbirdCore
import NIOCore

/// One request's connection.
struct Peer: InitializableFromSource {
    let channel: any Channel

    init(source: ApplicationRequestContextSource) { channel = source.channel }

    var isLoopback: Bool {
        guard let text = channel.remoteAddress?.ipAddress, let address = IPAddress(text)?.unwrapped else { return false }
        return address.isIPv4 ? address.bytes[0] == 127 : address.bytes == [UInt8](repeating: 0, count: 15) + [1]
    }
}

/// The listener's routes, behind its rules.
struct Site: HTTPResponder {
    private let rules: RequestRules
    private let daemon: WebServer.Daemon
    private let landing: String
    private let metrics: MetricsRoute
    private let admin: AdminRoutes

    init(configuration: WebServer.Configuration, daemon: WebServer.Daemon) {
        rules = RequestRules(names: configuration.names)
        self.daemon = daemon
        landing = LandingPage.html(version: configuration.version)
        metrics = MetricsRoute(page: daemon.page)
        let isUnix = configuration.unixSocket != nil
        admin = AdminRoutes(isEnabled: configuration.admin || isUnix, takesAnyPeer: isUnix, daemon: daemon)
    }

    func respond(to request: Request, context peer: Peer) async throws -> Response {
        var request = request
        do {
            _ = try await request.collectBody(upTo: WebServer.bodyLimit)
        } catch is NIOTooManyBytesError {
            return closing(.text(.contentTooLarge, "the request's body is too large"), peer)
        }
        if let refusal = refusal(of: request) {
            return .text(HTTPResponse.Status(code: refusal.status), refusal.sentence)
        }
        let response = try await answer(to: request, from: peer)
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func answer(to request: Request, from peer: Peer) async throws -> Response {
        let route: (method: HTTPRequest.Method, answer: () async throws -> Response)
        switch request.uri.path {
        case "/": route = (.get, { .html(landing) })
        case "/metrics": route = (.get, { try metrics.answer(to: request, over: peer.channel) })
        case "/-/healthy": route = (.get, { .text(.ok, "healthy") })
        case "/-/ready": route = (.get, { await ready() })
        case "/-/reload": route = (.post, { await admin.reload(from: peer) })
        case "/-/sync": route = (.post, { await admin.sync(request.uri, from: peer) })
        default: return .text(.notFound, "there is nothing here")
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

    /// The rest of a body that is too large is not worth reading.
    private func closing(_ response: Response, _ peer: Peer) -> Response {
        var response = response
        response.headers[.connection] = "close"
        let body = response.body
        response.body = ResponseBody(contentLength: body.contentLength) { writer in
            try await body.write(writer)
            peer.channel.close(promise: nil)
        }
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

    static func html(_ text: String) -> Response {
        Response(
            status: .ok, headers: safeHeaders("text/html; charset=utf-8"),
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    static func stream(_ contentType: String, _ body: ResponseBody) -> Response {
        Response(status: .ok, headers: safeHeaders(contentType), body: body)
    }
}
