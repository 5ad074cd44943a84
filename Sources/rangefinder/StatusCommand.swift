import ArgumentParser
import Daemon
import Glibc
import Health
import History
import Settings
import Terminal

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show what the daemon believes of each target.",
        discussion: "Reads the daemon's database, while the daemon runs and when it doesn't.")

    @OptionGroup var database: DatabaseOptions

    @Flag(help: "Exit with code 1 when a target is down.")
    var fail = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let rows: [TargetStatusRow]
        do { rows = try HistoryReader.open(path: try database.path()).statuses() } catch let error as HistoryError {
            throw Failure(.unreachable, "\(error)")
        }
        if json {
            printData(try JSONEnvelope.text(kind: "status", at: .now(), rows.map(StatusItem.init)))
        } else {
            printData(statusTable(rows: rows.map(StatusRow.init), now: .now(), style: .detect(descriptor: STDOUT_FILENO)))
        }
        if fail && rows.contains(where: { $0.status == .down }) { throw ExitCode(ExitStatus.notWell.rawValue) }
    }
}

/// Where a command finds the daemon's database.
struct DatabaseOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The daemon's configuration, which names its database.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("The daemon's database itself.", valueName: "file"))
    var database: String?

    func validate() throws {
        guard (config == nil) != (database == nil) else { throw ValidationError("Give either --config FILE or --database FILE.") }
    }

    func path() throws -> String {
        if let database { return database }
        guard let config else { throw Failure(.usage, "give --config FILE or --database FILE") }
        return try loadSettings(config).history.path
    }
}

extension StatusRow {
    init(_ row: TargetStatusRow) {
        let reason = row.lastProbe?.outcome.reason ?? row.incident?.reason
        let status = row.lastProbe?.httpStatus
        self.init(
            name: row.target.name, region: row.target.region, status: row.status, since: row.since,
            lastProbe: row.lastProbe?.startedAt, latency: row.lastProbe?.duration, reason: reason,
            cause: reason == nil ? row.cause ?? row.lastProbe?.outcome.cause : nil,
            sentence: status.map { "HTTP \($0)" } ?? "")
    }
}

/// One target as `--json` prints it; names as in the views and the API.
struct StatusItem: Encodable {
    var target_id: String
    var client_id: String
    var target: String
    var region: String
    var base_url: String
    var test_path: String
    var status: String
    @OrNull var since: String?
    @OrNull var cause: String?
    var unprobeable: Bool
    var consecutive_failures: Int
    @OrNull var last_probe_at: String?
    @OrNull var last_success: Bool?
    @OrNull var last_reason: String?
    @OrNull var last_cause: String?
    @OrNull var last_http_status: Int?
    @OrNull var last_duration_us: Int64?
    @OrNull var incident_started_at: String?
    @OrNull var incident_reason: String?

    init(_ row: TargetStatusRow) {
        target_id = row.target.identity.key
        client_id = row.target.identity.clientID
        target = row.target.name
        region = row.target.region
        base_url = row.target.baseURL
        test_path = row.target.testPath
        status = row.status.rawValue
        since = row.since?.description
        cause = row.cause?.rawValue
        unprobeable = row.isUnprobeable
        consecutive_failures = row.consecutiveFailures
        let last = row.lastProbe
        last_probe_at = last?.startedAt.description
        last_success = last.flatMap { $0.isVoid ? nil : $0.outcome.isSuccess }
        last_reason = last?.outcome.reason?.rawValue
        last_cause = last?.outcome.cause?.rawValue
        last_http_status = last?.httpStatus
        last_duration_us = last?.duration.wholeMicroseconds
        incident_started_at = row.incident?.startedAt.description
        incident_reason = row.incident?.reason.rawValue
    }
}
