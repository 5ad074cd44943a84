import Health

/// How a lane stands against its capacity.
package struct LaneOverload: Hashable, Sendable {
    /// Starts that fall due in a second.
    package var plannedPerSecond: Double
    /// How many intervals a round of all targets takes; 1 without overload. The starts that fall due, over those that the lane can make.
    package var stretch: Double

    package init(plannedPerSecond: Double, stretch: Double) {
        (self.plannedPerSecond, self.stretch) = (plannedPerSecond, stretch)
    }

    package var isOverloaded: Bool { stretch > 1 }
    /// Starts that an overloaded lane can make in a second.
    package var capacityPerSecond: Double { plannedPerSecond / stretch }
}

/// Which due times an overloaded lane passes over, so that the others are on time and everybody is looked at once before anybody is again.
///
/// The lane's rounds have a time of their own. It runs as fast as the clock, and past the lane's capacity slower: by ``stretch``. A target's round
/// is as long as its interval, in this time. A due time is admitted when the target's next round has begun. So each target is looked at once a
/// round, at one of its due times. Rounds of virtual time are those of fair queueing (Demers, Keshav, Shenker 1989).
///
/// Where in its round a target begins follows from its urgency first, and from its phase: undecided targets first, settled `down` ones last.
struct RoundPace: Sendable {
    /// How much of its thread's time an overloaded lane plans with. The rest takes up what varies.
    static let utilization = 0.94
    /// Below this share the thread has time to spare, however late a start was.
    static let busyShareOfOverload = 0.9
    /// A start that waits longer for its thread is a sign of overload; and in overload, that the lane takes on too much.
    static let waitOfOverload: Int64 = 100_000_000
    static let waitInOverload: Int64 = 300_000_000
    static let latenessInOverload: Int64 = 500_000_000
    static let windowLength: Int64 = 1_000_000_000
    /// After so many windows in which the lane could have made all starts the overload is over.
    static let windowsOfRecovery = 3

    /// How much longer than an interval a round takes; 1 without overload.
    private(set) var stretch = 1.0
    /// Since the window began.
    var started = 0
    var passedOver = 0
    private var windowBeganAt: Int64?
    private var busyBefore: Int64 = 0
    private var recovered = 0
    /// The time of the rounds, and the clock when it was so late.
    private var roundTime: Int64 = 0
    private var roundTimeAt: Int64 = 0
    /// In the time of the rounds.
    private var overloadBeganAt: Int64 = 0
    private var counts = [Int](repeating: 0, count: Urgency.allCases.count)

    var isOverloaded: Bool { stretch > 1 }

    /// The time of the rounds. All times are in nanoseconds.
    func time(at now: Int64) -> Int64 {
        isOverloaded ? roundTime + Int64(Double(now - roundTimeAt) / stretch) : roundTime + now - roundTimeAt
    }

    /// As many intervals as the round takes, and one more for the due time; at least `intervals`.
    func intervalsTolerated(_ intervals: Int) -> Int {
        isOverloaded ? max(intervals, Int(stretch.rounded(.up)) + 1) : intervals
    }

    /// Targets of this urgency came or went.
    mutating func count(_ urgency: Urgency, by change: Int) { counts[Int(urgency.rawValue)] += change }

    /// How late a probe of the target may start. In overload a start that waits keeps others waiting, too.
    func latenessMax(_ target: ScheduledTarget) -> Int64 {
        isOverloaded ? min(target.latenessMax, Self.latenessInOverload) : target.latenessMax
    }

    /// Whether no other target of the lane can have waited for more intervals.
    func isLongest(_ target: ScheduledTarget, now: Int64) -> Bool {
        isOverloaded && Double(now - target.startedAt) > (stretch.rounded(.up) - 0.5) * Double(target.interval)
    }

    /// Whether the target's next round has begun.
    func admits(_ target: ScheduledTarget, now: Int64) -> Bool {
        guard isOverloaded else { return true }
        let time = time(at: now)
        // Where nobody has been looked at, as after a start, the first round begins with the overload.
        let lookedAt = target.lookedAt ?? overloadBeganAt
        // A target that became less urgent is not put off for more than a round.
        guard time - lookedAt < target.interval else { return true }
        let offset = offset(target)
        return (time + offset).flooredQuotient(by: target.interval) > (lookedAt + offset).flooredQuotient(by: target.interval)
    }

    /// The larger it is, the earlier the target's rounds begin. Each urgency has a part of the round that is as large as its share of the targets: so
    /// starts are spread evenly over the round.
    func offset(_ target: ScheduledTarget) -> Int64 {
        let total = max(1, counts.reduce(0, +))
        let below = counts[..<Int(target.urgency.rawValue)].reduce(0, +)
        let place = Double((stableHash(target.target) &* 0x9e37_79b9_7f4a_7c15) >> 11) * 0x1p-53
        let share = (Double(below) + place * Double(counts[Int(target.urgency.rawValue)])) / Double(total)
        return min(target.interval - 1, Int64(Double(target.interval) * share))
    }

    /// Looks at the lane's load, once a window.
    ///
    /// - Parameters:
    ///   - busy: for so long the thread has not waited, since any beginning.
    ///   - oldestWait: how long the first of the waiting starts has waited.
    mutating func observe(busy: Int64, oldestWait: Int64?, _ plannedPerSecond: Double, now: Int64) {
        guard let beganAt = windowBeganAt else { return beginWindow(busy, now) }
        let length = now - beganAt
        guard length >= Self.windowLength else { return }
        let busyShare = min(1, max(0.01, Double(busy - busyBefore) / Double(length)))
        let isPressed = passedOver > 0 || (oldestWait ?? 0) > (isOverloaded ? Self.waitInOverload : Self.waitOfOverload)
        if started > 0, isOverloaded || isPressed && busyShare >= Self.busyShareOfOverload {
            let capacity = Double(started) / (Double(length) / 1e9 * busyShare) * Self.utilization
            adopt(plannedPerSecond / capacity * (isPressed ? 1.05 : 1), now)
        }
        beginWindow(busy, now)
    }

    private mutating func adopt(_ wanted: Double, _ now: Int64) {
        recovered = wanted <= 1 ? recovered + 1 : 0
        let new = isOverloaded ? stretch + (wanted - stretch) / 2 : wanted
        (roundTime, roundTimeAt) = (time(at: now), now)
        if !isOverloaded { overloadBeganAt = roundTime }
        stretch = recovered >= Self.windowsOfRecovery ? 1 : max(isOverloaded ? 1.0001 : 1, new)
    }

    private mutating func beginWindow(_ busy: Int64, _ now: Int64) {
        (windowBeganAt, busyBefore, started, passedOver) = (now, busy, 0, 0)
    }
}
