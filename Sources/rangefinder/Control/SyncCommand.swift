import ArgumentParser
import Daemon
import Health

struct SyncCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync", abstract: "Ask the running daemon to fetch its target lists now.",
        discussion: """
            Reaches the daemon over its Unix socket, which is only for the daemon's user and its group. Exits with 1 when a list couldn't \
            be fetched or is held, and with 69 when no daemon answers.
            """)

    @OptionGroup var daemon: DaemonOptions

    @Flag(help: "Also apply lists that are held because they lost too many targets.")
    var accept = false

    func run() async throws {
        try await askDaemon("/-/sync\(accept ? "?accept=1" : "")", database: try daemon.path())
    }
}

struct ReloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Ask the running daemon to read its configuration again.",
        discussion: """
            Does the same as SIGHUP, and shows the outcome. Exits with 1 when the file has a mistake. The daemon then goes on with the \
            settings that it had. A file that would leave no client, or none of the watched targets, is refused too. Reaches the daemon \
            over its Unix socket, which is only for the daemon's user and its group. Exits with 69 when no daemon answers.
            """)

    @OptionGroup var daemon: DaemonOptions

    @Flag(help: "Accept the file also when it leaves no client, or none of the watched targets.")
    var accept = false

    func run() async throws {
        try await askDaemon("/-/reload\(accept ? "?accept=1" : "")", database: try daemon.path())
    }
}
