import ArgumentParser
import CProcess
import Daemon
import Glibc
import Health
import History
import Logging
import Settings

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "run", abstract: "Run the daemon until SIGTERM or SIGINT.")

    @OptionGroup var file: ConfigOption

    func run() async throws {
        do { try await serve() } catch {
            InheritedSocket.turnAway(environment: Rangefinder.surroundings.environment)
            throw error
        }
    }

    private func serve() async throws {
        // It is trapped once the services run; before that it must not end us.
        signal(SIGHUP, SIG_IGN)
        let config = absolute(try file.path())
        let settings = try loadSettings(config, mustWatch: true)
        if settings.coreDumps { rf_set_dumpable(1) }
        let level = LogLevel(.init(settings.log.level))
        let logger = standardErrorLogger(settings.log.format, level)
        let context = Daemon.Context(
            configurationPath: config, surroundings: Rangefinder.surroundings, version: Rangefinder.version,
            logger: logger, logLevel: level)
        let daemon: Daemon
        do { daemon = try openDaemon(settings, context) } catch let failure as Failure {
            // Where another one runs all is well.
            if !failure.isOfAnotherDaemon { await tellFailedStart(settings, "Rangefinder can't start: \(failure.message)") }
            throw failure
        }
        do {
            try await daemon.run()
        } catch let failure as ListenFailure {
            await tellFailedStart(settings, "Rangefinder can't start: \(failure)")
            throw Failure(.unreachable, failure.description)
        } catch {
            throw Failure(.internal, "the daemon ended: \(displayText("\(error)"))")
        }
    }
}

/// As somebody in another folder has to name it.
private func absolute(_ path: String) -> String {
    if path.hasPrefix("/") { return path }
    guard let buffer = getcwd(nil, 0) else { return path }
    defer { free(buffer) }
    return "\(String(cString: buffer))/\(path)"
}

func standardErrorLogger(_ format: Settings.Log.Format, _ level: LogLevel) -> Logger {
    let (rate, isJournal) = (LogRate(), isStandardErrorJournal(Rangefinder.surroundings.environment("JOURNAL_STREAM")))
    return Logger(label: "rangefinder") { _ in
        StandardErrorLog(format: format == .json ? .json : .text, level: level, isJournal: isJournal, rate: rate)
    }
}

/// Makes the daemon; what can't be opened is said in a sentence.
func openDaemon(_ settings: Settings, _ context: Daemon.Context) throws -> Daemon {
    do {
        return try Daemon(settings: settings, context: context)
    } catch let error as HistoryError {
        throw Failure(.unreachable, "\(error)")
    } catch let error as InstanceLock.Failure {
        var failure = Failure(.unreachable, "the daemon can't start: \(error)")
        // Another server of the embedded API's database leaves this daemon's targets to nobody.
        failure.isOfAnotherDaemon = error.database == settings.history.path
        throw failure
    } catch {
        throw Failure(.unreachable, "the daemon can't start: \(displayText("\(error)"))")
    }
}
