internal import CCurl
internal import DequeModule
internal import Glibc
internal import Synchronization

/// The threads that ask the system's resolver. They are kept for a while: otherwise each of a thousand lookups a second would start one.
///
/// How many work at a time is the ``LookupTable``'s to bound. One that hangs in the resolver is not waited for.
final class LookupThreads: Sendable {
    private struct State {
        var names = Deque<LookupName>()
        /// Threads that wait for a name.
        var idle = 0
        var isClosed = false
    }

    /// How long one without work stays.
    private static let patienceSeconds = 10

    private let state = Mutex(State())
    // Made once and never moved, as sem_t wants it.
    private nonisolated(unsafe) let arrivals: UnsafeMutablePointer<sem_t>

    init() {
        arrivals = .allocate(capacity: 1)
        sem_init(arrivals, 0, 0)
    }

    deinit {
        sem_destroy(arrivals)
        arrivals.deallocate()
    }

    /// Has a thread look it up; answers an errno, 0 when one will.
    ///
    /// - Parameter work: the same at each call.
    func take(_ name: LookupName, _ work: @escaping @Sendable (LookupName) -> Void) -> Int32 {
        let hasIdle = state.withLock { state in
            state.names.append(name)
            return state.idle >= state.names.count
        }
        if hasIdle {
            sem_post(arrivals)
            return 0
        }
        let error = startThread(named: NameResolver.lookupThreadName, stackBytes: 1 << 18) { self.run(work) }
        guard error != 0 else { return 0 }
        // Another thread may have taken it meanwhile; then it is under way all the same.
        let isThere = state.withLock { state in
            guard let index = state.names.lastIndex(of: name) else { return false }
            state.names.remove(at: index)
            return true
        }
        return isThere ? error : 0
    }

    /// Those without work end now, the others when they are done.
    func close() {
        let idle = state.withLock { state in
            state.isClosed = true
            return state.idle
        }
        for _ in 0..<idle { sem_post(arrivals) }
    }

    private func run(_ work: (LookupName) -> Void) {
        while let name = next() { work(name) }
    }

    /// Waits for a name; nil when none came for long.
    private func next() -> LookupName? {
        while true {
            let name = state.withLock { state -> LookupName? in
                if let name = state.names.popFirst() { return name }
                if !state.isClosed { state.idle += 1 }
                return nil
            }
            if let name { return name }
            if state.withLock({ $0.isClosed }) { return nil }
            let isLate = !hasArrival()
            let (last, isOver) = state.withLock { state in
                state.idle -= 1
                let isOver = isLate || state.isClosed
                return (isOver ? state.names.popFirst() : nil, isOver)
            }
            if isOver { return last }
        }
    }

    private func hasArrival() -> Bool {
        var until = timespec()
        clock_gettime(CLOCK_REALTIME, &until)
        until.tv_sec += Self.patienceSeconds
        while sem_timedwait(arrivals, &until) != 0 {
            if errno != EINTR { return false }
        }
        return true
    }
}
