import ArgumentParser
import Daemon
import Glibc
import Health
import History
import Pages
import Terminal

struct IncidentsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "incidents", abstract: "Show the outages that were confirmed.",
        discussion: "Reads the daemon's database, whether the daemon runs or not.",
        subcommands: [IncidentsListCommand.self, IncidentsShowCommand.self, IncidentsNoteCommand.self],
        defaultSubcommand: IncidentsListCommand.self)
}

struct IncidentsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show the outages that were confirmed, the newest first.")

    @OptionGroup var database: DatabaseOptions

    @Option(
        help: ArgumentHelp("Only outages of this last time: 24h, 7d. Without it, all outages.", valueName: "duration"))
    var since: Span?

    @Option(help: ArgumentHelp("Only this target: its name or its id.", valueName: "target"), completion: .targetNames)
    var target: String?

    @Option(help: ArgumentHelp("The client, when two clients have such a target.", valueName: "id"))
    var client: String?

    func validate() throws {
        if client != nil, target == nil { throw ValidationError("--client goes with --target.") }
    }

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let now = Timestamp.now()
        let after = since.map { now + (.zero - $0.duration) }
        let (chosen, rows) = try reading(try database.path()) { reader throws(HistoryError) in
            let chosen = try target.map { name throws(HistoryError) in try NamedTargets(name, client: client, reader) }
            return (chosen, try reader.incidents(of: chosen?.one?.identity, after: after, limit: 100_000))
        }
        _ = try chosen?.only()
        if json {
            try printData(try JSONEnvelope.text(kind: "incidents", at: now, rows.map { IncidentItem(IncidentEntry($0)) }))
        } else {
            let lines = rows.map { IncidentLine(target: $0.name, region: $0.region, incident: $0.incident) }
            try printData(incidentTable(lines, now: now, style: .detect(descriptor: STDOUT_FILENO)))
        }
    }
}
