/// Time for which the engine's thread stood still, by no choice of its own: the process was stopped, the machine was suspended, or it had no
/// processor for the thread. What a transfer saw meanwhile says nothing of its server.
struct Standstills {
    /// What is shorter is the ordinary life of a busy machine.
    static let shortest: UInt64 = 100_000_000
    /// The longest wait while transfers are under way: a standstill within a wait is seen by what it is longer.
    static let waitMax: UInt64 = 200_000_000

    /// Of all so far, in nanoseconds.
    private(set) var total: UInt64 = 0
    private var lookedAt: UInt64?
    /// For how long the machine was suspended since it was started: the monotonic clock stands still then.
    private var suspended: UInt64 = 0

    /// The thread says that it runs. Both clocks in nanoseconds.
    ///
    /// - Parameter asked: for how long it was to wait since it said so last.
    mutating func check(monotonic: UInt64, boottime: UInt64, asked: UInt64) {
        let (before, suspendedBefore) = (lookedAt, suspended)
        lookedAt = monotonic
        suspended = boottime > monotonic ? boottime - monotonic : 0
        guard let before else { return }
        let passed = monotonic > before ? monotonic - before : 0
        for lost in [passed > asked ? passed - asked : 0, suspended > suspendedBefore ? suspended - suspendedBefore : 0]
        where lost >= Self.shortest {
            total += lost
        }
    }
}
