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
    /// For the transfers that wait for it. The time is in nanoseconds of the monotonic clock: when the resolver had the answer.
    case lookedUp(LookupName, LookupAnswer, at: UInt64, for: [UInt64])
    /// For the transfer that waits for it.
    case bundleRead(UInt64)
    case nap(UInt64, until: UInt64, CheckedContinuation<Void, Never>)
    case endNap(UInt64)
    case run(UnownedJob)
    case closeKept

    /// Nothing that was posted before can be meant by it.
    fileprivate var begins: Bool {
        switch self {
        case .submit, .nap, .run: true
        case .cancel, .lookedUp, .bundleRead, .endNap, .closeKept: false
        }
    }
}

/// How the other threads reach the engine's: messages under a lock, and an eventfd that epoll watches.
final class Mailbox: Sendable {
    private struct State {
        var messages: [Message] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    /// What the engine's thread begins by itself: the tasks that run there begin most of all, and need neither lock nor wake-up for it.
    // Touched by that thread alone.
    private nonisolated(unsafe) var own: [Message] = []
    /// The engine's thread has taken its last message.
    private nonisolated(unsafe) var isOver = false
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
        if message.begins, isOwner {
            if !isOver { own.append(message) }
            return !isOver
        }
        let (accepted, wasEmpty) = state.withLock { state in
            guard !state.isClosed else { return (false, false) }
            state.messages.append(message)
            return (true, state.messages.count == 1)
        }
        // The engine takes all there is at once, so only the first message after that needs to wake it.
        // What it posts to itself it finds before it waits.
        if wasEmpty, !isOwner { wake() }
        return accepted
    }

    private var isOwner: Bool { owner.load(ordering: .relaxed) == UInt(pthread_self()) }

    /// Said once, by the engine's thread.
    func belongsToThisThread() { owner.store(UInt(pthread_self()), ordering: .relaxed) }

    func close() {
        state.withLock { $0.isClosed = true }
        wake()
    }

    /// For the engine's thread alone.
    var isEmpty: Bool { own.isEmpty && state.withLock { $0.messages.isEmpty && !$0.isClosed } }

    /// The descriptor is readable no longer. For the engine's thread alone, before ``take(into:)``.
    func clearWake() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, MemoryLayout<UInt64>.size)
    }

    /// Puts all messages since the last time into an empty array, in order; answers whether they are the last. For the engine's thread
    /// alone.
    ///
    /// Its own come first: they begin something, and what ends it may stand among the others.
    func take(into messages: inout [Message]) -> Bool {
        swap(&own, &messages)
        return state.withLock { state in
            messages += state.messages
            state.messages.removeAll(keepingCapacity: state.messages.capacity < 1024)
            isOver = state.isClosed
            return isOver
        }
    }

    private func wake() {
        var one: UInt64 = 1
        // It fails only when the counter is full, and then the engine is awake.
        _ = write(descriptor, &one, MemoryLayout<UInt64>.size)
    }
}
