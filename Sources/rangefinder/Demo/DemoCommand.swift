import ArgumentParser
import Daemon
import Glibc
import Health
import Settings
import Terminal

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Show the daemon at work with sample targets on this machine.",
        discussion: """
            Starts an embedded Targets API, sample targets and the daemon. The sample targets are healthy, slow, flaky and failing, and \
            one has a bad certificate. Everything is on loopback, and nothing outside this machine is touched. Ends with Ctrl-C.
            """)

    @Option(help: ArgumentHelp("The port for metrics and health. 0 lets the system choose.", valueName: "port"))
    var port = 10115

    @Option(
        help: ArgumentHelp("Keep the databases here, and not in a temporary directory.", valueName: "directory"),
        completion: .directory)
    var state: String?

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port wants a number from 0 to 65535.") }
    }

    func run() async throws {
        let directory = try StateDirectory(kept: state, for: "demo")
        defer { directory.removeIfTemporary() }
        if access(directory.file("history.db"), F_OK) == 0, access(directory.file("targets.db"), F_OK) != 0 {
            throw Failure(
                .usage, "\(displayText(directory.path)) has a history that is no demo's; name another directory by --state")
        }
        let demo = try Demo(directory: directory, port: port, style: .detect(descriptor: STDOUT_FILENO))
        try await demo.run()
    }
}
