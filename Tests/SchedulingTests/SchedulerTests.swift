import Health
import Synchronization
import TestSupport
import Testing

@testable import Scheduling

private let rhythm = ProbeInterval(interval: .seconds(30), fastInterval: .seconds(5))
private let target = TargetIdentity(clientID: "c", key: "tgt_1")

private func scheduler(_ clock: ManualClock) -> Scheduler<ManualClock> {
    Scheduler(threads: [LaneThread(clock: clock)], origin: clock.now, maxInFlight: 10, fastBudget: 0.2)
}

@Suite struct SchedulerTests {
    @Test func startsWhatIsDueAndSaysWhen() async {
        let clock = ManualClock()
        let scheduler = scheduler(clock)
        scheduler.set(target, rhythm)
        let (starts, report) = AsyncStream.makeStream(of: (due: ManualClock.Instant, at: ManualClock.Instant).self)
        let running = Task {
            await scheduler.run { _, due, _, _ in
                report.yield((due, clock.now))
                return ProbeEnd(startedAt: clock.now, wantsRecheck: false)
            }
        }
        let driver = Task { while !Task.isCancelled { await clock.advanceToNextSleeper() } }
        var seen: [ManualClock.Instant] = []
        for await start in starts {
            #expect(start.at >= start.due)
            seen.append(start.due)
            if seen.count == 3 { break }
        }
        running.cancel()
        driver.cancel()
        await running.value
        #expect(seen[0].duration(to: seen[1]) == .seconds(30))
        #expect(seen[1].duration(to: seen[2]) == .seconds(30))
    }

    @Test func aTargetProbedAtOnceWakesTheLoop() async {
        let clock = ManualClock()
        let scheduler = scheduler(clock)
        let (starts, report) = AsyncStream.makeStream(of: TargetIdentity.self)
        let running = Task {
            await scheduler.run { target, _, _, _ in
                report.yield(target)
                return ProbeEnd(startedAt: clock.now, wantsRecheck: false)
            }
        }
        await clock.untilSomeoneSleeps()
        scheduler.set(target, rhythm, atOnce: true)
        // The clock stands still: only the nudge can have started it.
        var iterator = starts.makeAsyncIterator()
        #expect(await iterator.next() == target)
        running.cancel()
        await running.value
    }

    @Test func cancellingTheRunCancelsProbesInFlightAndWaitsForThem() async {
        let clock = ManualClock()
        let scheduler = scheduler(clock)
        scheduler.set(target, rhythm, atOnce: true)
        let (starts, report) = AsyncStream.makeStream(of: Void.self)
        let ended = Mutex(false)
        let running = Task {
            await scheduler.run { _, _, _, _ in
                report.yield()
                // Sleeps until cancelled: nobody moves this clock.
                try? await clock.sleep(until: clock.now.advanced(by: .seconds(3600)), tolerance: nil)
                ended.withLock { $0 = true }
                return ProbeEnd(startedAt: nil, wantsRecheck: false)
            }
        }
        var iterator = starts.makeAsyncIterator()
        await iterator.next()
        running.cancel()
        await running.value
        #expect(ended.withLock { $0 })
        #expect(scheduler.inFlight == 0)
    }

    @Test func aLoopTurnsWhenItIsAskedTo() async {
        let clock = ManualClock()
        let scheduler = scheduler(clock)
        let running = Task { await scheduler.run { _, _, _, _ in ProbeEnd(startedAt: nil, wantsRecheck: false) } }
        await clock.untilSomeoneSleeps()
        let turns = scheduler.turns
        scheduler.turnAll()
        // The clock stands still: only the call can have woken the loop.
        await clock.untilSomeoneSleeps()
        #expect(zip(scheduler.turns, turns).allSatisfy { $0 > $1 })
        running.cancel()
        await running.value
    }

    @Test func anOverloadEndsThoughNothingFallsDueAnyMore() async {
        let clock = ManualClock()
        let began = clock.now
        let handed = Atomic(0)
        // A thread that makes 100 probes a second.
        let thread = LaneThread(clock: clock) {
            let (passed, given) = (began.duration(to: clock.now), handed.load(ordering: .relaxed))
            let made = min(given, Int(passed / .milliseconds(10)))
            return LaneLoad(busy: min(passed, .milliseconds(10) * given), lag: .zero, waiting: given - made)
        }
        let scheduler = Scheduler(threads: [thread], origin: began, maxInFlight: 10_000, fastBudget: 0.2)
        let targets = (0..<500).map { TargetIdentity(clientID: "c", key: "tgt_\($0)") }
        for target in targets { scheduler.set(target, ProbeInterval(interval: .seconds(1), fastInterval: .seconds(1))) }
        let running = Task {
            await scheduler.run { _, _, _, _ in
                handed.add(1, ordering: .relaxed)
                return ProbeEnd(startedAt: clock.now, wantsRecheck: false)
            }
        }
        while !scheduler.overload[0].isOverloaded { await clock.advanceToNextSleeper() }
        for target in targets { scheduler.remove(target) }
        let removedAt = clock.now
        while scheduler.overload[0].isOverloaded, clock.now < removedAt.advanced(by: .seconds(60)) {
            await clock.advanceToNextSleeper()
        }
        #expect(!scheduler.overload[0].isOverloaded)
        running.cancel()
        await running.value
    }

    @Test func theLoopTurnsEvenWithNothingDue() async {
        let clock = ManualClock()
        let scheduler = scheduler(clock)
        let running = Task { await scheduler.run { _, _, _, _ in ProbeEnd(startedAt: nil, wantsRecheck: false) } }
        await clock.advanceToNextSleeper()
        await clock.untilSomeoneSleeps()
        #expect(scheduler.turns.allSatisfy { $0 >= 2 })
        running.cancel()
        await running.value
    }
}
