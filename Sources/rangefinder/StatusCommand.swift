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
        commandName: "status", abstract: "Show the status of each target, the worst first.",
        discussion: "Reads the daemon's database, whether the daemon runs or not. Needs no token.")

    @OptionGroup var database: DatabaseOptions

    @OptionGroup var selection: StatusSelection

    @Flag(help: "Exit with code 1 when one of them is down or can't be probed.")
    var fail = false

    @Flag(help: "Draw it again each second until Ctrl-C.")
    var watch = false

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        if watch, json || fail { throw ValidationError("--watch goes with neither --json nor --fail.") }
    }

    func run() async throws {
        let settings = try database.settings()
        let path = try database.database ?? settings?.history.path ?? database.path()
        let reader = try Self.open(path)
        let (all, isListKnown) = try Self.read(reader)
        let rows = try selection.rows(of: all)
        if !isListKnown { printError("no list of targets is known yet: no sync has succeeded") }
        // A table that stays green while nobody looks is the worst that a monitor can show.
        if InstanceLock.isHeld(besides: path) == false {
            printError("no daemon is running on this database: this is what the last one knew")
        }
        if watch { return try await draw(reader, path, settings) }
        if rows.isEmpty, !all.isEmpty, !json { return try printData(selection.noneOf(all.count) + "\n") }
        let bounds = rows.map { row in settings.map { $0.policy(for: row.target).detectionBound } }
        if json {
            try printData(try JSONEnvelope.text(kind: "status", at: .now(), zip(rows, bounds).map(StatusItem.init)))
        } else {
            try printData(
                statusTable(rows: rows.map { StatusRow($0, settings) }, now: .now(), style: .detect(descriptor: STDOUT_FILENO)))
            if let words = Self.words(for: bounds.compactMap(\.self)) { try printData(words) }
            try printData(Self.unprobeableWords(rows.filter(\.isUnprobeable), settings))
        }
        if fail && rows.contains(where: { $0.status == .down || $0.isUnprobeable }) {
            throw ExitCode(ExitStatus.notWell.rawValue)
        }
    }

    private func draw(_ reader: HistoryReader, _ path: String, _ settings: Settings?) async throws {
        let remarks = { @Sendable [selection] (isEmpty: Bool) in
            (InstanceLock.isHeld(besides: path) == false
                ? ["no daemon is running on this database: this is what the last one knew"] : [])
                + (isEmpty ? [selection.noneOf(nil)] : [])
        }
        let table = LiveTable(footer: [], style: .detect(descriptor: STDOUT_FILENO), remarks: remarks) { [selection] in
            try selection.rows(of: try reader.statuses()).map { StatusRow($0, settings) }
        }
        try await endingAtInterrupt { try await table.draw() }
    }
}

/// Which targets are shown, and in which order.
struct StatusSelection: ParsableArguments {
    enum Order: String, CaseIterable, ExpressibleByArgument {
        case status, name, latency, since
    }

    @Argument(help: ArgumentHelp("Only these targets, by name or id.", valueName: "name"), completion: .targetNames)
    var names: [String] = []

    @Flag(help: "Only those that are down or can't be probed.") var down = false

    @Option(help: ArgumentHelp("Only those of this region.", valueName: "region")) var region: String?

    @Option(
        help: ArgumentHelp(
            "What stands first: status (the worst), name, latency (the slowest) or since (the newest).", valueName: "order"))
    var sort = Order.status

    /// As without any option.
    static func worstFirst(_ all: [TargetStatusRow]) throws -> [TargetStatusRow] { try parse([]).rows(of: all) }

    func rows(of all: [TargetStatusRow]) throws -> [TargetStatusRow] {
        for name in names where !all.contains(where: { $0.isCalled(name) }) {
            let meant = didYouMean(name, all.map(\.target.name)) ?? ""
            throw Failure(.usage, "no target has the name or id \(displayText(name))\(meant)")
        }
        if let region, !all.contains(where: { $0.target.region == region }) {
            let regions = Set(all.map(\.target.region)).filter { !$0.isEmpty }.sorted().prefix(20).map { displayText($0) }
            let others = regions.isEmpty ? "none of them names a region" : "there are \(regions.joined(separator: ", "))"
            throw Failure(.usage, "no target is in the region \(displayText(region)); \(others)")
        }
        let chosen = all.filter { row in
            (names.isEmpty || names.contains(where: row.isCalled)) && (region == nil || row.target.region == region)
                && (!down || row.status == .down || row.isUnprobeable)
        }
        return chosen.enumerated().sorted { one, other in
            // Of two that are alike, the one that stands first by name.
            let (first, second) = (rank(one.element), rank(other.element))
            return first != second ? first < second : one.offset < other.offset
        }.map(\.element)
    }

