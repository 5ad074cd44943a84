import Synchronization

/// A clock that stands still until it is told to go on, and says who sleeps on it. After swift-async-algorithms' test clock.
package final class ManualClock: Clock, Sendable {
    package struct Instant: InstantProtocol {
        package var offset: Duration
        package func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        package func duration(to other: Instant) -> Duration { other.offset - offset }
        package static func < (a: Self, b: Self) -> Bool { a.offset < b.offset }
    }

    private struct Sleeper {
        var deadline: Instant
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now = Instant(offset: .zero)
        var sleepers: [Int: Sleeper] = [:]
        var cancelled: Set<Int> = []
        var nextID = 0
        /// Told that someone else sleeps.
        var watchers: [CheckedContinuation<Bool, Never>] = []
    }

    private let state = Mutex(State())

    package init() {}

    package var now: Instant { state.withLock(\.now) }
    package var minimumResolution: Duration { .nanoseconds(1) }

    package func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let (isOver, watchers) = state.withLock {
                    state -> (Result<Void, any Error>?, [CheckedContinuation<Bool, Never>]) in
                    if state.cancelled.contains(id) { return (.failure(CancellationError()), []) }
                    if deadline <= state.now { return (.success(()), []) }
                    state.sleepers[id] = Sleeper(deadline: deadline, continuation: continuation)
                    defer { state.watchers = [] }
                    return (nil, state.watchers)
                }
                if let isOver { continuation.resume(with: isOver) }
                watchers.forEach { $0.resume(returning: false) }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                state.cancelled.insert(id)
                return state.sleepers.removeValue(forKey: id)
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Returns once someone sleeps on this clock. Whom ``advance(by:)`` has woken doesn't count any more.
    package func untilSomeoneSleeps() async {
        _ = await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
            let isAsleep = state.withLock { state in
                if state.sleepers.isEmpty { state.watchers.append(continuation) }
                return !state.sleepers.isEmpty
            }
            if isAsleep { continuation.resume(returning: true) }
        }
    }

    /// Returns once someone sleeps on this clock until so long after now.
    package func untilSomeoneSleeps(for duration: Duration) async {
        var isAsleep = false
        while !isAsleep {
            isAsleep = await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
                let isThere = state.withLock { state in
                    let isThere = state.sleepers.values.contains { $0.deadline == state.now.advanced(by: duration) }
                    if !isThere { state.watchers.append(continuation) }
                    return isThere
                }
                if isThere { continuation.resume(returning: true) }
            }
        }
    }

    package func advance(by duration: Duration) {
        let due = state.withLock { state -> [Sleeper] in
            state.now = state.now.advanced(by: duration)
            let ids = state.sleepers.filter { $0.value.deadline <= state.now }.map(\.key)
            return ids.compactMap { state.sleepers.removeValue(forKey: $0) }
        }
        due.forEach { $0.continuation.resume() }
    }

    /// Goes to the next deadline that someone sleeps for.
    package func advanceToNextSleeper() async {
        await untilSomeoneSleeps()
        let step = state.withLock { state in
            (state.sleepers.values.map(\.deadline).min()).map { state.now.duration(to: $0) }
        }
        if let step { advance(by: step) }
    }
}
