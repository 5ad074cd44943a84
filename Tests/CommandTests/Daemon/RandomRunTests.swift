import Foundation
import Glibc
import Health
import Synchronization
import TestSupport
import Testing

/// Outages, restarts, kills and reloads at random, before two receivers of which each message may be refused for now: what the history knows as
/// an outage is told to both, as firing and as resolved, and the last word is right.
///
/// With `scripts/test --long` 500 outages over five seeds, else twelve of one.
@Suite(.serialized, .timeLimit(.minutes(60))) struct RandomRunTests {
    private static let isLong = ProcessInfo.processInfo.environment["RANGEFINDER_LONG"] != nil
    private static let seeds: [UInt64] = isLong ? [1, 2, 3, 4, 5] : [1]
    private static let outages = isLong ? 100 : 12

    @Test(arguments: seeds) func eachOutageIsToldToEachReceiverAndTheLastWordIsRight(seed: UInt64) async throws {
        var run = try RandomRun(seed: seed)
        try await run.start()
        for _ in 0..<Self.outages { try await run.step() }
        try await run.settle()
        let incidents = try run.incidents()
        #expect(incidents.count >= Self.outages * 8 / 10)
        for receiver in run.receivers {
            let told = receiver.told.value
            for (outage, words) in told { #expect(words.last == "resolved", "seed \(seed): \(outage) is \(words)") }
            for incident in incidents where incident.mustBeTold(run.downtimes) {
                let words = told[incident.outage] ?? []
                #expect(words.contains("firing") && words.last == "resolved", "seed \(seed): \(incident) was told as \(words)")
            }
            #expect(Set(told.keys).isSubset(of: Set(incidents.map(\.outage))), "seed \(seed): told and never there")
        }
        let long = incidents.filter { $0.mustBeTold(run.downtimes) }
        #expect(long.count >= incidents.count / 2, "seed \(seed): \(long.count) of \(incidents.count) had to be told")
    }
}

private struct Outage: Hashable, Sendable, CustomStringConvertible {
    let target: String
    /// Milliseconds since 1970.
    let since: Int64
    var description: String { "\(target) since \(since)" }
}

private struct StoredIncident: CustomStringConvertible {
    let outage: Outage
    let confirmed: Int64
    let ended: Int64

    var description: String { "\(outage), confirmed \(confirmed), over \(ended)" }

    /// Longer than the longest window and all that it takes to get a message out; while no daemon ran nothing could be told.
    func mustBeTold(_ downtimes: [ClosedRange<Int64>]) -> Bool {
        let missed = downtimes.reduce(Int64(0)) { $0 + max(0, min($1.upperBound, ended) - max($1.lowerBound, confirmed)) }
        return ended - confirmed - missed > RandomRun.windows[1] + 6000
    }
}

/// One webhook's receiver.
private final class Receiver: Sendable {
    /// What was said of an outage, in the order of the messages that were taken.
    let told = Watched<[Outage: [String]]>([:])
    private let generator: Mutex<SeededGenerator>
    private let seen = Mutex<Set<String>>([])

    init(seed: UInt64) { generator = Mutex(SeededGenerator(state: seed)) }

    func answer(_ request: LoopbackRequest) -> LoopbackReply {
        guard generator.withLock({ Int.random(in: 0..<3, using: &$0) }) > 0 else { return .http(500) }
        guard let message = try? JSONSerialization.jsonObject(with: Data(request.body.utf8)) as? [String: Any],
            let alerts = message["alerts"] as? [[String: Any]], let id = message["id"] as? String
        else { return .http(400) }
        guard seen.withLock({ $0.insert(id).inserted }) else { return .http(200) }
        told.change { told in
            for alert in alerts where alert["name"] as? String == "TargetDown" {
                let target = (alert["labels"] as? [String: String])?["target"] ?? ""
                let outage = Outage(
                    target: target, since: (alert["started_at"] as? String).flatMap { Timestamp($0) }?.milliseconds ?? 0)
                told[outage, default: []].append(alert["status"] as? String ?? "")
            }
        }
        return .http(200)
    }
}

private struct RandomRun {
    static let windows: [Int64] = [500, 3000]
    private static let targets = 60

    let receivers: [Receiver]
    private(set) var downtimes: [ClosedRange<Int64>] = []
    private let servers: [LoopbackServer]
    private let bad: Watched<Set<String>>
    private let site: Site
    private var generator: SeededGenerator
    private var program: RunningProgram?
    private var window = 0
    /// From the one whose last outage is longest ago.
    private var rested: [String]
    /// With how many requests the server had seen when each began.
    private var down: [(target: String, at: Int)] = []

    init(seed: UInt64) throws {
        generator = SeededGenerator(state: seed)
        let receivers = [Receiver(seed: seed * 2), Receiver(seed: seed * 2 + 1)]
        self.receivers = receivers
        servers = try receivers.map { receiver in try LoopbackServer { receiver.answer($0) } }
        let bad = Watched<Set<String>>([])
        self.bad = bad
        rested = (0..<Self.targets).map { "t\($0)" }
        site = try Site(
            paths: rested, probe: "{interval: 1s, fast_interval: 200ms, timeout: 1s, fall: 2, rise: 1}", log: "info",
            more: "alerting: \(Self.alerting(servers, 0))"
        ) { bad.value.contains(String($0.path.dropFirst())) ? .http(500) : .http(200) }
    }

    private static func alerting(_ servers: [LoopbackServer], _ window: Int) -> String {
        let webhooks = servers.map { "{url: \($0.url)/hook}" }.joined(separator: ", ")
        return "{webhooks: [\(webhooks)], resend_interval: 5s, group_window: \(windows[window])ms}"
    }

    mutating func start() async throws {
        program = try await site.start().program
    }

    /// Another outage, and what may come with it.
    mutating func step() async throws {
        let target = rested.removeFirst()
        bad.change { $0.insert(target) }
        down.append((target, site.target.requests.count))
        try await pass(Int.random(in: 20..<160, using: &generator))
        switch Int.random(in: 0..<10, using: &generator) {
        case 0: try await restart(SIGTERM)
        case 1: try await restart(SIGKILL)
        case 2: try reload()
        default: break
        }
        // Those that began first end first, most of them after they were told.
        while let first = down.first, down.count > 8 || site.target.requests.count - first.at > 1200 { end(first.target) }
    }

    private mutating func end(_ target: String) {
        down.removeAll { $0.target == target }
        bad.change { $0.remove(target) }
        rested.append(target)
    }

    /// Time is what the targets see: sixty requests a second, and some more.
    private func pass(_ requests: Int) async throws {
        let count = site.target.requests.count
        try await site.target.until { $0.count >= count + requests }
    }

    private mutating func restart(_ signal: Int32) async throws {
        let began = now()
        program?.send(signal)
        _ = await program?.ended()
        // Some recover meanwhile.
        if let first = down.first, Bool.random(using: &generator) { end(first.target) }
        try await start()
        try await pass(Self.targets)
        downtimes.append(began...now())
    }

    private mutating func reload() throws {
        let old = Self.alerting(servers, window)
        window = 1 - window
        let text = try String(contentsOfFile: site.configuration, encoding: .utf8)
        try Data(text.replacing(old, with: Self.alerting(servers, window)).utf8).write(to: URL(filePath: site.configuration))
        program?.send(SIGHUP)
    }

    /// Everything is well again, and has been told.
    mutating func settle() async throws {
        try await pass(600)
        for one in down { end(one.target) }
        for receiver in receivers {
            try await receiver.told.until { told in !told.isEmpty && told.values.allSatisfy { $0.last == "resolved" } }
        }
        // Nothing more is said of what is told.
        try await pass(300)
        for receiver in receivers {
            try await receiver.told.until { told in told.values.allSatisfy { $0.last == "resolved" } }
        }
        program?.send(SIGTERM)
        #expect(await program?.ended() == 0)
    }

    func incidents() throws -> [StoredIncident] {
        let query =
            "SELECT target, started_at_ms, confirmed_at_ms, ended_at_ms FROM incident_history WHERE ended_at_ms IS NOT NULL"
        let lines = try ChildProcess.run("sqlite3", ["-separator", "|", site.database, query]).output.split(separator: "\n")
        return lines.compactMap { line in
            let words = line.split(separator: "|").map(String.init)
            guard words.count == 4, let since = Int64(words[1]), let confirmed = Int64(words[2]), let ended = Int64(words[3])
            else { return nil }
            return StoredIncident(outage: Outage(target: words[0], since: since), confirmed: confirmed, ended: ended)
        }
    }

    private func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1000) }
}
