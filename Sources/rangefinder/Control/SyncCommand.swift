import ArgumentParser
import Daemon
import Health

struct SyncCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync", abstract: "Ask the running daemon to fetch its target lists now.",
        discussion: """
            Reaches the daemon over its Unix socket, which is for its user and its group. Exits with 1 when a list couldn't be fetched or is \
            held, and with 69 when no daemon answers.
            """)

    @OptionGroup var daemon: DaemonOptions

    @Flag(help: "Let lists through that are held because they lost too many targets.")
    var accept = false

    func run() async throws {
        try await askDaemon("/-/sync\(accept ? "?accept=1" : "")", database: try daemon.path())
    }
}

struct ReloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Ask the running daemon to read its configuration again.",
        discussion: """
            As SIGHUP does, but says what came of it: exits with 1 when the file has a mistake, and then the daemon goes on with what it had. \
            A file that would leave no client, or no target of those that are watched, is refused too. \
            Reaches the daemon over its Unix socket, which is for its user and its group; exits with 69 when no daemon answers.
            """)

    @OptionGroup var daemon: DaemonOptions

    @Flag(help: "Take the file also when it leaves no client, or no target of those that are watched.")
    var accept = false

    func run() async throws {
        try await askDaemon("/-/reload\(accept ? "?accept=1" : "")", database: try daemon.path())
    }
}
