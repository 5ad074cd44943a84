internal import CCurl
internal import Glibc
internal import Synchronization

/// A request on its way to the engine's thread.
struct Submission: Sendable {
    let id: UInt64
    let request: TransferRequest
    let continuation: CheckedContinuation<TransferReport, Never>
}

enum Message: Sendable {
    case submit(Submission)
    case cancel(UInt64)
    case lookedUp(LookupName, LookupAnswer)
    case nap(UInt64, until: UInt64, CheckedContinuation<Void, Never>)
    case endNap(UInt64)
    case run(UnownedJob)
    case closeKept
}

/// How the other threads reach the engine's: messages under a lock, and an eventfd that epoll watches.
final class Mailbox: Sendable {
    private struct State {
        var messages: [Message] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    /// The engine's thread, by its pthread id; 0 before it runs.
    private let owner = Atomic<UInt>(0)
    /// Readable while there is something to take.
    let descriptor: Int32

    init() throws(TransferFailure) {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard descriptor >= 0 else { throw .local("eventfd", errno) }
    }

    deinit { Glibc.close(descriptor) }

    /// False when the mailbox is closed: the message is not delivered then.
    @discardableResult
    func post(_ message: Message) -> Bool {
        let (accepted, wasEmpty) = state.withLock { state in
            guard !state.isClosed else { return (false, false) }
            state.messages.append(message)
            return (true, state.messages.count == 1)
        }
        // The engine takes all there is at once, so only the first message after that needs to wake it.
        // What it posts to itself it finds before it waits.
        if wasEmpty, owner.load(ordering: .relaxed) != UInt(pthread_self()) { wake() }
        return accepted
    }

    /// Said once, by the engine's thread.
    func belongsToThisThread() { owner.store(UInt(pthread_self()), ordering: .relaxed) }

    func close() {
        state.withLock { $0.isClosed = true }
        wake()
    }

    var isEmpty: Bool { state.withLock { $0.messages.isEmpty && !$0.isClosed } }

    /// The descriptor is readable no longer. For the engine's thread alone, before ``take()``.
    func clearWake() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, MemoryLayout<UInt64>.size)
    }

    /// All messages since the last time, in order. For the engine's thread alone.
    func take() -> (messages: [Message], isClosed: Bool) {
        state.withLock { state in
            defer { state.messages = [] }
            return (state.messages, state.isClosed)
        }
    }

    private func wake() {
        var one: UInt64 = 1
        // It fails only when the counter is full, and then the engine is awake.
        _ = write(descriptor, &one, MemoryLayout<UInt64>.size)
    }
}
