import Curl
import Daemon
import Health

/// Asks the running daemon of a database over its Unix socket, and prints what it says.
///
/// - Throws: with code 1 when it couldn't do it, and 69 when none answers.
func askDaemon(_ path: String, database: String) async throws {
    guard let url = URLParts("http://localhost\(path)") else { return }
    let engine = try TransferEngine(userAgent: Rangefinder.userAgent)
    var troubles: [String] = []
    for socket in ControlSocket.candidates(database: database) {
        let report = await ask(engine, url, socket)
        guard let status = report.status, report.failure == nil else {
            troubles.append("\(displayText(socket)): \(displayText(report.failure?.detail ?? "no answer"))")
            continue
        }
        await engine.shutDown()
        let text = String(decoding: report.body, as: UTF8.self).split(separator: "\n").map {
            displayText(String($0), limit: 1024)
        }
        guard status == 200 else { throw Failure(.notWell, text.joined(separator: "\n")) }
        for line in text { printError(line) }
        return
    }
    await engine.shutDown()
    let why =
        troubles.isEmpty
        ? "there is no socket beside \(displayText(database)), nor in /run/rangefinder" : troubles.joined(separator: "; ")
    throw Failure(.unreachable, "no daemon answers (\(why)); start it, or run this as its user or a member of its group")
}

private func ask(_ engine: TransferEngine, _ url: URLParts, _ socket: String) async -> TransferReport {
    var request = TransferRequest(url: url, method: "POST", timeout: .seconds(60))
    (request.unixSocket, request.keepBody) = (socket, 64 << 10)
    return await engine.transfer(request)
}
