import Health
import Testing

@testable import Scheduling

/// A lane whose thread needs so long for each probe: what it starts, when, and how often each target has its turn.
private struct BusyLane {
    static let step = Duration.milliseconds(5)

    var schedule: Schedule
    let cost: Duration
    var looks: [TargetIdentity: Int] = [:]
    /// Since when each target has had no start, in intervals: the longest.
    var longestGap = 0.0
    var worstLateness = Duration.zero
    var now = Duration.zero
    private(set) var started = 0
    private var lastStart: [TargetIdentity: Duration] = [:]
    private var work = Duration.zero
    private var busy = Duration.zero
    private var running: [ProbeStart] = []
    private var verdicts: [TargetIdentity: Urgency] = [:]

    init(targets: Int, interval: Duration, cost: Duration, verdicts: [TargetIdentity: Urgency] = [:]) {
        schedule = Schedule(maxInFlight: 10_000, fastBudget: 0.2)
        self.cost = cost
        self.verdicts = verdicts
        for number in 0..<targets {
            schedule.set(identity(number), ProbeInterval(interval: interval, fastInterval: .seconds(1)), now: .zero)
        }
        self.interval = interval
    }

    private let interval: Duration

    mutating func run(for length: Duration) {
        let end = now + length
        while now < end {
            // The thread works off what it has, and waits for the rest of the step.
            let done = min(work, Self.step)
            work -= done
            busy += done
            now += Self.step
            let ended = Array(running.prefix(max(0, running.count - Int((work / cost).rounded(.up)))))
            running.removeFirst(ended.count)
            for start in ended {
                let urgency = verdicts[start.target] ?? .settled
                _ = schedule.finish(
                    start, startedAt: now, wantsRecheck: urgency == .undecided, isDown: urgency == .down, now: now)
            }
            let load = LaneLoad(busy: busy, lag: min(work, .seconds(1)), waiting: 0)
            for start in schedule.takeDue(now: now, load: load) {
                begin(start)
            }
        }
    }

    private mutating func begin(_ start: ProbeStart) {
        work += cost
        started += 1
        running.append(start)
        looks[start.target, default: 0] += 1
        worstLateness = max(worstLateness, now - start.due)
        if let last = lastStart[start.target] { longestGap = max(longestGap, (now - last).inSeconds / interval.inSeconds) }
        lastStart[start.target] = now
    }

    mutating func forget() { (looks, longestGap, worstLateness, started, lastStart) = ([:], 0, .zero, 0, [:]) }
}

private func identity(_ number: Int) -> TargetIdentity { TargetIdentity(clientID: "c", key: "tgt_\(number)") }

@Suite struct OverloadTests {
    @Test(arguments: [(cost: 100, window: 10_000), (300, 5_000), (2_000, 2_000)])
    func dearStartsDoNotWaitForCompany(cost: Int, window: Int) {
        var lane = BusyLane(targets: 1_000, interval: .seconds(2), cost: .microseconds(cost))
        #expect(lane.schedule.coalescing() == .milliseconds(10))
        lane.run(for: .seconds(20))
        #expect(abs(lane.schedule.coalescing().nanoseconds / 1000 - Int64(window)) < window / 20)
    }

    /// 1,500 probes a second fall due, and the thread can make 500.
    private func overloaded(_ verdicts: [TargetIdentity: Urgency] = [:]) -> BusyLane {
        var lane = BusyLane(targets: 15_000, interval: .seconds(10), cost: .milliseconds(2), verdicts: verdicts)
        lane.run(for: .seconds(60))
        lane.forget()
        return lane
    }

    @Test func atThreeTimesTheCapacityTheThreadIsBusyAndNobodyIsLate() {
        var lane = overloaded()
        lane.run(for: .seconds(100))
        #expect(lane.started >= 45_000)
        #expect(lane.worstLateness < .milliseconds(520))
    }

    @Test func nobodyIsLookedAtTwiceBeforeEverybodyOnce() {
        var lane = overloaded()
        lane.run(for: .seconds(130))
        #expect(lane.looks.count == 15_000)
        let (least, most) = (lane.looks.values.min() ?? 0, lane.looks.values.max() ?? 0)
        #expect(most - least <= 1)
    }

    @Test func nobodyWaitsForMoreThanFourIntervals() {
        var lane = overloaded()
        lane.run(for: .seconds(100))
        #expect(lane.longestGap <= 4.03)
    }

    @Test func theOverloadIsTheLoadOverTheCapacity() {
        let lane = overloaded()
        let overload = lane.schedule.overload[0]
        #expect(overload.isOverloaded)
        #expect((2.8...3.6).contains(overload.stretch))
        #expect((430...510).contains(overload.capacityPerSecond))
        #expect(lane.schedule.intervalsTolerated(3, now: lane.now) == Int(overload.stretch.rounded(.up)) + 1)
    }

    @Test func whatIsPassedOverIsMissed() {
        var lane = overloaded()
        let before = lane.schedule.counts.missed
        lane.run(for: .seconds(100))
        // 150,000 fell due.
        #expect(abs(lane.schedule.counts.missed - before + lane.started - 150_000) < 3000)
    }

