internal import Synchronization

/// How busy an engine's thread is.
package struct EngineLoad: Hashable, Sendable {
    /// For so long the thread has not waited, since it began. The time for which other threads had its processor counts too.
    package var busy: Duration
    /// How long the thread took lately between two looks at its sockets. What became ready meanwhile waited for as long.
    package var lag: Duration
    /// Transfers that were submitted and have not begun.
    package var waiting: Int

    package init(busy: Duration, lag: Duration, waiting: Int) {
        (self.busy, self.lag, self.waiting) = (busy, lag, waiting)
    }
}

/// Measures ``EngineLoad``. The engine's thread writes, anyone reads.
final class LoadMeter: Sendable {
    private let busyNanoseconds = Atomic<UInt64>(0)
    private let lagNanoseconds = Atomic<UInt64>(0)
    private let waiting = Atomic<Int>(0)
    /// When the turn that is under way began; 0 while the thread waits for something to do.
    private let turnBeganAt = Atomic<UInt64>(0)
    private let turnEndedAt = Atomic<UInt64>(0)

    /// The thread has waited, and goes on. All times are nanoseconds of the monotonic clock.
    func turnBegins(at now: UInt64) { turnBeganAt.store(now, ordering: .relaxed) }

    /// The thread is about to wait for its sockets.
    func turnEnds(at now: UInt64, waiting: Int) {
        self.waiting.store(waiting, ordering: .relaxed)
        let beganAt = turnBeganAt.load(ordering: .relaxed)
        guard beganAt > 0, now >= beganAt else { return }
        turnBeganAt.store(0, ordering: .relaxed)
        turnEndedAt.store(now, ordering: .relaxed)
        let length = now - beganAt
        busyNanoseconds.store(busyNanoseconds.load(ordering: .relaxed) + length, ordering: .relaxed)
        // A short turn after a long one doesn't mean that the thread has caught up.
        let before = lagNanoseconds.load(ordering: .relaxed)
        lagNanoseconds.store(max(length, before - before / 4), ordering: .relaxed)
    }

    /// A turn that is under way counts as far as it has come.
    func reading(at now: UInt64 = monotonicNanoseconds()) -> EngineLoad {
        let beganAt = turnBeganAt.load(ordering: .relaxed)
        let underWay = beganAt > 0 && now > beganAt ? now - beganAt : 0
        return EngineLoad(
            busy: .nanoseconds(busyNanoseconds.load(ordering: .relaxed) + underWay),
            lag: .nanoseconds(max(lag(at: now, isWaiting: beganAt == 0), underWay)),
            waiting: waiting.load(ordering: .relaxed))
    }

    /// A thread that waits has looked at all its sockets.
    private func lag(at now: UInt64, isWaiting: Bool) -> UInt64 {
        let (lag, endedAt) = (lagNanoseconds.load(ordering: .relaxed), turnEndedAt.load(ordering: .relaxed))
        guard isWaiting, endedAt > 0, now > endedAt else { return lag }
        return lag - min(lag, now - endedAt)
    }
}
