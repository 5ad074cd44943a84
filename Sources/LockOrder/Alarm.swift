/// A sleep that any thread can cut short: for a loop that sleeps until its next due time and is woken when something happens earlier.
///
/// One task sleeps at a time. A ring while nobody sleeps ends the next sleep at once, so that no ring is lost.
package final class Alarm: Sendable {
    private struct State {
        var sleeper: Task<Void, Never>?
        var hasRung = false
    }

    private let state = OrderedMutex(State())

    package init() {}

    /// Ends the sleep. Not to be called under a lock over one value (``LockRank/leaf``).
    package func ring() {
        let sleeper = state.withLock { state in
            state.hasRung = true
            return state.sleeper
        }
        sleeper?.cancel()
    }

    /// Returns at the deadline, after a ring, or when the task is cancelled.
    ///
    /// - Parameter deadline: nil waits for a ring alone.
    package func sleep<C: Clock>(until deadline: C.Instant?, clock: C) async where C.Duration == Duration {
        let end = deadline ?? clock.now.advanced(by: .seconds(86_400))
        let sleeper: Task<Void, Never>? = state.withLock { state in
            guard !state.hasRung else {
                state.hasRung = false
                return nil
            }
            // Under the lock, so that a ring finds the sleeper.
            let sleeper = Task<Void, Never> { _ = try? await clock.sleep(until: end, tolerance: nil) }
            state.sleeper = sleeper
            return sleeper
        }
        guard let sleeper else { return }
        await withTaskCancellationHandler {
            await sleeper.value
        } onCancel: {
            sleeper.cancel()
        }
        state.withLock { ($0.sleeper, $0.hasRung) = (nil, false) }
    }
}
