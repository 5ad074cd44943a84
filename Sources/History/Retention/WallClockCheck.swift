internal import Health

/// Compares the wall clock with the monotonic clock: rows that are deleted because the clock jumped ahead would be gone for good.
struct WallClockCheck {
    /// A smaller jump deletes rows too early by this much at most.
    static let jumpMin = Duration.seconds(600)
    static let distrust = Duration.seconds(3600)

    /// The wall clock at the start of the monotonic one, as of the last check.
    private var origin: Timestamp?
    private var distrustUntil = Duration.zero
    private(set) var isSteady = true

    /// A start long after the newest result may follow a long rest, or the clock is ahead. It counts as a jump, because nobody knows which.
    mutating func begin(wall: Timestamp, newest: Timestamp?) {
        guard let newest, wall - newest > Self.jumpMin else { return }
        (distrustUntil, isSteady) = (Self.distrust, false)
    }

    /// Returns by how much the wall clock has jumped since the last check, when it has.
    mutating func check(wall: Timestamp, elapsed: Duration) -> Duration? {
        let now = wall + (.zero - elapsed)
        defer { origin = now }
        let jump = origin.map { now - $0 } ?? .zero
        let hasJumped = jump > Self.jumpMin || jump < .zero - Self.jumpMin
        if hasJumped { distrustUntil = elapsed + Self.distrust }
        isSteady = elapsed >= distrustUntil
        return hasJumped ? jump : nil
    }
}
