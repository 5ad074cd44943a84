import Foundation
import Health
import TestSupport
import Testing

@testable import Alerting

/// What of a cut is announced all the same, without canaries: the table of docs/verdicts.md.
///
/// Targets on hosts of their own, judged by their judges, whose uplink fails from one moment on; by a clock that is moved from event to event.
@Suite struct CutTests {
    /// How a cut shows in the results.
    private enum Way: String, CaseIterable {
        case refuse = "refused", silence = "silence", proxy = "500 by a proxy"

        var duration: Int64 { self == .silence ? 10_000 : 1 }
        var outcome: Outcome {
            switch self {
            case .refuse: .bad(.connectRefused)
            case .silence: .bad(.timeout)
            case .proxy: .bad(.statusUnexpected)
            }
        }
    }

    /// Hosts of which each has one target.
    private struct Place {
        var address: String
        var interval: Duration = .seconds(30)
        var isCut = true
    }

    private struct World {
        private enum Event { case probe(Int, isRecheck: Bool), result(Int), tick }
        private static let (second, cutAt) = (Int64(1000), Int64(130_000))

        private let places: [Place]
        private let way: Way
        private let identities: [TargetIdentity]
        private let policies: [ProbePolicy]
        private var judges: [Judge]
        private var vantage = VantageJudge()
        private var book = AlertBook(AlertingOptions(vantage: "here", link: ""))
        private let hosts: [HostTable.ID]
        private var wasBad: [Bool]
        private let start = ContinuousClock.now
        private let wall = Timestamp(milliseconds: 1_700_000_000_000)
        private var events: [(at: Int64, number: Int, event: Event)] = []
        private var started: [Int64]
        private(set) var announced: Set<Int> = []
        private(set) var doubted = false

        init(_ places: [Place], _ way: Way, seed: Int) {
            (self.places, self.way) = (places, way)
            identities = places.indices.map { TargetIdentity(clientID: "\(seed)", key: "\($0)") }
            policies = places.map { place in
                var policy = ProbePolicy()
                policy.interval = place.interval
                return policy
            }
            judges = places.map { _ in Judge() }
            wasBad = places.map { _ in false }
            started = places.map { _ in 0 }
            var judge = VantageJudge()
            hosts = places.indices.map { judge.add(host: "h\($0).example", isBad: false, interval: places[$0].interval) }
            vantage = judge
        }

        /// Until the cut has lasted for four minutes, which is less than `hold_max`.
        mutating func run() {
            for index in places.indices {
                let interval = places[index].interval.wholeMilliseconds
                let first = stablePhase(of: identities[index], interval: interval)
                for at in stride(from: first, to: Self.cutAt + 240 * Self.second, by: Int(interval)) {
                    add(at, .probe(index, isRecheck: false))
                }
            }
            for at in stride(from: 0, to: Self.cutAt + 240 * Self.second, by: 500) { add(at, .tick) }
            events.sort { ($0.at, $0.number) > ($1.at, $1.number) }
            while let next = events.popLast() { happen(next.event, at: next.at) }
        }

        private mutating func add(_ at: Int64, _ event: Event) { events.append((at, events.count, event)) }

        private mutating func insert(_ at: Int64, _ event: Event) {
            let place = events.lastIndex { $0.at > at }.map { $0 + 1 } ?? 0
            events.insert((at, 0, event), at: place)
        }

        private mutating func happen(_ event: Event, at time: Int64) {
            let now = start.advanced(by: .milliseconds(time))
            switch event {
            case .tick:
                vantage.weigh(at: now)
                let standing = vantage.standing
                doubted = doubted || standing.doubt != nil
                announce(book.tick(standing.trust, at: now) { _ in false })
            case .probe(let index, let isRecheck):
                // A re-check that is under way takes the place of the next probe.
                guard isRecheck || started[index] <= time else { return }
                started[index] = time
                insert(time + (isBad(index, at: time) ? way.duration : 1), .result(index))
            case .result(let index): judge(index, at: now, time)
            }
        }

