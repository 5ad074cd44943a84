import Health
import Testing

@testable import Scheduling

@Suite struct LaneTests {
    private static let rhythm = ProbeInterval(interval: .seconds(30), fastInterval: .seconds(5))
    private let target = TargetIdentity(clientID: "c", key: "tgt_1")

    private func schedule() -> Schedule {
        var schedule = Schedule(lanes: 2, maxInFlight: 10, fastBudget: 0.2)
        schedule.set(target, Self.rhythm, lane: 0, now: .zero)
        return schedule
    }

    /// Every due time of both lanes until the end; each probe takes so long.
    private func starts(_ schedule: inout Schedule, until end: Duration, probe: Duration = .milliseconds(50)) -> [(
        Duration, lane: Int
    )] {
        var (now, found, running) = (Duration.zero, [(Duration, lane: Int)](), [(start: ProbeStart, ends: Duration)]())
        while now < end {
            for (start, _) in running.filter({ $0.ends <= now }) {
                _ = schedule.finish(start, startedAt: now - probe, wantsRecheck: false, now: now)
            }
            running.removeAll { $0.ends <= now }
            for lane in 0..<2 {
                for start in schedule.takeDue(now: now, lane: lane) {
                    found.append((start.due, lane))
                    running.append((start, now + probe))
                }
            }
            now += .milliseconds(10)
        }
        return found
    }

    @Test func aTargetStartsInItsLane() {
        var schedule = schedule()
        #expect(starts(&schedule, until: .seconds(100)).allSatisfy { $0.lane == 0 })
    }

    @Test func aTargetThatChangesItsLaneKeepsItsDueTimes() {
        var (stays, moves) = (schedule(), schedule())
        moves.move(target, to: 1, now: .seconds(1))
        let (expected, found) = (starts(&stays, until: .seconds(200)), starts(&moves, until: .seconds(200)))
        #expect(found.map(\.0) == expected.map(\.0))
        #expect(found.allSatisfy { $0.lane == 1 })
    }

    @Test func aTargetThatMovesThereAndBackStartsOnceADueTime() {
        var schedule = schedule()
        for lane in [1, 0, 1, 0] { schedule.move(target, to: lane, now: .seconds(1)) }
        let found = starts(&schedule, until: .seconds(200)).map(\.0)
        #expect(Set(found).count == found.count)
        #expect(found.count >= 6)
    }

    @Test func noSecondProbeBeginsWhileOneIsInFlightInTheLaneBefore() throws {
        var schedule = schedule()
        let due = try #require(schedule.nextDue(lane: 0))
        let start = try #require(schedule.takeDue(now: due, lane: 0).first)
        schedule.move(target, to: 1, now: due)
        let early = schedule.takeDue(now: due + .seconds(30), lane: 1)
        #expect(early.isEmpty)
        #expect(schedule.counts.skippedInFlight == 1)
        let lanes = schedule.finish(start, startedAt: due, wantsRecheck: true, now: due + .seconds(31))
        #expect(lanes == [1])
        // The re-check is made in the new lane.
        let (before, after) = (
            schedule.takeDue(now: due + .seconds(36), lane: 0), schedule.takeDue(now: due + .seconds(36), lane: 1)
        )
        #expect(before.isEmpty)
        #expect(after.map(\.isRecheck) == [true])
    }

    @Test func aProbeThatWaitsForAPlaceWaitsInTheNewLane() throws {
        var schedule = Schedule(lanes: 2, maxInFlight: 1, fastBudget: 0.2)
        let other = TargetIdentity(clientID: "c", key: "tgt_2")
        schedule.set(other, Self.rhythm, lane: 0, atOnce: true, now: .zero)
        let held = try #require(schedule.takeDue(now: .zero, lane: 0).first)
        schedule.set(target, Self.rhythm, lane: 0, atOnce: true, now: .milliseconds(1))
        let early = schedule.takeDue(now: .milliseconds(1), lane: 0)
        #expect(early.isEmpty)
        schedule.move(target, to: 1, now: .milliseconds(2))
        let lanes = schedule.finish(held, startedAt: .zero, wantsRecheck: false, now: .milliseconds(3))
        #expect(lanes == [0, 1])
        let (before, after) = (schedule.takeDue(now: .milliseconds(3), lane: 0), schedule.takeDue(now: .milliseconds(3), lane: 1))
        #expect(before.isEmpty)
        #expect(after.map(\.target) == [target])
    }

    @Test func thePlacesAreThoseOfAllLanes() {
        var schedule = Schedule(lanes: 2, maxInFlight: 3, fastBudget: 0.2)
        for number in 0..<8 {
            schedule.set(TargetIdentity(clientID: "c", key: "\(number)"), Self.rhythm, lane: number % 2, atOnce: true, now: .zero)
        }
        let started = schedule.takeDue(now: .zero, lane: 0).count + schedule.takeDue(now: .zero, lane: 1).count
        #expect(started == 3)
    }
}
