import HTTPTypes
import Health
import Hummingbird
import HummingbirdCore

/// The requests that change something: only where the configuration allows them, and only from this machine.
struct AdminRoutes: Sendable {
    let isEnabled: Bool
    /// Behind a Unix socket: its file says who may.
    let takesAnyPeer: Bool
    let daemon: WebServer.Daemon

    func reload(_ uri: URI, from peer: Peer) async -> Response { await act(uri, from: peer, daemon.reload) }

    func sync(_ uri: URI, from peer: Peer) async -> Response { await act(uri, from: peer, daemon.sync) }

    /// `?accept=1`: also what is held or refused because too much would be lost.
    private func act(
        _ uri: URI, from peer: Peer, _ action: (_ accept: Bool) async -> WebServer.ActionResult
    ) async -> Response {
        if let refusal = refusal(of: peer) { return refusal }
        switch uri.query ?? "" {
        case "": return answer(await action(false))
        case "accept=1": return answer(await action(true))
        case let query: return .text(.badRequest, "\(displayText(query)) is not understood; there is accept=1")
        }
    }

    /// `POST /-/maintenance` and `POST /-/notes`. From a form it wants the token, and leads back to the page of the form.
    func byHand(_ body: [UInt8], from peer: Peer, read: (FormFields, _ isForm: Bool) -> HandRequest?) async -> Response {
        if let refusal = refusal(of: peer) { return refusal }
        guard let fields = FormFields(body) else { return .text(.badRequest, "the body is no form") }
        let isForm = !takesAnyPeer
        guard !isForm || isToken(fields["token"] ?? "") else {
            return .text(.forbidden, "the form is of an earlier life of the daemon; load the page again")
        }
        guard let request = read(fields, isForm) else { return .text(.badRequest, "a field is missing or isn't understood") }
        let result = await daemon.byHand(request)
        guard case .done = result, let back = fields["back"], isForm, Self.isOwnPath(back) else { return answer(result) }
        var response = Response(status: .seeOther)
        response.headers[.location] = back
        return response
    }

    /// Takes as long for a wrong token as for the right one.
    private func isToken(_ text: String) -> Bool {
        let (one, other) = (Array(text.utf8), Array(daemon.formToken.utf8))
        guard one.count == other.count, !other.isEmpty else { return false }
        return zip(one, other).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// A path of this listener, and nothing that a browser takes for another host.
    private static func isOwnPath(_ path: String) -> Bool {
        path.hasPrefix("/") && !path.hasPrefix("//")
            && path.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }
    }

    private func refusal(of peer: Peer) -> Response? {
        guard isEnabled else { return .text(.forbidden, "this needs admin: true in the configuration") }
        guard takesAnyPeer || peer.isLoopback || peer.isAuthenticated else {
            return .text(.forbidden, "this is taken from the daemon's own machine, or with a name and a password, only")
        }
        return nil
    }

    private func answer(_ result: WebServer.ActionResult) -> Response {
        switch result {
        case .done(let text): .text(.ok, lines(text))
        case .refused(let text): .text(.badRequest, lines(text))
        case .failed(let text): .text(.internalServerError, lines(text))
        }
    }

    private func lines(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { displayText(String($0)) }.joined(separator: "\n")
    }
}