        private func isBad(_ index: Int, at time: Int64) -> Bool { places[index].isCut && time >= Self.cutAt }

        private mutating func judge(_ index: Int, at now: ContinuousClock.Instant, _ time: Int64) {
            let (begun, bad) = (started[index], isBad(index, at: started[index]))
            let (place, host) = (places[index], hosts[index])
            var result = ProbeResult(
                target: identities[index], startedAt: wall + .milliseconds(begun), duration: .milliseconds(time - begun),
                outcome: bad ? way.outcome : .good)
            result.facts.address = place.address
            let judgement = judges[index].judge(result, policy: policies[index])
            vantage.observe(
                host: host, wasBad: wasBad[index], isBad: bad, interval: place.interval, address: place.address, at: now)
            wasBad[index] = bad
            let hostClass = vantage.hostClass(of: host)
            let report = TargetReport(
                target: identities[index], hostClass: hostClass, judge: judges[index], result: result,
                startedAt: start.advanced(by: .milliseconds(begun)), isInMaintenance: false,
                describe: { Sample.description("\(index)") })
            announce(book.apply(report, vantage.standing.trust(hostClass), at: now))
            guard judgement.wantsRecheck else { return }
            let next = max(begun + policies[index].fastInterval.wholeMilliseconds, time)
            started[index] = next
            insert(next, .probe(index, isRecheck: true))
        }

        private mutating func announce(_ changes: [Alert]) {
            for alert in changes where alert.isFiring { announced.insert(Int(alert.labels["target"] ?? "") ?? -1) }
        }
    }

    private static let seeds = 20

    /// How many of the targets are announced in the middle, and at most, in so many cuts; and how often there was a doubt.
    private func row(_ words: String, _ places: [Place]) -> String {
        let cells = Way.allCases.map { way in
            let worlds = (0..<Self.seeds).map { seed in
                var world = World(places, way, seed: seed)
                world.run()
                return world
            }
            let leaked = worlds.map(\.announced.count).sorted()
            let most = leaked.last ?? 0
            return most == 0 ? "0" : "\(leaked[Self.seeds / 2]), at most \(most)"
        }
        return "| \(words) | \(cells.joined(separator: " | ")) |"
    }

    private static func outside(_ count: Int, interval: Duration = .seconds(30), from first: Int = 0) -> [Place] {
        (first..<first + count).map { Place(address: "20.\($0).0.1", interval: interval) }
    }

    private static func inside(_ count: Int, isCut: Bool) -> [Place] {
        (0..<count).map { Place(address: "10.1.1.\($0)", isCut: isCut) }
    }

    @Test func theTableOfTheDocumentIsWhatIsAnnounced() throws {
        var rows = [3, 6, 9, 12, 50].map { row("\($0) hosts", Self.outside($0)) }
        rows.append(row("50 hosts, and 30 in 10.1.1.0/24 that answer", Self.outside(50) + Self.inside(30, isCut: false)))
        rows.append(row("50 hosts, and 30 in 10.1.1.0/24 that are cut off, too", Self.outside(50) + Self.inside(30, isCut: true)))
        rows.append(row("3 hosts, and 10 in 10.1.1.0/24 that are cut off, too", Self.outside(3) + Self.inside(10, isCut: true)))
        rows.append(row("20 hosts, each asked every 2 minutes", Self.outside(20, interval: .seconds(120))))
        rows.append(
            row(
                "10 hosts every 30 s, 10 every 2 minutes",
                Self.outside(10) + Self.outside(10, interval: .seconds(120), from: 10)))
        let table = (["| the cut shows as | " + Way.allCases.map(\.rawValue).joined(separator: " | ") + " |"] + rows)
            .joined(separator: "\n")
        print(table)
        let document = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/verdicts.md")
        let text = try String(contentsOf: document, encoding: .utf8)
        for row in rows { #expect(text.contains(row), "docs/verdicts.md doesn't say: \(row)") }
    }
}
