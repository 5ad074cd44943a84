// rangefinder: the command line, one small file a command.
// What lives here: arguments, exit codes, what is printed where. Data alone goes to standard output, everything else to standard error.
// What doesn't: the work itself (Daemon and the other rooms) and how things look (Terminal).
// Exit codes: 0 done; 1 what was asked about is not well; 2 usage; 69 the API, daemon or database can't be reached or read; 70 internal.

import ArgumentParser
import CProcess
import Curl
import Daemon
import Glibc
import Probing
import Settings

@main
struct Rangefinder: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rangefinder",
        abstract: "Watches the targets of a Targets API: probes, remembers, and tells.",
        version: "rangefinder \(version)",
        subcommands: [
            RunCommand.self, DemoCommand.self, CheckConfigCommand.self, ProbeCommand.self, StatusCommand.self,
            HistoryCommand.self, IncidentsCommand.self, ReplayCommand.self, SyncCommand.self, ReloadCommand.self,
            TargetsCommand.self,
            TargetsServerCommand.self, DoctorCommand.self,
        ])

    /// The version of the program, of its user agent and of `rangefinder_build_info`.
    static let version = "0.1.0"
    static var userAgent: String { "rangefinder/\(version)" }
    /// What a configuration needs of the machine, and of the rooms that know patterns and certificates.
    static var surroundings: Surroundings {
        .system(userAgent: userAgent, patternProblem: BodyPattern.problem(of:)) { chain, key in
            clientCertificateProblem(chain: chain, key: key).map(PairProblem.init)
        }
    }

    static func main() async {
        rf_open_standard_descriptors()
        // Most commands hold a token; `run` may allow a dump again.
        rf_set_dumpable(0)
        rf_end_by_sent_signals()
        // A reader of ours that has gone away must not end a daemon by a signal.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            LogSink.standardError.flush()
        } catch let failure as Failure {
            LogSink.standardError.flush()
            printError("rangefinder: \(failure.message)")
            Glibc.exit(failure.code.rawValue)
        } catch {
            end(with: error)
        }
    }

    /// ArgumentParser says 64 for wrong usage; the contract of this program says 2.
    private static func end(with error: any Error) -> Never {
        let code = exitCode(for: error)
        let text = fullMessage(for: error)
        if code == .success {
            if !text.isEmpty { print(text) }
            Glibc.exit(0)
        }
        if !text.isEmpty { printError(text) }
        Glibc.exit(code == .validationFailure ? ExitStatus.usage.rawValue : code.rawValue)
    }
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

    init(_ code: ExitStatus, _ message: String) {
        self.code = code
        self.message = message
    }
}

func printError(_ line: String) { write(line + "\n", to: STDERR_FILENO) }

/// Writes data to standard output as it is. False when nobody reads it any more.
@discardableResult
func printData(_ text: String) -> Bool { write(text, to: STDOUT_FILENO) }

/// Whoever reads may be slow or gone: what can't be written is let go.
@discardableResult
private func write(_ text: String, to descriptor: Int32) -> Bool {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard count > 0 else { return false }
        rest = rest.dropFirst(count)
    }
    return true
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
