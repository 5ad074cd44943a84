import Health

/// A token bucket: how many fast re-checks may start, as a share of the planned starts a second.
///
/// When many targets fail at once, their re-checks would multiply the load just when the prober or its uplink may be the trouble.
struct RecheckBudget: Sendable {
    /// What the smallest list may always spend a second: a share of next to nothing would leave a few targets without re-checks.
    static let floorPerSecond = 10.0

    private let share: Double
    private(set) var plannedPerSecond = 0.0
    private var tokens = RecheckBudget.floorPerSecond
    private var filledAt: Int64 = 0

    init(share: Double) { self.share = share }

    var ratePerSecond: Double { max(share * plannedPerSecond, Self.floorPerSecond) }

    /// A target's interval was added, changed or taken away.
    mutating func replace(_ old: Duration?, with new: Duration?) {
        plannedPerSecond += (new.map { 1 / $0.inSeconds } ?? 0) - (old.map { 1 / $0.inSeconds } ?? 0)
        plannedPerSecond = max(0, plannedPerSecond)
    }

    /// Takes one start, when there is one. `now` is in nanoseconds.
    mutating func take(now: Int64) -> Bool {
        let elapsed = Double(max(0, now - filledAt)) / 1e9
        filledAt = max(filledAt, now)
        // No more than a second's worth is saved up.
        tokens = min(tokens + elapsed * ratePerSecond, ratePerSecond)
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }
}
