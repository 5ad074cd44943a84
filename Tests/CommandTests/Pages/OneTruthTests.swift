import Foundation
import Health
import History
import Synchronization
import TestSupport
import Testing

/// What the pages say against what the commands and the pinned views say at the same moment, over a day that had everything in it.
@Suite(.timeLimit(.minutes(5))) struct OneTruthTests {
    private static let interval = Duration.seconds(60)
    private let site: Site

    /// The daemon doesn't probe within the test: who reads first and who reads last have the same before them.
    init() throws {
        site = try Site(paths: ["steady", "fell"], probe: "{interval: 1d, timeout: 2s}") {
            $0.path == "/fell" ? .http(503) : .http(200)
        }
    }

    /// Thirty hours until now: `fell` had two outages and is in a third, both had maintenance, and for an hour there was no daemon.
    private func fill() async throws {
        let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        let clock = FillClock(now)
        var policy = ProbePolicy()
        policy.interval = Self.interval
        var judges = ["steady": Judge(), "fell": Judge()]
        for minutes in [(from: 1800, to: 1200), (from: 1140, to: 0)] {
            let options = HistoryOptions(vantage: "test", now: { clock.now })
            let history = try History.open(path: site.database, options: options)
            history.persist(list: targets, client: documentedClient)
            for left in stride(from: minutes.from, to: minutes.to, by: -1) {
                clock.now = now + .seconds(-60 * left)
                for name in ["steady", "fell"] {
                    let isBad = name == "fell" && ((1500...1530).contains(left) || (700...712).contains(left) || left <= 9)
                    append(
                        name, isBad, isInMaintenance: (900...960).contains(left), to: history, &judges[name, default: Judge()],
                        policy, clock.now)
                }
                guard left % 10 == 0 || left == 1 else { continue }
                await history.flush()
                while await history.compact() {}
            }
            await history.close()
        }
    }

    private var targets: [Target] {
        ["steady", "fell"].map { name in
            Target(
                identity: TargetIdentity(clientID: documentedClient, key: "tgt_\(name)"), name: name, baseURL: site.target.url,
                testPath: "/\(name)", region: "eu")
        }
    }

    private func append(
        _ name: String, _ isBad: Bool, isInMaintenance: Bool, to history: History, _ judge: inout Judge, _ policy: ProbePolicy,
        _ now: Timestamp
    ) {
        var facts = ResponseFacts()
        facts.httpStatus = isBad ? 503 : 200
        let result = ProbeResult(
            target: TargetIdentity(clientID: documentedClient, key: "tgt_\(name)"), startedAt: now, duration: .milliseconds(20),
            lateness: .zero, outcome: isBad ? .bad(.statusUnexpected) : .good, sentence: "",
            phases: Phases(processing: .milliseconds(20)),
            facts: facts)
        let judgement = judge.judge(result, policy: policy)
        history.append(
            HistoryRecord(
                result: result, judgement: judgement, judge: judge, interval: Self.interval, isInMaintenance: isInMaintenance))
    }

    private func items(_ text: String) throws -> [NSDictionary] {
        let document = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        return try #require(document?["items"] as? [NSDictionary], "\(text.prefix(300))")
    }

    private func items(ofCommand words: [String]) async throws -> [NSDictionary] {
        let ended = try await Program.run(words + ["--json", "--config", site.configuration])
        #expect(ended.code == 0, "\(words): \(ended.errors)")
        return try items(ended.output)
    }

    private func items(_ port: Int, _ path: String) async throws -> [NSDictionary] { try items(try await get(port, path).body) }

    /// A row a line, its columns with a bar between them.
    private func query(_ sql: String) throws -> [String] {
        try ChildProcess.run("sqlite3", ["-readonly", site.database, sql]).output.split(separator: "\n").map(String.init)
    }

    /// These members of each, in an order that doesn't depend on who was asked.
    private func sorted(_ items: [NSDictionary], _ keys: [String]) -> [[String]] {
        items.map { item in keys.map { key in item[key].map { "\($0)" } ?? "nothing" } }.sorted {
            $0.lexicographicallyPrecedes($1)
        }
    }

    @Test func pagesCommandsAndViewsSayTheSame() async throws {
        try await fill()
        let (program, port) = try await site.start()
        // The days are read beside the daemon's start.
        while (try await get(port, "/targets.json")).body.matches(of: /"up_ms":[1-9]/).count < 2 {}
        try await compareStatus(port)
        try await compareIncidents(port)
        for name in ["steady", "fell"] { try await compareTime(name, port) }
        program.send(SIGTERM)
        _ = await program.ended()
    }

    private func compareStatus(_ port: Int) async throws {
        let keys = [
            "target_id", "client_id", "target", "region", "status", "since", "cause", "last_probe_at",
        ]
        // What is down is probed at the start, and its result is committed within half a second.
        var listed = sorted(try await items(port, "/targets.json"), keys)
        while listed != sorted(try await items(ofCommand: ["status"]), keys) {
            listed = sorted(try await items(port, "/targets.json"), keys)
        }
        #expect(listed.map { $0[4] } == ["down", "up"])
        let overview = try #require(try await items(port, "/index.json").first)
        #expect((overview["statuses"] as? NSDictionary)?["down"] as? Int == 1)
    }

    private func compareIncidents(_ port: Int) async throws {
        let listed = try await items(port, "/incidents.json")
        let keys = ["incident_id", "target_id", "started_at", "confirmed_at", "ended_at", "reason", "http_status", "closed_as"]
        #expect(sorted(listed, keys) == sorted(try await items(ofCommand: ["incidents", "list", "--since", "7d"]), keys))
        #expect(listed.count == 3)
        let columns =
            "incident_id, target_id, strftime('%Y-%m-%dT%H:%M:%S', started_at_ms / 1000, 'unixepoch'), reason, coalesce(closed_as, '<null>')"
        let rows = try query("SELECT \(columns) FROM incident_history")
        let said = sorted(listed, ["incident_id", "target_id", "started_at", "reason", "closed_as"]).map { row in
            var row = row
            row[2] = String(row[2].prefix(19))
            return row.joined(separator: "|")
        }
        #expect(rows.sorted() == said.sorted())
        for incident in listed {
            let id = try #require(incident["incident_id"] as? Int)
            let page = try #require(try await items(port, "/incidents/\(id).json").first)
            let shown = try #require(try await items(ofCommand: ["incidents", "show", "\(id)"]).first)
            #expect(page["detail"] as? NSDictionary == shown, "incident \(id)")
        }
    }

    /// Availability of the page, the view and the command: each of the hours that are over.
    private func compareTime(_ name: String, _ port: Int) async throws {
        let states = ["up_ms", "degraded_ms", "down_ms", "maintenance_ms", "unknown_ms"]
        let sums = states.map { "sum(\($0))" }.joined(separator: ", ")
        var (said, viewed): ([Int?], [Int?]) = ([], [])
        // Where an hour ends within the test, the page has it a minute later.
        let deadline = ContinuousClock.now + .seconds(90)
        repeat {
            let target = try await items(port, "/targets/\(documentedClient)/tgt_\(name).json").first
            let time = try #require(target?["availability"] as? NSDictionary)
            said = states.map { time[$0] as? Int }
            let rows = try query("SELECT \(sums) FROM availability_history WHERE target_id = 'tgt_\(name)'")
            viewed = (rows.first ?? "").split(separator: "|").map { Int($0) }
        } while said.prefix(4) != viewed.prefix(4) && ContinuousClock.now < deadline
        #expect(said.prefix(4) == viewed.prefix(4), "\(name)")
        // Of the hour without a daemon, the last result of before counts for a few intervals. Of the ninety days, nobody looked before the first hour.
        let unwatched = 3_600_000 - 4 * Int(Self.interval.components.seconds) * 1000
        #expect((viewed.last ?? nil) ?? 0 >= unwatched && ((said.last ?? nil) ?? 0) >= ((viewed.last ?? nil) ?? 0), "\(name)")
        #expect((said[3] ?? 0) >= 3_600_000 && (said[0] ?? 0) > 20 * 3_600_000, "\(name): \(said)")
        #expect(((said[2] ?? 0) > 0) == (name == "fell"), "\(name): \(said)")
        let steps = try await items(ofCommand: ["history", "tgt_\(name)", "--since", "3d", "--resolution", "1h"])
        let hours = Set(
            try query(
                "SELECT strftime('%Y-%m-%dT%H', start_ms / 1000, 'unixepoch') FROM availability_history WHERE target_id = 'tgt_\(name)'"
            ))
        // The command counts the hours that aren't over, too.
        let whole = steps.filter { hours.contains("\($0["start"] ?? "")".prefix(13).description) }
        #expect(whole.count == hours.count, "\(name): \(steps.map { $0["start"] ?? "" }), \(hours)")
        for (index, state) in states.prefix(4).enumerated() {
            #expect(whole.reduce(0) { $0 + ($1[state] as? Int ?? 0) } == said[index], "\(name): \(state)")
        }
    }
}

/// A clock of the day that is filled.
private final class FillClock: Sendable {
    private let moment: Mutex<Timestamp>

    init(_ start: Timestamp) { moment = Mutex(start) }

    var now: Timestamp {
        get { moment.withLock { $0 } }
        set { moment.withLock { $0 = newValue } }
    }
}
