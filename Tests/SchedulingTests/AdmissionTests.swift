import Health
import Testing

@testable import Scheduling

/// Everything hangs: what a schedule does when there are fewer places than probes that are due.
@Suite struct AdmissionTests {
    private static let rhythm = ProbeInterval(interval: .seconds(30), fastInterval: .seconds(5))
    private static let targets = 3000

    private struct Storm {
        var schedule: Schedule
        var starts: [TargetIdentity: Int] = [:]
        var worstLateness = Duration.zero
        var now = Duration.zero
        private var running: [(start: ProbeStart, at: Duration)] = []

        init(places: Int) {
            schedule = Schedule(maxInFlight: places, fastBudget: 0.2)
            for key in 0..<targets {
                schedule.set(TargetIdentity(clientID: "c", key: "\(key)"), rhythm, now: .zero)
            }
        }

        mutating func run(for length: Duration, hanging: Duration) {
            let end = now + length
            while now < end {
                for (start, at) in running where at + hanging <= now {
                    _ = schedule.finish(start, startedAt: at, wantsRecheck: false, now: now)
                }
                let now = now
                running.removeAll { $0.at + hanging <= now }
                for start in schedule.takeDue(now: now) {
                    running.append((start, now))
                    starts[start.target, default: 0] += 1
                    worstLateness = max(worstLateness, now - start.due)
                }
                self.now += .milliseconds(10)
            }
        }
    }

    /// 100 probes a second that hang for 10 s, and places for 300 of the 1,000.
    @Test func whatIsAdmittedStartsOnTimeAndTheRestIsMissed() {
        var storm = Storm(places: 300)
        storm.run(for: .seconds(120), hanging: .seconds(10))
        #expect(storm.worstLateness <= Schedule.patience + .milliseconds(20))
        #expect(storm.schedule.inFlight <= 300)
        let made = storm.starts.values.reduce(0, +)
        #expect(made > 3000 && made < 3900)
        // Twelve thousand were due; the last of them aren't known to be missed yet.
        #expect(storm.schedule.counts.missed > 5000)
    }

    @Test func theLotLooksAtNearlyEveryoneInTime() {
        var storm = Storm(places: 300)
        storm.run(for: .seconds(600), hanging: .seconds(10))
        // Each is due twenty times, and a third of them start.
        #expect(storm.starts.count > 2900)
        #expect((storm.starts.values.max() ?? 0) <= 20)
    }

    @Test func afterAStormNothingIsMissedAnyMore() {
        var storm = Storm(places: 300)
        storm.run(for: .seconds(120), hanging: .seconds(10))
        storm.run(for: .seconds(45), hanging: .milliseconds(50))
        let missed = storm.schedule.counts.missed
        storm.run(for: .seconds(60), hanging: .milliseconds(50))
        #expect(storm.schedule.counts.missed == missed)
    }

    @Test func aTargetThatIsPassedOverAgainAndAgainIsOverdue() {
        var schedule = Schedule(maxInFlight: 1, fastBudget: 0.2)
        for key in ["a", "b"] { schedule.set(TargetIdentity(clientID: "c", key: key), Self.rhythm, now: .zero) }
        var now = Duration.zero
        while now < .seconds(200) {
            _ = schedule.takeDue(now: now)
            now += .milliseconds(100)
        }
        // One hangs for ever, and the other never had a place.
        #expect(schedule.overdue(byIntervals: 3, now: now, slots: 0..<Int.max) == 2)
        #expect(schedule.counts.missed >= 4)
    }

    /// One place, which is taken, and `late`, whose next due time is 29 seconds away.
    private func full() throws -> (schedule: Schedule, held: ProbeStart, late: TargetIdentity, now: Duration) {
        var schedule = Schedule(maxInFlight: 1, fastBudget: 0.2)
        let (holder, late) = (TargetIdentity(clientID: "c", key: "holder"), TargetIdentity(clientID: "c", key: "late"))
        schedule.set(late, Self.rhythm, now: .zero)
        let first = try #require(schedule.nextDue())
        // Just past its due time, so that the next one is nearly an interval away.
        let now = first + .seconds(1)
        schedule = Schedule(maxInFlight: 1, fastBudget: 0.2)
        schedule.set(late, Self.rhythm, now: now)
        schedule.set(holder, ProbeInterval(interval: .seconds(3600), fastInterval: .seconds(5)), atOnce: true, now: now)
        let held = try #require(schedule.takeDue(now: now).first)
        return (schedule, held, late, now)
    }

    @Test func aChangedTargetKeepsItsClaimToBeProbedAtOnce() throws {
        var (schedule, held, late, now) = try full()
        schedule.set(late, Self.rhythm, atOnce: true, now: now)
        #expect(schedule.takeDue(now: now).isEmpty)
        // It waits longer than its patience, and is passed over.
        now += .seconds(1)
        #expect(schedule.takeDue(now: now).isEmpty)
        _ = schedule.finish(held, startedAt: nil, wantsRecheck: false, now: now)
        now += Schedule.claimAgainAfter
        #expect(schedule.takeDue(now: now).map(\.target) == [late])
        #expect(schedule.counts == ScheduleCounts())
    }

    @Test func aTargetThatIsChangedWhileItWaitsKeepsItsClaimToo() throws {
        var (schedule, held, late, now) = try full()
        now += .seconds(29)
        #expect(schedule.takeDue(now: now).isEmpty)
        schedule.set(late, Self.rhythm, atOnce: true, now: now)
        now += .seconds(1)
        #expect(schedule.takeDue(now: now).isEmpty)
        _ = schedule.finish(held, startedAt: nil, wantsRecheck: false, now: now)
        now += Schedule.claimAgainAfter
        #expect(schedule.takeDue(now: now).map(\.target) == [late])
        // It started before the next due time came.
        #expect(schedule.counts.missed == 0)
    }

    @Test func aClaimThatIsPassedOverDoesNotHideADueTime() throws {
        var (schedule, _, late, now) = try full()
        now += .seconds(29)
        _ = schedule.takeDue(now: now)
        now += .seconds(1)
        _ = schedule.takeDue(now: now)
        schedule.set(late, Self.rhythm, atOnce: true, now: now)
        // Passed over at its due time, then at its claim, again and again.
        let end = now + .seconds(95)
        while now < end {
            _ = schedule.takeDue(now: now)
            now += .milliseconds(100)
        }
        #expect(schedule.counts.missed == 3)
        #expect(schedule.overdue(byIntervals: 3, now: now, slots: 0..<Int.max) == 1)
        #expect(schedule.counts.rechecksDeferred == 0)
    }

    @Test func aDueTimeThatFindsTheTargetWaitingHasItsOwnPatience() throws {
        var (schedule, held, late, now) = try full()
        // A claim waits for a place when the due time comes.
        now += .milliseconds(28_900)
        schedule.set(late, Self.rhythm, atOnce: true, now: now)
        #expect(schedule.takeDue(now: now).isEmpty)
        now += .milliseconds(150)
        #expect(schedule.takeDue(now: now).isEmpty)
        now += .milliseconds(100)
        _ = schedule.finish(held, startedAt: nil, wantsRecheck: false, now: now)
        let started = schedule.takeDue(now: now)
        #expect(started.map(\.target) == [late] && started.map(\.isRecheck) == [false])
    }

    @Test func fewPlacesAreGivenWithoutLots() {
        var storm = Storm(places: 5)
        storm.run(for: .seconds(60), hanging: .milliseconds(20))
        #expect(storm.schedule.counts.missed == 0)
    }
}
