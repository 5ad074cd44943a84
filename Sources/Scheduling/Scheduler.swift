package import Health
import LockOrder

/// How a probe ended, as far as scheduling cares.
package struct ProbeEnd<Instant: Sendable>: Sendable {
    /// When it really started; nil when it never did.
    package var startedAt: Instant?
    package var wantsRecheck: Bool

    package init(startedAt: Instant?, wantsRecheck: Bool) {
        self.startedAt = startedAt
        self.wantsRecheck = wantsRecheck
    }
}

/// Runs a ``Schedule``: starts the probes that are due in a discarding task group, and sleeps until the next due time.
package final class Scheduler<C: Clock>: Sendable where C.Duration == Duration {
    package typealias Probe = @Sendable (TargetIdentity, _ due: C.Instant, _ isRecheck: Bool) async -> ProbeEnd<C.Instant>

    private struct State {
        var schedule: Schedule
        var sleeper: Task<Void, Never>?
        var wakesAt: Duration?
        /// Something became due while no one was asleep yet.
        var isNudged = false
        var turns = 0
        var ended = 0
    }

    /// Without anything due the loop still turns this often, so that its progress can be watched.
    package static var longestSleep: Duration { .seconds(1) }

    private static var scanStep: Int { 2048 }

    private let clock: C
    private let origin: C.Instant
    private let executor: (any TaskExecutor)?
    private let state: OrderedMutex<State>

    /// - Parameters:
    ///   - origin: what due times are counted from. The machine's boot keeps the rhythm across restarts of the daemon.
    ///   - executor: where the loop and its probes run; nil for the global one.
    package init(
        clock: C, origin: C.Instant, executor: (any TaskExecutor)? = nil, maxInFlight: Int, fastBudget: Double
    ) {
        self.clock = clock
        self.origin = origin
        self.executor = executor
        state = OrderedMutex(State(schedule: Schedule(maxInFlight: maxInFlight, fastBudget: fastBudget)))
    }

    package func set(_ target: TargetIdentity, _ rhythm: ProbeInterval, atOnce: Bool = false) {
        change { $0.set(target, rhythm, atOnce: atOnce, now: $1) }
    }

    package func remove(_ target: TargetIdentity) {
        change { schedule, _ in schedule.remove(target) }
    }

    package var counts: ScheduleCounts { state.withLock { $0.schedule.counts } }
    package var inFlight: Int { state.withLock { $0.schedule.inFlight } }
    /// How often the loop has turned: progress that a watchdog can watch.
    package var turns: Int { state.withLock { $0.turns } }
    /// How many probes have come to their end.
    package var ended: Int { state.withLock { $0.ended } }
    /// How many targets have had no start, or no end, for `intervals` of their own intervals. The lock is held for ``scanStep`` targets at a
    /// time: it stands between a due time and the socket.
    package func overdue(byIntervals intervals: Int) -> Int {
        let (now, count) = (now, state.withLock { $0.schedule.slotCount })
        return stride(from: 0, to: count, by: Self.scanStep).reduce(into: 0) { overdue, first in
            overdue += state.withLock {
                $0.schedule.overdue(byIntervals: intervals, now: now, slots: first..<first + Self.scanStep)
            }
        }
    }

    /// Probes until its task is cancelled; then cancels the probes in flight and returns when all have ended.
    package func run(probe: @escaping Probe) async {
        await withTaskExecutorPreference(executor) { await turn(probe) }
    }

    private func turn(_ probe: @escaping Probe) async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let starts = state.withLock { state in
                    state.turns &+= 1
                    state.isNudged = false
                    return state.schedule.takeDue(now: now)
                }
                for start in starts {
                    group.addTask {
                        let end = await probe(start.target, self.origin.advanced(by: start.due), start.isRecheck)
                        self.finish(start, end)
                    }
                }
                await sleepUntilDue()
            }
            group.cancelAll()
        }
    }

    private var now: Duration { origin.duration(to: clock.now) }

    private func finish(_ start: ProbeStart, _ end: ProbeEnd<C.Instant>) {
        let sleeper = state.withLock { state -> Task<Void, Never>? in
            let now = now
            state.ended &+= 1
            let isDue = state.schedule.finish(
                start, startedAt: end.startedAt.map { origin.duration(to: $0) }, wantsRecheck: end.wantsRecheck, now: now)
            return isDue ? nudge(&state) : nil
        }
        sleeper?.cancel()
    }

    private func change(_ body: (inout Schedule, Duration) -> Void) {
        let sleeper = state.withLock { state in
            body(&state.schedule, now)
            return nudge(&state)
        }
        sleeper?.cancel()
    }

    /// Returns the sleeper to wake after the lock is free, when something is due before the loop would wake by itself.
    private func nudge(_ state: inout State) -> Task<Void, Never>? {
        guard let sleeper = state.sleeper, let wakesAt = state.wakesAt else {
            state.isNudged = true
            return nil
        }
        let isEarlier = state.schedule.nextDue.map { $0 < wakesAt } ?? false
        return isEarlier || state.schedule.hasAdmissible ? sleeper : nil
    }

    private func sleepUntilDue() async {
        let sleeper: Task<Void, Never>? = state.withLock { state in
            guard !state.isNudged else { return nil }
            let now = now
            let due = state.schedule.nextDue ?? now + Self.longestSleep
            let wakesAt = min(max(due, now + state.schedule.coalescing), now + Self.longestSleep)
            let sleeper = Task<Void, Never>(executorPreference: executor) { [clock, origin] in
                // Cancelled is woken early: the loop looks again either way.
                _ = try? await clock.sleep(until: origin.advanced(by: wakesAt), tolerance: nil)
            }
            (state.sleeper, state.wakesAt) = (sleeper, wakesAt)
            return sleeper
        }
        guard let sleeper else { return await Task.yield() }
        await withTaskCancellationHandler {
            await sleeper.value
        } onCancel: {
            sleeper.cancel()
        }
        state.withLock { ($0.sleeper, $0.wakesAt) = (nil, nil) }
    }
}
