import ArgumentParser
import Curl
import Daemon
import Health

struct SyncCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync", abstract: "Ask the running daemon to fetch its target lists now.",
        discussion: """
            Reaches the daemon over its Unix socket, which is for its user and its group. Exits with 1 when a list couldn't be fetched or is \
            held, and with 69 when no daemon answers.
            """)

    @OptionGroup var database: DatabaseOptions

    @Flag(help: "Let lists through that are held because they lost too many targets.")
    var accept = false

    func run() async throws {
        let path = try database.path()
        guard let url = URLParts("http://localhost/-/sync\(accept ? "?accept=1" : "")") else { return }
        let engine = try TransferEngine(userAgent: Rangefinder.userAgent)
        var troubles: [String] = []
        for socket in ControlSocket.candidates(database: path) {
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
            ? "there is no socket beside \(displayText(path)), nor in /run/rangefinder" : troubles.joined(separator: "; ")
        throw Failure(.unreachable, "no daemon answers (\(why)); start it, or run this as its user or a member of its group")
    }

    private func ask(_ engine: TransferEngine, _ url: URLParts, _ socket: String) async -> TransferReport {
        var request = TransferRequest(url: url, method: "POST", timeout: .seconds(60))
        (request.unixSocket, request.keepBody) = (socket, 64 << 10)
        return await engine.transfer(request)
    }
}
