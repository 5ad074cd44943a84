package import Health
import LockOrder

/// How a probe ended, as far as scheduling cares.
package struct ProbeEnd<Instant: Sendable>: Sendable {
    /// When it really started; nil when it never did.
    package var startedAt: Instant?
    package var wantsRecheck: Bool
    /// Its target is down.
    package var isDown: Bool

    package init(startedAt: Instant?, wantsRecheck: Bool, isDown: Bool = false) {
        self.startedAt = startedAt
        self.wantsRecheck = wantsRecheck
        self.isDown = isDown
    }
}

/// What one lane of a ``Scheduler`` runs on.
package struct LaneThread<C: Clock>: Sendable where C.Duration == Duration {
    package let clock: C
    /// Where the lane's loop and its probes run; nil for the global executor.
    package let executor: (any TaskExecutor)?
    /// How busy the thread is; nil where nobody knows, and then the thread takes all starts at once. Asked under the scheduler's lock: quick, please.
    package let load: @Sendable () -> LaneLoad?

    package init(clock: C, executor: (any TaskExecutor)? = nil, load: @escaping @Sendable () -> LaneLoad? = { nil }) {
        (self.clock, self.executor, self.load) = (clock, executor, load)
    }
}

/// Runs a ``Schedule``: starts the probes that are due in a discarding task group for each lane, and sleeps until the lane's next due time.
package final class Scheduler<C: Clock>: Sendable where C.Duration == Duration {
    package typealias Probe =
        @Sendable (TargetIdentity, _ due: C.Instant, _ isRecheck: Bool, _ lane: Int) async -> ProbeEnd<
            C.Instant
        >

    /// The loop of one lane.
    private struct LaneLoop {
        var sleeper: Task<Void, Never>?
        var wakesAt: Duration?
        /// Something became due while no one was asleep yet.
        var isNudged = false
        var turns = 0
    }

    private struct State {
        var schedule: Schedule
        var loops: [LaneLoop]
        var ended = 0
    }

    /// Without anything due a loop still turns this often: a machine that was suspended shows its loops another time than they slept for.
    package static var longestSleep: Duration { .seconds(5) }
    /// An overload ends by what is seen of it, also where nothing falls due any more.
    private static var longestSleepInOverload: Duration { .seconds(1) }

    private static var scanStep: Int { 2048 }

    private let threads: [LaneThread<C>]
    private let origin: C.Instant
    private let state: OrderedMutex<State>

    /// - Parameters:
    ///   - threads: one for each lane. Their clocks show the same time.
    ///   - origin: what due times are counted from. The machine's boot keeps the rhythm across restarts of the daemon.
    package init(threads: [LaneThread<C>], origin: C.Instant, maxInFlight: Int, fastBudget: Double) {
        self.threads = threads
        self.origin = origin
        state = OrderedMutex(
            State(
                schedule: Schedule(lanes: threads.count, maxInFlight: maxInFlight, fastBudget: fastBudget),
                loops: threads.map { _ in LaneLoop() }))
    }

    package var laneCount: Int { threads.count }

    /// As ``Schedule/set(_:_:lane:atOnce:now:)``.
    package func set(_ target: TargetIdentity, _ rhythm: ProbeInterval, lane: Int? = nil, atOnce: Bool = false) {
        change { $0.set(target, rhythm, lane: lane, atOnce: atOnce, now: $1) }
    }

    /// As ``Schedule/move(_:to:now:)``.
    package func move(_ target: TargetIdentity, to lane: Int) {
        change { schedule, now in
            schedule.move(target, to: lane, now: now)
            return lane
        }
    }

    package func remove(_ target: TargetIdentity) {
        state.withLock { $0.schedule.remove(target) }
    }

    package var counts: ScheduleCounts { state.withLock { $0.schedule.counts } }
    package var inFlight: Int { state.withLock { $0.schedule.inFlight } }
    /// How often the loop of each lane has turned: progress that a watchdog can watch.
    package var turns: [Int] { state.withLock { $0.loops.map(\.turns) } }

    /// Makes each loop turn that can: a loop that has not turned by the next look at ``turns`` is stuck.
    package func turnAll() {
        let sleepers = state.withLock { state in
            state.loops.indices.compactMap { lane -> Task<Void, Never>? in
                if state.loops[lane].sleeper == nil { state.loops[lane].isNudged = true }
                return state.loops[lane].sleeper
            }
        }
        for sleeper in sleepers { sleeper.cancel() }
    }

    /// How many probes have come to their end.
    package var ended: Int { state.withLock { $0.ended } }
    /// Each lane's load against its capacity.
    package var overload: [LaneOverload] { state.withLock { $0.schedule.overload } }
    /// How busy the threads are, lane by lane.
    package var loads: [LaneLoad] { threads.compactMap { $0.load() } }
    /// As ``Schedule/intervalsTolerated(_:)``.
    package func intervalsTolerated(_ intervals: Int) -> Int {
        state.withLock { $0.schedule.intervalsTolerated(intervals, now: now(0)) }
    }
    /// How many targets have had no start, or no end, for `intervals` of their own intervals. The lock is held for ``scanStep`` targets at a
    /// time: it stands between a due time and the socket.
    package func overdue(byIntervals intervals: Int) -> Int {
        let (now, count) = (now(0), state.withLock { $0.schedule.slotCount })
        return stride(from: 0, to: count, by: Self.scanStep).reduce(into: 0) { overdue, first in
            overdue += state.withLock {
                $0.schedule.overdue(byIntervals: intervals, now: now, slots: first..<first + Self.scanStep)
            }
        }
    }

    /// Probes until its task is cancelled; then cancels the probes in flight and returns when all have ended.
    package func run(probe: @escaping Probe) async {
        await withDiscardingTaskGroup { group in
            for lane in threads.indices {
                group.addTask(executorPreference: self.threads[lane].executor) { await self.turn(lane, probe) }
            }
        }
    }

    private func turn(_ lane: Int, _ probe: @escaping Probe) async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let starts = state.withLock { state in
                    state.loops[lane].turns &+= 1
                    state.loops[lane].isNudged = false
                    return state.schedule.takeDue(now: now(lane), lane: lane, load: threads[lane].load())
                }
                for start in starts {
                    group.addTask {
                        let end = await probe(start.target, self.origin.advanced(by: start.due), start.isRecheck, lane)
                        self.finish(start, end, lane)
                    }
                }
                await sleepUntilDue(lane)
            }
            group.cancelAll()
        }
    }

    private func now(_ lane: Int) -> Duration { origin.duration(to: threads[lane].clock.now) }

    private func finish(_ start: ProbeStart, _ end: ProbeEnd<C.Instant>, _ lane: Int) {
        let sleepers = state.withLock { state -> [Task<Void, Never>] in
            state.ended &+= 1
            let due = state.schedule.finish(
                start, startedAt: end.startedAt.map { origin.duration(to: $0) }, wantsRecheck: end.wantsRecheck,
                isDown: end.isDown, now: now(lane))
            return due.compactMap { nudge($0, &state) }
        }
        for sleeper in sleepers { sleeper.cancel() }
    }

    /// - Parameter body: returns the lane in which something may be due now.
    private func change(_ body: (inout Schedule, Duration) -> Int) {
        let sleeper = state.withLock { state in nudge(body(&state.schedule, now(0)), &state) }
        sleeper?.cancel()
    }

    /// Returns the sleeper to wake after the lock is free, when something is due before the lane's loop would wake by itself.
    private func nudge(_ lane: Int, _ state: inout State) -> Task<Void, Never>? {
        guard let sleeper = state.loops[lane].sleeper, let wakesAt = state.loops[lane].wakesAt else {
            state.loops[lane].isNudged = true
            return nil
        }
        let isEarlier = state.schedule.nextDue(lane: lane).map { $0 < wakesAt } ?? false
        return isEarlier && !state.schedule.waitsForRoom(lane: lane) || state.schedule.hasAdmissible(lane: lane) ? sleeper : nil
    }

    private func sleepUntilDue(_ lane: Int) async {
        let (clock, executor) = (threads[lane].clock, threads[lane].executor)
        let sleeper: Task<Void, Never>? = state.withLock { state in
            guard !state.loops[lane].isNudged else { return nil }
            let now = now(lane)
            let longest = state.schedule.isOverloaded(lane: lane) ? Self.longestSleepInOverload : Self.longestSleep
            let due = state.schedule.nextDue(lane: lane) ?? now + longest
            let wakesAt = min(max(due, now + state.schedule.coalescing(lane: lane)), now + longest)
            let sleeper = Task<Void, Never>(executorPreference: executor) { [origin] in
                // Cancelled is woken early: the loop looks again either way.
                _ = try? await clock.sleep(until: origin.advanced(by: wakesAt), tolerance: nil)
            }
            (state.loops[lane].sleeper, state.loops[lane].wakesAt) = (sleeper, wakesAt)
            return sleeper
        }
        guard let sleeper else { return await Task.yield() }
        await withTaskCancellationHandler {
            await sleeper.value
        } onCancel: {
            sleeper.cancel()
        }
        state.withLock { ($0.loops[lane].sleeper, $0.loops[lane].wakesAt) = (nil, nil) }
    }
}