    @Test func undecidedTargetsComeFirstInARoundAndThoseThatAreDownLast() {
        var verdicts: [TargetIdentity: Urgency] = [:]
        for number in 0..<300 { verdicts[identity(number)] = number % 2 == 0 ? .undecided : .down }
        let lane = overloaded(verdicts)
        let pace = lane.schedule.lanes[0].pace
        let target = { (urgency: Urgency, number: Int) in
            var target = ScheduledTarget(
                target: identity(number), ProbeInterval(interval: .seconds(10), fastInterval: .seconds(1)), lane: 0,
                generation: 1,
                nextDue: 0)
            target.urgency = urgency
            return target
        }
        // The time until the next round begins for each of them.
        let wait = { (urgency: Urgency, number: Int) in pace.offset(target(urgency, number)) }
        for number in 0..<100 {
            #expect(wait(.undecided, number) > wait(.settled, number + 100))
            #expect(wait(.settled, number) > wait(.down, number + 100))
        }
    }

    @Test func pastCapacityThereAreNoRechecks() {
        var lane = overloaded([identity(1): .undecided])
        lane.run(for: .seconds(100))
        #expect((3...5).contains(lane.looks[identity(1)] ?? 0))
    }

    @Test func aBoundThatDoesNotHoldIsCounted() {
        var lane = overloaded()
        let before = lane.schedule.counts.overloadExceptions
        lane.run(for: .seconds(100))
        #expect(abs(lane.schedule.counts.overloadExceptions - before + lane.started - 150_000) < 3000)
    }

    @Test func belowCapacityNothingIsPassedOver() {
        var lane = BusyLane(targets: 4000, interval: .seconds(10), cost: .milliseconds(2))
        lane.run(for: .seconds(200))
        #expect(!lane.schedule.overload[0].isOverloaded)
        #expect(lane.schedule.counts.missed == 0)
    }

    @Test func theOverloadIsOverWhenAllTargetsGo() {
        var lane = overloaded()
        for number in 0..<15_000 { lane.schedule.remove(identity(number)) }
        lane.run(for: .seconds(10))
        #expect(!lane.schedule.overload[0].isOverloaded)
    }

    /// SIGSTOP, or a suspended machine.
    @Test func aProcessThatStoodStillDoesNotTakeItsLaneForSlow() {
        var lane = overloaded()
        lane.now += .seconds(60)
        lane.run(for: .seconds(10))
        #expect(lane.schedule.overload[0].stretch < 4)
    }

    @Test func whatWasPutOffIsNotOverdueWhenTheOverloadIsOver() {
        var lane = overloaded()
        for number in 0..<12_000 { lane.schedule.remove(identity(number)) }
        var most = 0
        for _ in 0..<100 {
            lane.run(for: .milliseconds(200))
            most = max(most, lane.schedule.overdue(byIntervals: 3, now: lane.now, slots: 0..<lane.schedule.slotCount))
        }
        #expect(most == 0)
    }

    @Test func aChangedTargetIsProbedAtOnceInOverload() {
        var lane = overloaded()
        let changed = (0..<100).map(identity)
        for target in changed {
            lane.schedule.set(
                target, ProbeInterval(interval: .seconds(10), fastInterval: .seconds(1)), atOnce: true, now: lane.now)
        }
        lane.run(for: .seconds(3))
        #expect(changed.allSatisfy { lane.looks[$0] != nil })
    }

    /// A list that gives a thousand targets another URL.
    @Test func manyChangedTargetsAreNoOverload() {
        var lane = BusyLane(targets: 2500, interval: .seconds(10), cost: .milliseconds(2))
        lane.run(for: .seconds(30))
        for number in 0..<1000 {
            lane.schedule.set(
                identity(number), ProbeInterval(interval: .seconds(10), fastInterval: .seconds(1)), atOnce: true, now: lane.now)
        }
        for _ in 0..<50 {
            lane.run(for: .milliseconds(200))
            #expect(!lane.schedule.overload[0].isOverloaded)
        }
    }

    /// What a page or a list costs, or a machine that stops for a while.
    @Test func aHiccupIsNoOverload() {
        var lane = BusyLane(targets: 2500, interval: .seconds(10), cost: .milliseconds(2))
        lane.run(for: .seconds(30))
        lane.now += .milliseconds(300)
        lane.run(for: .seconds(30))
        #expect(!lane.schedule.overload[0].isOverloaded)
        #expect(lane.schedule.counts.missed == 0)
    }

    @Test func theOverloadIsOverWhenTargetsGo() {
        var lane = overloaded()
        for number in 0..<12_000 { lane.schedule.remove(identity(number)) }
        lane.run(for: .seconds(30))
        #expect(!lane.schedule.overload[0].isOverloaded)
        let before = lane.schedule.counts.missed
        lane.run(for: .seconds(60))
        #expect(lane.schedule.counts.missed == before)
    }
}
