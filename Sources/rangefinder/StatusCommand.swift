import ArgumentParser
import Daemon
import Glibc
import Health
import History
import Pages
import Settings
import Terminal

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show the status of each target.",
        discussion: "Reads the daemon's database, whether the daemon runs or not. Needs no token.")

    @OptionGroup var database: DatabaseOptions

    @Flag(help: "Exit with code 1 when a target is down or can't be probed.")
    var fail = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let settings = try database.settings()
        let path = try database.database ?? settings?.history.path ?? database.path()
        let (rows, isListKnown) = try Self.read(path)
        let bounds = rows.map { row in settings.map { $0.policy(for: row.target).detectionBound } }
        if !isListKnown { printError("no list of targets is known yet: no sync has succeeded") }
        // A table that stays green while nobody looks is the worst that a monitor can show.
        if InstanceLock.isHeld(besides: path) == false {
            printError("no daemon is running on this database: this is what the last one knew")
        }
        if json {
            try printData(try JSONEnvelope.text(kind: "status", at: .now(), zip(rows, bounds).map(StatusItem.init)))
        } else {
            try printData(statusTable(rows: rows.map(StatusRow.init), now: .now(), style: .detect(descriptor: STDOUT_FILENO)))
            if let words = Self.words(for: bounds.compactMap(\.self)) { try printData(words) }
            try printData(Self.unprobeableWords(rows.filter(\.isUnprobeable), settings))
        }
        if fail && rows.contains(where: { $0.status == .down || $0.isUnprobeable }) {
            throw ExitCode(ExitStatus.notWell.rawValue)
        }
    }
}

extension StatusCommand {
    /// What is promised of all of them.
    fileprivate static func words(for bounds: [Duration]) -> String? {
        guard let least = bounds.min(), let most = bounds.max() else { return nil }
        let range = least == most ? durationWords(most) : "\(durationWords(least)) to \(durationWords(most))"
        return "An outage is known within \(range).\n"
    }

    private static let unprobeableShownMax = 10

    /// Why some aren't probed, and what to do. Empty where all are.
    fileprivate static func unprobeableWords(_ rows: [TargetStatusRow], _ settings: Settings?) -> String {
        guard !rows.isEmpty else { return "" }
        var lines = ["\(counted(rows.count, "target")) can't be probed:"]
        lines += rows.prefix(unprobeableShownMax).map { row in
            "  \(displayText(row.target.name)) (\(displayText(row.target.identity.key))): \(unprobeableRemedy(row, settings))"
        }
        if rows.count > unprobeableShownMax { lines.append("  and \(rows.count - unprobeableShownMax) more") }
        return lines.joined(separator: "\n") + "\n"
    }

    fileprivate static func read(_ path: String) throws -> (rows: [TargetStatusRow], isListKnown: Bool) {
        do throws(HistoryError) {
            let reader = try HistoryReader.open(path: path)
            return (try reader.statuses(), try !reader.persistedLists().isEmpty)
        } catch {
            throw Failure(.unreachable, "\(error)")
        }
    }
}

/// Where a command finds the daemon's database.
struct DatabaseOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The daemon's configuration, which names its database.", valueName: "file"), completion: .file())
    var config: String?

    @Option(help: ArgumentHelp("The daemon's database itself.", valueName: "file"), completion: .file())
    var database: String?

    func validate() throws {
        guard (config == nil) != (database == nil) else { throw ValidationError("Give either --config FILE or --database FILE.") }
    }

    func path() throws -> String {
        if let database { return database }
        guard let config else { throw Failure(.usage, "give --config FILE or --database FILE") }
        return try loadSettings(config, needsSecrets: false).history.path
    }

    /// Of the configuration, where one is given.
    func settings() throws -> Settings? { try config.map { try loadSettings($0, needsSecrets: false) } }
}

extension StatusRow {
    init(_ row: TargetStatusRow) {
        let last = row.lastProbe.flatMap { $0.isVoid ? nil : $0 }
        let reason = last?.outcome.reason ?? row.incident?.reason
        let status = row.lastProbe?.httpStatus
        self.init(
            name: row.target.name, region: row.target.region, status: row.status, since: row.since,
            lastProbe: row.lastProbe?.startedAt, latency: row.lastProbe?.duration, reason: reason,
            cause: reason == nil ? row.cause ?? row.lastProbe?.outcome.cause : nil,
            sentence: status.map { "HTTP \($0)" } ?? "", isUnprobeable: row.isUnprobeable)
    }
}

/// One target as `--json` prints it; names as in the views and the API.
struct StatusItem: Encodable {
    var targetID: String
    var clientID: String
    var target: String
    var region: String
    var baseURL: String
    var testPath: String
    var status: String
    @OrNull var since: String?
    @OrNull var cause: String?
    var unprobeable: Bool
    var consecutiveFailures: Int
    @OrNull var lastProbeAt: String?
    @OrNull var lastSuccess: Bool?
    @OrNull var lastReason: String?
    @OrNull var lastCause: String?
    @OrNull var lastHttpStatus: Int?
    @OrNull var lastDurationUs: Int64?
    @OrNull var incidentStartedAt: String?
    @OrNull var incidentReason: String?
    /// Of the configuration, where one is given.
    @OrNull var detectionBoundUs: Int64?

    init(_ row: TargetStatusRow, detectionBound: Duration?) {
        detectionBoundUs = detectionBound?.wholeMicroseconds
        targetID = row.target.identity.key
        clientID = row.target.identity.clientID
        target = row.target.name
        region = row.target.region
        baseURL = row.target.baseURL
        testPath = row.target.testPath
        status = row.status.rawValue
        since = row.since?.description
        cause = row.cause?.rawValue
        unprobeable = row.isUnprobeable
        consecutiveFailures = row.consecutiveFailures
        let last = row.lastProbe
        lastProbeAt = last?.startedAt.description
        lastSuccess = last.flatMap { $0.isVoid ? nil : $0.outcome.isSuccess }
        lastReason = last?.outcome.reason?.rawValue
        lastCause = last?.outcome.cause?.rawValue
        lastHttpStatus = last?.httpStatus
        lastDurationUs = last?.duration.wholeMicroseconds
        incidentStartedAt = row.incident?.startedAt.description
        incidentReason = row.incident?.reason.rawValue
    }
}
