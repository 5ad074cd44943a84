import ArgumentParser
import Curl
import Daemon
import Health
import Pages
import Settings

/// Which daemon is asked: without either option the service of this machine.
struct DaemonOptions: ParsableArguments {
    @OptionGroup var file: ConfigOption

    @Option(help: ArgumentHelp("The daemon's database. The daemon's socket is beside it.", valueName: "file"))
    var database: String?

    func validate() throws {
        if file.config != nil, database != nil { throw ValidationError("Give only one of --config FILE and --database FILE.") }
    }

    /// A mistake in the service's configuration is the daemon's to tell: it is asked to read it.
    func path() throws -> String {
        if let database { return database }
        let path = file.named ?? ConfigOption.service
        let reading = Settings.load(path: path, surroundings: Rangefinder.surroundings)
        if let settings = reading.settings { return settings.history.path }
        guard path == ConfigOption.service else {
            for diagnostic in reading.diagnostics { printError(diagnostic.text(file: path)) }
            throw Failure(
                .notWell, "the configuration is wrong, so which daemon is meant isn't known; mend it, or give --database")
        }
        return Settings().history.path
    }
}

/// Asks the running daemon of a database over its Unix socket, and prints what it says.
///
/// - Parameter form: the fields of the request's body.
/// - Throws: with code 1 when it couldn't do it, 2 when what was asked for makes no sense, and 69 when none answers.
func askDaemon(_ path: String, form: [(name: String, value: String)] = [], database: String) async throws {
    guard let url = URLParts("http://localhost\(path)") else { return }
    let engine = try TransferEngine(userAgent: Rangefinder.userAgent)
    var troubles: [String] = []
    for socket in ControlSocket.candidates(database: database) {
        let report = await ask(engine, url, form, socket)
        guard let status = report.status, report.failure == nil else {
            troubles.append("\(displayText(socket)): \(displayText(report.failure?.detail ?? "no answer"))")
            continue
        }
        await engine.shutDown()
        let text = String(decoding: report.body, as: UTF8.self).split(separator: "\n").map {
            displayText(String($0), limit: 1024)
        }
        guard status == 200 else { throw Failure(status == 400 ? .usage : .notWell, text.joined(separator: "\n")) }
        for line in text { printError(line) }
        return
    }
    await engine.shutDown()
    let why =
        troubles.isEmpty
        ? "there is no socket beside \(displayText(database)), nor in /run/rangefinder" : troubles.joined(separator: "; ")
    throw Failure(.unreachable, "no daemon answers (\(why)); start it, or run this as its user or a member of its group")
}

private func ask(
    _ engine: TransferEngine, _ url: URLParts, _ form: [(name: String, value: String)], _ socket: String
) async -> TransferReport {
    var request = TransferRequest(url: url, method: "POST", timeout: .seconds(60))
    if !form.isEmpty {
        request.headers = [("Content-Type", "application/x-www-form-urlencoded")]
        request.body = Array(form.map { "\($0.name)=\(percentEncoded($0.value))" }.joined(separator: "&").utf8)
    }
    (request.unixSocket, request.keepBody) = (socket, 64 << 10)
    return await engine.transfer(request)
}
