import ArgumentParser
import Daemon
import Glibc
import Health
import History
import Pages
import Settings
import Terminal

struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Show one target's latency and availability, and look after the database.",
        discussion: """
            Reads the daemon's database, whether the daemon runs or not. If a target has the name of one of the commands below, use \
            `history show TARGET`.
            """,
        subcommands: [
            HistoryShowCommand.self, HistoryCheckCommand.self, HistoryBackupCommand.self, HistoryExportCommand.self,
        ],
        defaultSubcommand: HistoryShowCommand.self)
}

/// `history TARGET`.
struct HistoryShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one target's latency and availability.")

    @Argument(help: ArgumentHelp("The target's name or its id.", valueName: "target"), completion: .targetNames)
    var target: String

    @Option(help: ArgumentHelp("The client, when two clients have such a target.", valueName: "id"))
    var client: String?

    @OptionGroup var database: DatabaseOptions

    @Option(help: ArgumentHelp("How far back: 30m, 24h, 7d, 1w.", valueName: "duration"))
    var since = Span(seconds: 86_400)

    @Option(help: ArgumentHelp("The time of one step: 10s, 5m, 1h, 1d. Without it, a step that fits.", valueName: "duration"))
    var resolution: Span?

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Print CSV.")
    var csv = false

    func validate() throws {
        if json, csv { throw ValidationError("Give either --json or --csv.") }
    }

    func run() async throws {
        let now = Timestamp.now()
        let style = TerminalStyle.detect(descriptor: STDOUT_FILENO)
        let span = now + (.zero - since.duration)..<now + .milliseconds(1)
        let columns = plotWidth(style)
        let resolution = try chosenResolution(columns: json || csv ? 200 : columns)
        let (chosen, steps, kept) = try reading(try database.path()) { reader throws(HistoryError) in
            let chosen = try NamedTargets(target, client: client, reader)
            guard let only = chosen.one else { return (chosen, nil as HistorySteps?, nil as HistoryStarts?) }
            var steps = try HistorySteps(of: only, in: span, resolution: resolution, from: reader)
            if self.resolution == nil, !json, !csv { steps = try steps.fromTheirBegin(columns: columns, from: reader) }
            return (chosen, steps, try reader.starts())
        }
        let only = try chosen.only()
        guard let steps else { return }
        if let note = kept.flatMap({ Self.note($0, span.lowerBound, steps.resolution.components.seconds) }) { printError(note) }
        if json {
            try printData(try JSONEnvelope.text(kind: "history", at: now, steps.items.map { HistoryItem($0, only) }))
        } else if csv {
            try printData(HistoryItem.csv(steps.items.map { HistoryItem($0, only) }))
        } else {
            try printData(HistoryView(steps: steps, asked: span).text(style))
        }
    }

    private func chosenResolution(columns: Int) throws -> Duration {
        let resolution = resolution?.duration ?? HistorySteps.resolution(of: since.duration, columns: columns)
        let seconds = resolution.components.seconds
        guard seconds < 60 || (seconds < 3600 ? seconds.isMultiple(of: 60) : seconds.isMultiple(of: 3600)) else {
            throw Failure(
                .usage, "--resolution is whole seconds below a minute, whole minutes below an hour, whole hours from there on")
        }
        guard since.duration / resolution <= 100_000 else {
            throw Failure(.usage, "that is more than 100,000 steps: give a longer --resolution or a shorter --since")
        }
        return resolution
    }

    /// What a step is too short for: without a word it would look as if nothing had been.
    private static func note(_ starts: HistoryStarts, _ wanted: Timestamp, _ seconds: Int64) -> String? {
        guard seconds < 3600, let hours = starts.hours else { return nil }
        let (age, longer) = seconds < 60 ? ("results", "1m") : ("minutes", "1h")
        guard let kept = seconds < 60 ? starts.results : starts.minutes, wanted < kept, hours < kept else { return nil }
        return "\(age) are kept since \(kept): for what was before, give --resolution \(longer) or longer"
    }
}

/// A length of time as it is typed: `30s`, `5m`, `24h`, `7d`, `1w`.
struct Span: ExpressibleByArgument, CustomStringConvertible {
    let duration: Duration

    init(seconds: Int64) { duration = .seconds(seconds) }

    init?(argument: String) {
        guard let duration = parseDuration(argument), duration >= .seconds(1), duration <= .seconds(100 * 365 * 86_400),
            duration.components.attoseconds == 0
        else { return nil }
        self.duration = duration
    }

    var description: String {
        let seconds = duration.components.seconds
        let units: [(Int64, String)] = [(86_400, "d"), (3600, "h"), (60, "m")]
        let unit = units.first { seconds.isMultiple(of: $0.0) } ?? (1, "s")
        return "\(seconds / unit.0)\(unit.1)"
    }
}

/// Opens the database for one reading; what can't be read ends the command.
func reading<Value>(_ path: String, _ body: (HistoryReader) throws(HistoryError) -> Value) throws -> Value {
    do throws(HistoryError) {
        return try body(try HistoryReader.open(path: path))
    } catch {
        throw Failure(.unreachable, "\(error)")
    }
}
