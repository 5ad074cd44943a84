import ArgumentParser
import Daemon
import Glibc
import Health
import History
import Pages
import Settings
import Terminal

struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Show which alerts other settings would have given, from the stored results.",
        discussion: """
            Gives the stored results to the judge again. No re-check is invented. If the other settings would have made a re-check that \
            the daemon didn't make, the delay of the alert is a range. Doubts, maintenance windows and `degraded` are left out.
            """)

    @OptionGroup var database: DatabaseOptions

    @Option(help: ArgumentHelp("How far back: 24h, 7d.", valueName: "duration"))
    var since = Span(seconds: 7 * 86_400)

    @Option(help: "A target is down after this number of bad results in a row.")
    var fall: Int?

    @Option(help: "A target is up again after this number of good results in a row.")
    var rise: Int?

    @Option(help: ArgumentHelp("The interval while a target is between two statuses.", valueName: "duration"))
    var fastInterval: Span?

    @Option(help: ArgumentHelp("Only this target: its name or its id.", valueName: "target"), completion: .targetNames)
    var target: String?

    @Option(help: ArgumentHelp("The client, when two clients have such a target.", valueName: "id"))
    var client: String?

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        if client != nil, target == nil { throw ValidationError("--client goes with --target.") }
        for (name, value) in [("--fall", fall), ("--rise", rise)] {
            if let value, !(1...1000).contains(value) { throw ValidationError("\(name) is from 1 to 1000.") }
        }
    }

    func run() async throws {
        let now = Timestamp.now()
        let start = now + (.zero - since.duration)
        let settings = try database.settings() ?? Settings()
        let path = try database.path()
        let (named, all, kept) = try reading(path) { reader throws(HistoryError) in
            let named = try target.map { name throws(HistoryError) in try NamedTargets(name, client: client, reader) }
            return (named, try named == nil ? reader.statuses().map(\.target) : [], try reader.starts().results)
        }
        let targets = try named.map { [try $0.only()] } ?? all
        if kept.map({ start < $0 }) ?? true {
            let words = kept.map { "results are kept since \($0) (history.keep_raw): what was before can't be replayed" }
            printError(words ?? "no results are kept: there is nothing to replay")
        }
        let rows = try reading(path) { reader throws(HistoryError) in
            var rows: [ReplayRow] = []
            for target in targets {
                rows.append(
                    try replay(target, policy(of: target, settings), reader, start..<now, from: max(start, kept ?? start)))
            }
            return rows
        }
        if json {
            try printData(try JSONEnvelope.text(kind: "replay", at: now, zip(targets, rows).map(ReplayItem.init)))
        } else {
            try printData(replayTable(rows, style: .detect(descriptor: STDOUT_FILENO)))
        }
    }

    private func policy(of target: Target, _ settings: Settings) -> ProbePolicy {
        var policy = settings.policy(for: target)
        policy.fall = fall ?? policy.fall
        policy.rise = rise ?? policy.rise
        policy.fastInterval = fastInterval?.duration ?? policy.fastInterval
        return policy
    }

    private func replay(
        _ target: Target, _ policy: ProbePolicy, _ reader: HistoryReader, _ span: Range<Timestamp>, from kept: Timestamp
    ) throws(HistoryError) -> ReplayRow {
        var replay = Replay(policy: policy)
        var (cursor, changesThen): (Int64, Int) = (0, 0)
        var statusThen: Status?
        while true {
            let page = try reader.results(of: target.identity, in: span, after: cursor)
            guard let last = page.last else { break }
            for item in page {
                replay.apply(ProbeResult(item, of: target.identity))
                guard !item.isVoid else { continue }
                if let before = statusThen, before != .unknown, before != item.status { changesThen += 1 }
                statusThen = item.status
            }
            cursor = last.id
        }
        let incidents = try reader.incidents(of: target.identity, after: kept, limit: 100_000).map(\.incident)
        return ReplayRow(
            target: target.name, region: target.region, alerts: replay.alerts, changes: replay.changes,
            incidents: incidents.filter { $0.confirmedAt >= kept }.sorted { $0.startedAt < $1.startedAt },
            changesThen: changesThen)
    }
}

extension ProbeResult {
    /// As it was before the judge: what it spared for lack of credentials was bad.
    fileprivate init(_ item: ResultItem, of target: TargetIdentity) {
        var facts = ResponseFacts()
        facts.httpStatus = item.httpStatus
        let isSpared = item.outcome == .poor(.credentialsWanted)
        self.init(
            target: target, startedAt: item.startedAt, duration: item.duration, lateness: item.lateness,
            outcome: isSpared ? .bad(.statusUnexpected) : item.outcome, void: item.isVoid ? .tainted : nil, phases: item.phases,
            facts: facts)
    }
}

/// One target as `replay --json` prints it.
struct ReplayItem: Encodable {
    struct Alert: Encodable {
        var startedAt: String
        var delayMinUs: Int64
        var delayMaxUs: Int64
        @OrNull var endedAt: String?
        var reason: String
    }

    struct Incident: Encodable {
        var startedAt: String
        var delayUs: Int64
        @OrNull var endedAt: String?
        var reason: String
    }

    var targetID: String
    var clientID: String
    var target: String
    var region: String
    var alerts: [Alert]
    var statusChanges: Int
    var incidents: [Incident]
    var statusChangesThen: Int

    init(_ target: Target, _ row: ReplayRow) {
        (targetID, clientID) = (target.identity.key, target.identity.clientID)
        (self.target, region) = (target.name, target.region)
        alerts = row.alerts.map { alert in
            Alert(
                startedAt: "\(alert.began)", delayMinUs: (alert.earliest - alert.began).wholeMicroseconds,
                delayMaxUs: (alert.latest - alert.began).wholeMicroseconds, endedAt: alert.ended.map { "\($0)" },
                reason: alert.reason.rawValue)
        }
        statusChanges = row.changes
        incidents = row.incidents.map { incident in
            Incident(
                startedAt: "\(incident.startedAt)", delayUs: (incident.confirmedAt - incident.startedAt).wholeMicroseconds,
                endedAt: incident.endedAt.map { "\($0)" }, reason: incident.reason.rawValue)
        }
        statusChangesThen = row.changesThen
    }
}
