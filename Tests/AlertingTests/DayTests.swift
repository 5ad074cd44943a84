import Health
import TestSupport
import Testing

@testable import Alerting

/// A day of a thousand targets, by a clock that is moved from probe to probe: half a percent of single failures, and twenty outages.
///
/// Each target has its own judge and its phase, re-checks come after the fast interval, and one vantage watches over all.
@Suite struct DayTests {
    private struct Probe: Comparable {
        let at: Int64
        let target: Int
        static func < (a: Self, b: Self) -> Bool { (a.at, a.target) < (b.at, b.target) }
    }

    private struct Outage {
        let target: Int
        let begins: Int64
        let ends: Int64
    }

    private static let (targets, day, second) = (1000, Int64(86_400_000), Int64(1000))

    private struct World {
        var generator = SeededGenerator(state: 11)
        var judges = [Judge](repeating: Judge(), count: DayTests.targets)
        var vantage = VantageJudge()
        var book = AlertBook(AlertingOptions(vantage: "here", link: ""))
        var hosts: [HostTable.ID] = []
        var wasBad = [Bool](repeating: false, count: DayTests.targets)
        var began: [(target: Int, at: Int64)] = []
        var ended = 0
        let identities = (0..<DayTests.targets).map { TargetIdentity(clientID: "c", key: "\($0)") }
        let policy = ProbePolicy()
        let start = ContinuousClock.now
        let wall = Timestamp(milliseconds: 1_700_000_000_000)

        init() {
            hosts = (0..<DayTests.targets).map { vantage.add(host: "h\($0).example", isBad: false, interval: policy.interval) }
        }

        /// Carries out a probe that starts at `time`. Returns when the next is due, if a re-check is wanted.
        mutating func probe(_ target: Int, at time: Int64, isDown: Bool) -> Bool {
            let isBad = isDown || Int.random(in: 0..<200, using: &generator) == 0
            let result = ProbeResult(
                target: identities[target], startedAt: wall + .milliseconds(time), duration: .milliseconds(isDown ? 10_000 : 50),
                outcome: isBad ? .bad(isDown ? .timeout : .connectReset) : .good)
            let now = start.advanced(by: .milliseconds(time) + result.duration)
            let judgement = judges[target].judge(result, policy: policy)
            vantage.observe(
                host: hosts[target], wasBad: wasBad[target], isBad: isBad, interval: policy.interval,
                address: "20.\(target % 200).0.1", at: now)
            wasBad[target] = isBad
            if judgement.transition != nil || judgement.incident != nil || book.awaits(identities[target], isDown: false) {
                let report = TargetReport(
                    target: identities[target], judge: judges[target], result: result,
                    startedAt: start.advanced(by: .milliseconds(time)),
                    isInMaintenance: false, describe: { Sample.description("\(target)") })
                for change in book.apply(report, vantage.standing.trust(.outside), at: now) {
                    if change.isFiring { began.append((target, time + result.duration.wholeMilliseconds)) } else { ended += 1 }
                }
            }
            return judgement.wantsRecheck
        }
    }

    private func outages(_ generator: inout SeededGenerator) -> [Outage] {
        (0..<20).map { number in
            let begins = Int64.random(in: 0..<Self.day - 3_600_000, using: &generator)
            return Outage(
                target: number * 47, begins: begins, ends: begins + Int64.random(in: 180_000..<3_000_000, using: &generator))
        }
    }

    @Test func twentyOutagesAreTwentyAlertsNoneFalseNoneMissedEachInTime() {
        var world = World()
        let outages = outages(&world.generator)
        let byTarget = Dictionary(uniqueKeysWithValues: outages.map { ($0.target, $0) })
        let interval = world.policy.interval.wholeMilliseconds
        var recheck = [Int64?](repeating: nil, count: Self.targets)
        var probes = 0
        // In steps of a second: who is due in it, in the order of the targets.
        let phases = world.identities.map { stablePhase(of: $0, interval: interval) / Self.second }
        let due = Dictionary(grouping: 0..<Self.targets) { phases[$0] }
        var pending: [Int64: [Int]] = [:]
        for step in 0..<Self.day / Self.second {
            let time = step * Self.second
            for target in (pending.removeValue(forKey: step) ?? []) + (due[step % (interval / Self.second)] ?? []) {
                if let at = recheck[target], at > step { continue }
                recheck[target] = nil
                let isDown = byTarget[target].map { $0.begins <= time && time < $0.ends } ?? false
                probes += 1
                guard world.probe(target, at: time, isDown: isDown) else { continue }
                // A re-check starts at the later of the fast interval and the end of the probe before.
                let next = step + (isDown ? 10 : 5)
                recheck[target] = next
                pending[next, default: []].append(target)
            }
        }
        #expect(probes > 2_880_000)
        #expect(world.began.map(\.target).sorted() == outages.map(\.target).sorted())
        #expect(world.ended == 20)
        for alert in world.began {
            let outage = byTarget[alert.target]
            let delay = alert.at - (outage?.begins ?? .min)
            #expect(delay >= 0 && delay <= world.policy.detectionBound.wholeMilliseconds)
        }
        #expect(world.vantage.standing.trust(.outside).trustedSince == nil)
    }
}
