// rangefinder: the command line, one small file a command.
// What lives here: arguments, exit codes, what is printed where. Data alone goes to standard output, everything else to standard error.
// What doesn't: the work itself (Daemon and the other modules) and how things look (Terminal).
// Exit codes: 0 done; 1 what was asked about is not well; 2 the command line is wrong; 69 the API, daemon or database can't be reached or read;
// 70 internal, or something could not be written. docs/cli.md says more of each, and Tests/CommandTests/Output/ExitCodeTests.swift holds every command to it.

import ArgumentParser
import CProcess
import Curl
import Daemon
import Glibc
import Health
import Probing
import Settings

@main
struct Rangefinder: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rangefinder",
        abstract: "Watches URLs: probes them, keeps the results, shows them on pages, and sends alerts.",
        version: "rangefinder \(version)",
        subcommands: [
            RunCommand.self, WatchCommand.self, DemoCommand.self, CheckConfigCommand.self, ProbeCommand.self, StatusCommand.self,
            HistoryCommand.self, IncidentsCommand.self, ReplayCommand.self, MaintenanceCommand.self, SyncCommand.self,
            ReloadCommand.self,
            TargetsCommand.self,
            TargetsServerCommand.self, DoctorCommand.self, VersionCommand.self,
        ])

    /// The version of the program, of its user agent and of `rangefinder_build_info`.
    static let version = "0.1.0"
    static var userAgent: String { "rangefinder/\(version)" }
    /// What a configuration needs of the machine, and of the modules that know patterns and certificates.
    static var surroundings: ProcessEnvironment {
        .system(userAgent: userAgent, patternProblem: BodyPattern.problem(of:)) { chain, key in
            clientCertificateProblem(chain: chain, key: key).map(PairProblem.init)
        }
    }

    static func main() async {
        rf_open_standard_descriptors()
        // Most commands hold a token; `run` may allow a dump again.
        rf_set_dumpable(0)
        rf_end_by_sent_signals()
        // Neither a reader of ours that has gone away nor a limit on the size of files may end a command or a daemon by a signal: each is an
        // error of the write.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        let code: Int32
        do {
            code = try await perform()
            try StandardOutput.finish()
        } catch {
            LogSink.standardError.flush()
            printError("rangefinder: \(error.message)")
            Glibc.exit(error.code.rawValue)
        }
        LogSink.standardError.flush()
        Glibc.exit(code)
    }

    /// - Returns: the exit code.
    private static func perform() async throws(Failure) -> Int32 {
        if let unknown = wordOfHelp {
            printError("Error: There is no command '\(displayText(unknown, limit: 40))'.")
            sayMeantCommand(unknown)
            return ExitStatus.usage.rawValue
        }
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            return 0
        } catch let failure as Failure {
            throw failure
        } catch {
            return try code(of: error)
        }
    }

    /// ArgumentParser says 64 for wrong usage and 1 for any error that it doesn't know; the contract of this program says 2 and 70.
    private static func code(of error: any Error) throws(Failure) -> Int32 {
        if let code = error as? ExitCode { return code.rawValue }
        let text = fullMessage(for: error)
        switch exitCode(for: error) {
        case .success:
            if !text.isEmpty { try printData(withDefaultCommands(text) + "\n") }
            return 0
        case .validationFailure:
            for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                printError(displayText(String(line), limit: .max))
            }
            if let word = CommandLine.arguments.dropFirst().first { sayMeantCommand(word) }
            return ExitStatus.usage.rawValue
        default: throw Failure(.internal, displayText("\(error)", limit: 2048))
        }
    }
}

extension Rangefinder {
    private static var commandNames: [String] { configuration.subcommands.compactMap { $0.configuration.commandName } }

    /// Of a word that is no command, the command that it nearly is.
    private static func sayMeantCommand(_ word: String) {
        guard !word.hasPrefix("-"), !commandNames.contains(word), let meant = nearest(to: word, among: commandNames) else {
            return
        }
        printError("Did you mean 'rangefinder \(meant)'?")
    }

    /// What `help` is asked for, where it is no command: ArgumentParser would print the help of all.
    private static var wordOfHelp: String? {
        let words = CommandLine.arguments.dropFirst()
        guard words.first == "help", let word = words.dropFirst().first, !word.hasPrefix("-"), word != "help" else { return nil }
        guard let command = configuration.subcommands.first(where: { $0.configuration.commandName == word }) else { return word }
        guard let second = words.dropFirst(2).first, !second.hasPrefix("-") else { return nil }
        return command.configuration.subcommands.contains { $0.configuration.commandName == second } ? nil : "\(word) \(second)"
    }
}

struct VersionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

    func run() async throws { try printData("rangefinder \(Rangefinder.version)\n") }
}

enum ExitStatus: Int32 {
    case notWell = 1
    case usage = 2
    case unreachable = 69
    case `internal` = 70
}

/// Ends a command with a sentence for the person who ran it.
struct Failure: Error {
    var code: ExitStatus
    var message: String
    var isOfAnotherDaemon = false

    init(_ code: ExitStatus, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension PairProblem {
    fileprivate init(_ problem: ClientCertificateProblem) {
        self =
            switch problem {
            case .certificateUnreadable: .certificateUnreadable
            case .keyUnreadable: .keyUnreadable
            case .keyOfAnother: .keyOfAnother
            case .refused(let words): .refused(words)
            }
    }
}
