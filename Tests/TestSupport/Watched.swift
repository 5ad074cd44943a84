import Synchronization

/// A value under a lock, and a way to wait until it is as wanted: what tests do instead of sleeping or asking again and again.
package final class Watched<Value: Sendable>: Sendable {
    private struct Waiter {
        var isWanted: @Sendable (Value) -> Bool
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var value: Value
        var waiters: [Int: Waiter] = [:]
        var cancelled: Set<Int> = []
        var nextID = 0
    }

    private let state: Mutex<State>

    package init(_ value: Value) { state = Mutex(State(value: value)) }

    package var value: Value { state.withLock { $0.value } }

    package func change(_ body: (inout Value) -> Void) {
        let awake = state.withLock { state in
            body(&state.value)
            let ready = state.waiters.filter { $0.value.isWanted(state.value) }
            for id in ready.keys { state.waiters[id] = nil }
            return ready.values.map(\.continuation)
        }
        awake.forEach { $0.resume() }
    }

    /// Returns once the value is as wanted. Throws when the test is cancelled, as it is at its time limit.
    package func until(_ isWanted: @escaping @Sendable (Value) -> Bool) async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let known = state.withLock { state -> Result<Void, any Error>? in
                    if state.cancelled.remove(id) != nil { return .failure(CancellationError()) }
                    if isWanted(state.value) { return .success(()) }
                    state.waiters[id] = Waiter(isWanted: isWanted, continuation: continuation)
                    return nil
                }
                if let known { continuation.resume(with: known) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                let waiter = state.waiters.removeValue(forKey: id)
                if waiter == nil { state.cancelled.insert(id) }
                return waiter
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }
}
