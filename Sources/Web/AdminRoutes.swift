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
        case .failed(let text): .text(.internalServerError, lines(text))
        }
    }

    private func lines(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { displayText(String($0)) }.joined(separator: "\n")
    }
}