    /// In place of a table without a row.
    func noneOf(_ count: Int?) -> String {
        let isOfAll = names.isEmpty && region == nil
        let all = isOfAll ? count.map { "None of \(counted($0, "target"))" } ?? "None of the targets" : "None of these targets"
        return down ? "\(all) is down." : "\(all) is chosen."
    }

    /// The lowest stands first.
    private func rank(_ row: TargetStatusRow) -> Int64 {
        switch sort {
        case .name: 0
        case .status:
            switch row.status {
            case .down: 0
            case _ where row.isUnprobeable: 1
            case .degraded: 2
            case .unknown: 3
            case .up: 4
            }
        case .latency: -(row.lastProbe?.duration.wholeMicroseconds ?? -1)
        case .since: -(row.since?.milliseconds ?? .min + 1)
        }
    }
}

extension TargetStatusRow {
    fileprivate func isCalled(_ word: String) -> Bool { target.name == word || target.identity.key == word }
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

    fileprivate static func open(_ path: String) throws -> HistoryReader {
        do throws(HistoryError) { return try HistoryReader.open(path: path) } catch { throw Failure(.unreachable, "\(error)") }
    }

    fileprivate static func read(_ reader: HistoryReader) throws -> (rows: [TargetStatusRow], isListKnown: Bool) {
        do throws(HistoryError) {
            return (try reader.statuses(), try !reader.persistedLists().isEmpty)
        } catch {
            throw Failure(.unreachable, "\(error)")
        }
    }
}

/// Where a command finds the daemon's database.
struct DatabaseOptions: ParsableArguments {
    @OptionGroup var file: ConfigOption

    @Option(
        help: ArgumentHelp("The daemon's database itself, in place of the configuration.", valueName: "file"), completion: .file()
    )
    var database: String?

    func validate() throws {
        if file.config != nil, database != nil { throw ValidationError("Give only one of --config FILE and --database FILE.") }
    }

    func path() throws -> String { try database ?? loadSettings(try file.path(), needsSecrets: false).history.path }

    /// Of the configuration; nil where the database itself is given.
    func settings() throws -> Settings? { try database == nil ? loadSettings(try file.path(), needsSecrets: false) : nil }
}

extension StatusRow {
    /// - Parameter settings: tell which targets aren't probed; nil where they aren't known.
    init(_ row: TargetStatusRow, _ settings: Settings? = nil) {
        let isProbed = settings.map { $0.policy(for: row.target).isEnabled } ?? true
        let last = row.lastProbe.flatMap { $0.isVoid ? nil : $0 }
        let reason = last?.outcome.reason ?? row.incident?.reason
        self.init(
            name: row.target.name, region: row.target.region, status: row.status, since: row.since,
            lastProbe: row.lastProbe?.startedAt, latency: last?.duration, reason: reason,
            cause: reason == nil ? row.cause ?? row.lastProbe?.outcome.cause : nil,
            sentence: isProbed ? Self.words(row, last) : "not probed: enabled is false", isUnprobeable: row.isUnprobeable)
    }

    /// - Parameter last: the last result that counted.
    private static func words(_ row: TargetStatusRow, _ last: LastProbe?) -> String {
        guard row.lastProbe != nil || row.isUnprobeable else { return "not probed yet" }
        if last == nil, !row.isUnprobeable { return "the daemon's own trouble spoiled the last probe; its log says why" }
        let answer = row.lastProbe?.httpStatus.map { "HTTP \($0)" }
        guard row.incident != nil, last?.outcome.isSuccess == true else { return answer ?? "" }
        // Within an outage the reason is the outage's, and the answer is no longer of that kind.
        return "the last probe was good" + (answer.map { " (\($0))" } ?? "")
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
        baseURL = urlWithoutSecrets(row.target.baseURL)
        testPath = urlWithoutSecrets(row.target.testPath)
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
