import HeapModule
import Health
import Testing

@testable import Scheduling

private let rhythm = ProbeInterval(interval: .seconds(30), fastInterval: .seconds(5))

private func id(_ key: Int) -> TargetIdentity { TargetIdentity(clientID: "c", key: "tgt_\(key)") }

/// Runs a schedule by hand: probes last `probe` and are judged by `recheck`.
private struct Bench {
    var schedule: Schedule
    var now = Duration.zero
    var running: [(start: ProbeStart, ends: Duration)] = []
    var starts: [(target: TargetIdentity, due: Duration, at: Duration)] = []

    init(maxInFlight: Int = 1000, fastBudget: Double = 0.2) {
        schedule = Schedule(maxInFlight: maxInFlight, fastBudget: fastBudget)
    }

    mutating func run(
        until end: Duration, step: Duration = .milliseconds(100), probe: Duration = .milliseconds(50), recheck: Bool = false
    ) {
        while now <= end {
            for item in running where item.ends <= now {
                _ = schedule.finish(item.start, startedAt: item.ends - probe, wantsRecheck: recheck, now: now)
            }
            running.removeAll { $0.ends <= now }
            for start in schedule.takeDue(now: now) {
                starts.append((start.target, start.due, now))
                running.append((start, now + probe))
            }
            now += step
        }
    }
}

@Suite struct ScheduleTests {
    @Test(arguments: [(1_000_000, 10_000), (4_300, 10_000), (3_000, 7_000), (1_500, 3_500), (100, 2_000)])
    func theBusierTheScheduleTheShorterStartsWaitForCompany(interval: Int, microseconds: Int) {
        var schedule = Schedule(maxInFlight: 1000, fastBudget: 0.2)
        for key in 0..<3000 {
            let interval = Duration.milliseconds(interval)
            schedule.set(id(key), ProbeInterval(interval: interval, fastInterval: interval), now: .zero)
        }
        #expect(abs(schedule.coalescing().nanoseconds / 1000 - Int64(microseconds)) <= 1)
    }

    @Test func dueTimesArePhasePlusWholeIntervals() {
        var bench = Bench()
        bench.schedule.set(id(1), rhythm, now: .zero)
        bench.run(until: .seconds(120))
        let dues = bench.starts.map(\.due)
        #expect(dues.count == 4)
        #expect(zip(dues, dues.dropFirst()).allSatisfy { $1 - $0 == .seconds(30) })
    }

