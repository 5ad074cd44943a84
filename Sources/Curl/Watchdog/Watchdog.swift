internal import CCurl
internal import Glibc
internal import Synchronization

/// Ends the connection that keeps the engine's thread inside one call of libcurl.
///
/// libcurl reads from a connection until nothing has come or something is for it to hand over. A server that goes on sending what is
/// neither (empty frames of HTTP/2, pings, a refusing proxy's page) keeps it reading for as long as the server likes, and every other
/// transfer waits. Nothing that libcurl calls back can end that, so another thread looks on. It wakes up only when the engine's thread
/// has used some time of a processor, and looks at sockets only when a call lasts longer than any should.
final class Watchdog: Sendable {
    private struct State {
        var sockets = OpenSockets()
        /// Those that it ended and that the engine hasn't heard of.
        var disconnected: Set<SocketOpening> = []
        var thread: pthread_t?
        var isOver = false
    }

    static let threadName = "curl-watchdog"
    /// Between two looks, in time that the engine's thread has used. Kernels tick every one to ten milliseconds, and look no oftener.
    private static let periodNanoseconds = 2_000_000
    private static let firstPauseMilliseconds: Int32 = 1
    private static let longestPauseMilliseconds: Int32 = 16
    /// From one connection, since the engine was seen in a call, with less than half of it handed over in the same call. What an honest
    /// server puts around a piece of body counts as handed over with it, so that one which sends bytes one at a time is slow and no more.
    static let readBytesMax: Int64 = 64 << 10

    private let state = Mutex(State())
    /// Odd while the engine is in a call of libcurl, another number for each call and for each piece of body that it hands over.
    private let step = Atomic<UInt64>(0)
    /// Bytes of body in this step, with what frames them. For the engine's thread alone, like all that moves the steps on.
    private let handedOver = Atomic<Int>(0)
    private let hasDisconnected = Atomic<Bool>(false)

    /// Begins to watch a thread; answers an errno, 0 when it does.
    func watch(_ thread: pthread_t) -> Int32 {
        var clock = clockid_t()
        let error = pthread_getcpuclockid(thread, &clock)
        return error != 0 ? error : startThread(named: Self.threadName, stackBytes: 1 << 18) { self.run(clock) }.error
    }

    /// Said by the watched thread before it ends.
    func close() {
        state.withLock { state in
            state.isOver = true
            // Its thread leaves under this same lock only, so it is still there.
            if let thread = state.thread { rf_wake(thread) }
        }
    }
}

/// The watched thread's side.
extension Watchdog {
    func callBegins() {
        handedOver.store(0, ordering: .relaxed)
        move(by: 1)
    }

    /// Answers which sockets were disconnected meanwhile.
    func callEnded() -> Set<SocketOpening> {
        move(by: 1)
        guard hasDisconnected.load(ordering: .acquiring) else { return [] }
        return state.withLock { state in
            hasDisconnected.store(false, ordering: .relaxed)
            defer { state.disconnected = [] }
            return state.disconnected
        }
    }

    /// What is read to be handed over is no stall, however much of it there is.
    func handsOver(_ bytes: Int) {
        let sum = handedOver.load(ordering: .relaxed) + bytes
        let isMuch = sum >= Self.readBytesMax / 2
        handedOver.store(isMuch ? 0 : sum, ordering: .relaxed)
        if isMuch { move(by: 2) }
    }

    func opened(_ socket: Int32, _ place: KeptConnections.Place?) -> SocketOpening {
        state.withLock { $0.sockets.opened(socket, place) }
    }

    /// Before it is closed: from here on its number may be another's.
    func closes(_ socket: Int32) { state.withLock { $0.sockets.closed(socket) } }

    private func move(by distance: UInt64) {
        // Nobody else writes, so there is nothing to do at once.
        step.store(step.load(ordering: .relaxed) &+ distance, ordering: .releasing)
    }
}

/// The watching thread's side.
extension Watchdog {
    private func run(_ clock: clockid_t) {
        var timer: timer_t?
        // Without a timer of the system's it looks as often, by the clock on the wall.
        let isTimed = rf_start_cpu_timer(clock, Self.periodNanoseconds, &timer) == 0
        let isOver = state.withLock { state in
            state.thread = pthread_self()
            return state.isOver
        }
        while !isOver, !state.withLock({ $0.isOver }) {
            rf_wait_for_wake(isTimed ? -1 : Self.periodNanoseconds)
            look()
        }
        if isTimed { timer_delete(timer) }
    }

    private func look() {
        let seen = step.load(ordering: .acquiring)
        var pause = Self.firstPauseMilliseconds
        guard seen % 2 == 1, isStill(seen, after: pause) else { return }
        let before = state.withLock { $0.sockets }.readings()
        while isStill(seen, after: pause) {
            if let socket = before.first(where: { $0.grown() >= Self.readBytesMax }) { return disconnect(socket, seen) }
            pause = min(2 * pause, Self.longestPauseMilliseconds)
        }
    }

    private func isStill(_ seen: UInt64, after milliseconds: Int32) -> Bool {
        poll(nil, 0, milliseconds)
        return step.load(ordering: .acquiring) == seen
    }

    private func disconnect(_ socket: OpenSockets.Reading, _ seen: UInt64) {
        state.withLock { state in
            guard state.sockets.has(socket), step.load(ordering: .acquiring) == seen else { return }
            // First, for the call can end before the next line; who asks then waits for the lock.
            state.disconnected.insert(socket.opening)
            hasDisconnected.store(true, ordering: .releasing)
            // A shutdown would leave what has come, and let more come.
            rf_disconnect(socket.descriptor)
        }
    }
}
