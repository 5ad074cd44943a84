import ArgumentParser
import Daemon
import Glibc
import Health
import History
import Pages
import Terminal

struct IncidentsShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one outage: when, why, and what the target said.",
        discussion: "What is kept of a failing answer is set by probe.evidence.")

    @Argument(help: ArgumentHelp("The incident's number, as `incidents --json` has it.", valueName: "id"))
    var id: Int64

    @OptionGroup var database: DatabaseOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let now = Timestamp.now()
        let found = try reading(try database.path()) { reader throws(HistoryError) in try reader.incident(id) }
        guard let found else {
            throw Failure(.usage, "there is no incident \(id); `rangefinder incidents --json` prints the numbers that there are")
        }
        if json {
            try printData(try JSONEnvelope.text(kind: "incident", at: now, [IncidentDetailItem(IncidentFacts(found))]))
        } else {
            var view = IncidentView(
                id: found.row.id, target: found.row.name, region: found.row.region, incident: found.row.incident,
                alertedAt: found.alertedAt, bound: found.bound, evidence: found.evidence)
            view.notes = found.notes.map { ($0.at, $0.text) }
            try printData(view.text(now: now, .detect(descriptor: STDOUT_FILENO)))
        }
    }
}
