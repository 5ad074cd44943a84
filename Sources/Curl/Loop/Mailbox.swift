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
}

/// How the other threads reach the engine's: messages under a lock, and an eventfd that epoll watches.
final class Mailbox: Sendable {
    private struct State {
        var messages: [Message] = []
        var isClosed = false
    }

    private let state = Mutex(State())
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
        if wasEmpty { wake() }
        return accepted
    }

    func close() {
        state.withLock { $0.isClosed = true }
        wake()
    }

    /// All messages since the last time, in order. For the engine's thread alone.
    func take() -> (messages: [Message], isClosed: Bool) {
        var count: UInt64 = 0
        _ = read(descriptor, &count, MemoryLayout<UInt64>.size)
        return state.withLock { state in
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
