internal import Glibc
internal import HeapModule

/// Runs tasks on the engine's own thread, between its looks at the sockets.
///
/// Waking another thread costs more than all that a probe's task has to do; from here a transfer is begun, and its report taken up,
/// without waking anyone. What runs here must be quick: the sockets wait for it. After the engine has shut down, tasks go on elsewhere.
package final class EngineExecutor: TaskExecutor {
    private let mailbox: Mailbox

    init(_ mailbox: Mailbox) { self.mailbox = mailbox }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if !mailbox.post(.run(job)) { globalConcurrentExecutor.enqueue(job) }
    }
}

/// The continuous clock, whose sleepers the engine's thread wakes: to the millisecond, and never early.
package struct EngineClock: Clock {
    package typealias Instant = ContinuousClock.Instant

    private let engine: TransferEngine

    package init(_ engine: TransferEngine) { self.engine = engine }

    package var now: Instant { .now }
    package var minimumResolution: Duration { .milliseconds(1) }

    package func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        await engine.nap(Instant.now.duration(to: deadline))
        try Task.checkCancellation()
        // The engine has shut down, and nobody will wake anyone there.
        if deadline > .now { try await ContinuousClock().sleep(until: deadline, tolerance: tolerance) }
    }
}

/// Tasks that wait for a time on the engine's thread.
struct Naps {
    /// Those of naps that were cut short stay until their time.
    private var deadlines = Heap<Deadline>()
    private var continuations: [UInt64: CheckedContinuation<Void, Never>] = [:]

    /// When the next one is over, or was before it was cut short.
    var next: UInt64? { deadlines.min?.nanoseconds }

    mutating func begin(_ id: UInt64, until deadline: UInt64, _ continuation: CheckedContinuation<Void, Never>) {
        continuations[id] = continuation
        deadlines.insert(Deadline(nanoseconds: deadline, id: id))
    }

    /// The one that is cut short.
    mutating func end(_ id: UInt64) -> CheckedContinuation<Void, Never>? { continuations.removeValue(forKey: id) }

    mutating func takeOver(now: UInt64) -> [CheckedContinuation<Void, Never>] {
        var over: [CheckedContinuation<Void, Never>] = []
        while let first = deadlines.min, first.nanoseconds <= now || continuations[first.id] == nil {
            deadlines.removeMin()
            if let continuation = continuations.removeValue(forKey: first.id) { over.append(continuation) }
        }
        return over
    }

    mutating func takeAll() -> [CheckedContinuation<Void, Never>] {
        defer { continuations = [:] }
        return Array(continuations.values)
    }
}
