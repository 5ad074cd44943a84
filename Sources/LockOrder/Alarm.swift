/// A sleep that any thread can cut short: for a loop that sleeps until its next due time and is woken when something happens earlier.
///
/// One task sleeps at a time. A ring while nobody sleeps ends the next sleep at once, so that no ring is lost.
package final class Alarm: Sendable {
    private struct State {
        var sleeper: CheckedContinuation<Void, Never>?
        var hasRung = false
    }

    private let state = OrderedMutex(State())

    package init() {}

    /// Ends the sleep. Not to be called under a lock over one value (``LockRank/leaf``).
    package func ring() {
        let sleeper = state.withLock { state in
            defer { state.sleeper = nil }
            // Nobody else has to be woken by the ring.
            state.hasRung = state.sleeper == nil
            return state.sleeper
        }
        sleeper?.resume()
    }

    /// Returns after a ring, or when the task is cancelled.
    package func sleep() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let hasRung = state.withLock { state in
                    defer { state.hasRung = false }
                    assert(state.sleeper == nil, "two tasks sleep by one alarm")
                    if !state.hasRung { state.sleeper = continuation }
                    return state.hasRung
                }
                if hasRung { continuation.resume() }
            }
        } onCancel: {
            ring()
        }
    }

    /// Returns at the deadline, after a ring, or when the task is cancelled.
    ///
    /// - Parameter deadline: nil waits for a ring alone.
    package func sleep<C: Clock>(until deadline: C.Instant?, clock: C) async where C.Duration == Duration {
        guard let deadline, !hasRung else { return await sleep() }
        let timer = Task {
            do { try await clock.sleep(until: deadline, tolerance: nil) } catch { return }
            ring()
        }
        await sleep()
        timer.cancel()
    }

    private var hasRung: Bool { state.withLock(\.hasRung) }
}