    @Test func aRestartKeepsTheRhythm() throws {
        var first = Bench()
        first.schedule.set(id(1), rhythm, now: .zero)
        first.run(until: .seconds(60))
        var second = Bench()
        second.now = .seconds(1000)
        second.schedule.set(id(1), rhythm, now: .seconds(1000))
        second.run(until: .seconds(1060))
        let (a, b) = (try #require(first.starts.first).due, try #require(second.starts.first).due)
        #expect((b - a).wholeMicroseconds % 30_000_000 == 0)
    }

    @Test func targetsAreSpreadOverTheInterval() {
        var bench = Bench(maxInFlight: 100_000)
        for key in 0..<3000 { bench.schedule.set(id(key), rhythm, now: .zero) }
        bench.run(until: .seconds(29), step: .seconds(1))
        var perSecond: [Duration: Int] = [:]
        for start in bench.starts { perSecond[start.at, default: 0] += 1 }
        #expect(bench.starts.count > 2800)
        #expect(perSecond.values.max() ?? 0 < 160)
    }

    @Test func aLateStartMovesNoLaterDueTime() {
        var bench = Bench()
        bench.schedule.set(id(1), rhythm, now: .zero)
        bench.run(until: .seconds(35), step: .seconds(7))
        bench.run(until: .seconds(100), step: .milliseconds(10))
        let dues = bench.starts.map(\.due)
        #expect(zip(dues, dues.dropFirst()).allSatisfy { ($1 - $0).wholeMicroseconds % 30_000_000 == 0 })
    }

    @Test func aDueTimeDuringItsOwnProbeIsSkippedAndCounted() {
        var bench = Bench()
        bench.schedule.set(id(1), rhythm, now: .zero)
        bench.run(until: .seconds(125), probe: .seconds(40))
        #expect(bench.schedule.counts.skippedInFlight == 2)
        #expect(bench.schedule.counts.missed == 0)
        #expect(bench.starts.count == 2)
    }

    @Test func aDueTimeWithoutAPlaceIsMissedWhenTheNextOneComes() {
        var bench = Bench(maxInFlight: 1)
        bench.schedule.set(id(1), rhythm, now: .zero)
        bench.schedule.set(id(2), rhythm, now: .zero)
        bench.run(until: .seconds(100), probe: .seconds(1000))
        #expect(bench.starts.count == 1)
        #expect(bench.schedule.counts.missed >= 2)
    }

    @Test func aLoopThatWasStuckCountsWhatItMissed() {
        var bench = Bench()
        bench.schedule.set(id(1), rhythm, now: .zero)
        bench.now = .seconds(95)
        bench.run(until: .seconds(95))
        #expect(bench.starts.count == 1)
        #expect(bench.schedule.counts.missed >= 2)
    }

    @Test func aRecheckStartsAFastIntervalAfterThePreviousStart() {
        var bench = Bench()
        bench.schedule.set(id(1), rhythm, now: .zero)
        bench.run(until: .seconds(60), step: .milliseconds(10), recheck: true)
        let gaps = zip(bench.starts, bench.starts.dropFirst()).map { $1.at - $0.at }
        #expect(gaps.count > 4)
        #expect(gaps.filter { $0 >= .seconds(5) && $0 <= .milliseconds(5020) }.count >= gaps.count - 2)
    }

    @Test func aRecheckWaitsForTheEndOfASlowProbe() {
        var bench = Bench()
        bench.schedule.set(id(1), rhythm, now: .zero)
        bench.run(until: .seconds(55), step: .milliseconds(10), probe: .seconds(8), recheck: true)
        let gaps = zip(bench.starts, bench.starts.dropFirst()).map { $1.at - $0.at }
        #expect(gaps.first.map { $0 >= .seconds(8) && $0 < .milliseconds(8050) } == true)
    }

    @Test func recheckPastTheBudgetWaitForTheirDueTimeAndAreCounted() {
        var bench = Bench(maxInFlight: 100_000, fastBudget: 0.2)
        for key in 0..<3000 { bench.schedule.set(id(key), rhythm, now: .zero) }
        bench.run(until: .seconds(60), recheck: true)
        // 100 planned a second, 20 more allowed.
        let rechecks = bench.starts.count - 6000
        #expect(rechecks <= 20 * 61)
        #expect(bench.schedule.counts.rechecksDeferred > 1000)
    }

    @Test func aFewTargetsAlwaysGetTheirRechecks() {
        var bench = Bench(fastBudget: 0.2)
        bench.schedule.set(id(1), rhythm, now: .zero)
        bench.run(until: .seconds(90), recheck: true)
        #expect(bench.schedule.counts.rechecksDeferred == 0)
    }

    @Test func aChangedTargetIsProbedAtOnce() {
        var bench = Bench()
        bench.schedule.set(id(1), rhythm, now: .zero)
        bench.run(until: .seconds(31))
        let before = bench.starts.count
        bench.schedule.set(id(1), rhythm, atOnce: true, now: bench.now)
        bench.run(until: bench.now + .milliseconds(100))
        #expect(bench.starts.count == before + 1)
    }

    @Test func manyChangedTargetsAreAllProbedAtOnceWhateverTheBudget() {
        var bench = Bench(fastBudget: 0.2)
        for key in 0..<200 {
            bench.schedule.set(id(key), ProbeInterval(interval: .seconds(600), fastInterval: .seconds(5)), now: .zero)
        }
        for key in 0..<200 {
            bench.schedule.set(
                id(key), ProbeInterval(interval: .seconds(600), fastInterval: .seconds(5)), atOnce: true, now: .zero)
        }
        bench.run(until: .milliseconds(100))
        #expect(bench.starts.count >= 200)
        #expect(bench.schedule.counts.rechecksDeferred == 0)
    }

    @Test func aTargetChangedInFlightIsProbedAtOnceAfterwards() {
        var bench = Bench()
        bench.schedule.set(id(1), rhythm, now: .zero)
        while bench.starts.isEmpty { bench.run(until: bench.now, probe: .seconds(2)) }
        bench.schedule.set(id(1), rhythm, atOnce: true, now: bench.now)
        bench.run(until: bench.now + .milliseconds(2500), probe: .seconds(2))
        #expect(bench.starts.count == 2)
    }

    @Test func aRemovedTargetIsNeverStartedAgain() {
        var bench = Bench()
        bench.schedule.set(id(1), rhythm, now: .zero)
        bench.run(until: .seconds(31))
        let before = bench.starts.count
        bench.schedule.remove(id(1))
        bench.run(until: .seconds(200))
        #expect(bench.starts.count == before)
        #expect(bench.schedule.inFlight == 0)
        #expect(bench.schedule.count == 0)
    }

    @Test func aTargetThatComesBackIsNotMistakenForTheOldOne() throws {
        var bench = Bench()
        bench.schedule.set(id(1), rhythm, now: .zero)
        while bench.starts.isEmpty { bench.run(until: bench.now, probe: .seconds(60)) }
        let old = try #require(bench.running.first).start
        bench.schedule.remove(id(1))
        bench.schedule.set(id(1), rhythm, now: bench.now)
        _ = bench.schedule.finish(old, startedAt: nil, wantsRecheck: true, now: bench.now)
        #expect(bench.schedule.inFlight == 0)
        bench.running = []
        bench.run(until: bench.now + .seconds(31))
        #expect(bench.starts.count == 2)
    }

    @Test func aNewIntervalTakesEffectAtItsNextDueTime() {
        var bench = Bench()
        bench.schedule.set(id(1), rhythm, now: .zero)
        bench.run(until: .seconds(30))
        bench.schedule.set(id(1), ProbeInterval(interval: .seconds(2), fastInterval: .seconds(1)), now: bench.now)
        let before = bench.starts.count
        bench.run(until: .seconds(50))
        #expect((9...11).contains(bench.starts.count - before))
    }

    @Test func whatNeverStartsIsOverdue() {
        var bench = Bench(maxInFlight: 1)
        bench.schedule.set(id(1), rhythm, now: .zero)
        bench.schedule.set(id(2), rhythm, now: .zero)
        #expect(bench.schedule.overdue(byIntervals: 3, now: .seconds(60), slots: 0..<Int.max) == 0)
        #expect(bench.schedule.overdue(byIntervals: 3, now: .seconds(150), slots: 0..<Int.max) == 2)
    }

    @Test func whatWaitsForAPlaceForThreeIntervalsIsOverdueThoughItsDueTimesGoOn() {
        var bench = Bench(maxInFlight: 1)
        bench.schedule.set(id(1), rhythm, now: .zero)
        bench.schedule.set(id(2), rhythm, now: .zero)
        bench.run(until: .seconds(200), probe: .seconds(10_000))
        #expect(bench.starts.count == 1)
        #expect(bench.schedule.overdue(byIntervals: 3, now: bench.now, slots: 0..<Int.max) == 2)
    }

    @Test func theHeapForgetsTargetsThatComeAndGo() {
        var schedule = Schedule(maxInFlight: 10, fastBudget: 0.2)
        let slow = ProbeInterval(interval: .seconds(86_400), fastInterval: .seconds(5))
        for key in 0..<20_000 {
            schedule.set(id(key), slow, now: .zero)
            schedule.remove(id(key))
        }
        #expect(schedule.lanes[0].heap.count <= 1100)
    }
}
