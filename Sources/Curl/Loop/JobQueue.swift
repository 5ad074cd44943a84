/// The tasks that prefer the engine's thread, and for how long they may keep it.
struct JobQueue {
    /// An answer that comes meanwhile is seen late, and its processing phase is too long by that.
    private static let nanosecondsPerTurn: UInt64 = 150_000
    /// As long as the sockets took, where that was longer: a socket that is always ready would leave nothing for starts and ends.
    private static let nanosecondsPerTurnMax: UInt64 = 10_000_000

    private let executor: UnownedTaskExecutor
    private var jobs = BurstQueue<UnownedJob>()

    init(_ executor: EngineExecutor) { self.executor = executor.asUnownedTaskExecutor() }

    var isEmpty: Bool { jobs.isEmpty }

    mutating func append(_ job: UnownedJob) { jobs.append(job) }

    /// Runs one at least, where there is one. What a job enqueues comes by the mailbox, later.
    ///
    /// - Parameter socketNanoseconds: for which the sockets were served in this turn.
    mutating func run(socketNanoseconds: UInt64) {
        guard !jobs.isEmpty else { return }
        let end = monotonicNanoseconds() + max(Self.nanosecondsPerTurn, min(socketNanoseconds, Self.nanosecondsPerTurnMax))
        repeat {
            jobs.popFirst()?.runSynchronously(on: executor)
        } while !jobs.isEmpty && monotonicNanoseconds() < end
    }

    mutating func runAll() {
        while !jobs.isEmpty { run(socketNanoseconds: 0) }
    }
}
