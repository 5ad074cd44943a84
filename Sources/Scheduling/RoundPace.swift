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
    /// The loop of an overloaded lane turns at least once a second: in a longer window the process stood still, and nothing in it says what the
    /// lane can do. Without overload, next to nothing fell due in it.
    static let windowMax: Int64 = 2_500_000_000
    /// So many windows in a row show an overload, and so many in which the lane could have made all starts its end.
    static let windowsOfOverload = 2
    static let windowsOfRecovery = 3
    static let stretchMax = 100.0
    /// What fewer starts in a window cost says little.
    static let startsOfCost = 10

    /// How much longer than an interval a round takes; 1 without overload.
    private(set) var stretch = 1.0
    /// How many seconds a start keeps the thread busy, lately; nil as long as that isn't known.
    private(set) var cost: Double?
    /// Since the window began.
    var started = 0
    var passedOver = 0
    private var windowBeganAt: Int64?
    private var busyBefore: Int64 = 0
    private var waitingBefore = 0
    private var pressed = 0
    private var recovered = 0
    /// The most that was tolerated lately, and until when: what an overload has put off comes only after it.
    private var toleratedLately = (intervals: 0, until: Int64.min)
    /// Of all targets that the lane has had.
    var longestInterval: Int64 = 0
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
    func intervalsTolerated(_ intervals: Int, now: Int64) -> Int {
        max(intervals, isOverloaded ? intervalsOfRound + 1 : 0, now < toleratedLately.until ? toleratedLately.intervals : 0)
    }

    private var intervalsOfRound: Int { Int(stretch.rounded(.up)) }

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
        // The offset changes with the urgencies of all. A round that the target has had is counted by the offset of its look.
        let hadRound = target.round ?? round(of: target, at: lookedAt)
        return round(of: target, at: time) > hadRound
    }

    /// The number of the target's round.
    ///
    /// - Parameter time: of the rounds.
    func round(of target: ScheduledTarget, at time: Int64) -> Int64 {
        (time + offset(target)).flooredQuotient(by: target.interval)
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
    ///   - waiting: starts that were handed to the thread and have not begun.
    ///   - oldestWait: how long the first of the waiting starts has waited.
    mutating func observe(busy: Int64, waiting: Int, oldestWait: Int64?, _ plannedPerSecond: Double, now: Int64) {
        guard let beganAt = windowBeganAt, now - beganAt <= Self.windowMax else { return beginWindow(busy, waiting, now) }
        let length = now - beganAt
        guard length >= Self.windowLength else { return }
        // What the thread has begun, and not what was handed to it.
        let made = started - (waiting - waitingBefore)
        noteCost(Double(busy - busyBefore) / 1e9, of: made)
        let busyShare = min(1, max(0.01, Double(busy - busyBefore) / Double(length)))
        let isPressed = passedOver > 0 || (oldestWait ?? 0) > (isOverloaded ? Self.waitInOverload : Self.waitOfOverload)
        pressed = isPressed && busyShare >= Self.busyShareOfOverload ? pressed + 1 : 0
        if isOverloaded || pressed >= Self.windowsOfOverload {
            if made > 0 {
                let capacity = Double(made) / (Double(length) / 1e9 * busyShare) * Self.utilization
                adopt(plannedPerSecond / capacity * (isPressed ? 1.05 : 1), now)
            } else if !isPressed, busyShare < Self.busyShareOfOverload {
                // Nothing is left to do.
                adopt(0, now)
            }
        }
        beginWindow(busy, waiting, now)
    }

    private mutating func noteCost(_ busy: Double, of made: Int) {
        guard made >= Self.startsOfCost else { return }
        let latest = max(1e-6, busy / Double(made))
        cost = cost.map { $0 + (latest - $0) / 4 } ?? latest
    }

    private mutating func adopt(_ wanted: Double, _ now: Int64) {
        recovered = wanted <= 1 ? recovered + 1 : 0
        // A window that something else has spoiled is no reason for more than twice the round.
        let new = min(isOverloaded ? min(stretch + (wanted - stretch) / 2, stretch * 2) : wanted, Self.stretchMax)
        (roundTime, roundTimeAt) = (time(at: now), now)
        if !isOverloaded { overloadBeganAt = roundTime }
        if isOverloaded {
            let intervals = max(intervalsOfRound + 1, now < toleratedLately.until ? toleratedLately.intervals : 0)
            toleratedLately = (intervals, now + Int64(intervals) * longestInterval)
        }
        stretch = recovered >= Self.windowsOfRecovery ? 1 : max(isOverloaded ? 1.0001 : 1, new)
    }

    private mutating func beginWindow(_ busy: Int64, _ waiting: Int, _ now: Int64) {
        (windowBeganAt, busyBefore, waitingBefore, started, passedOver) = (now, busy, waiting, 0, 0)
    }
}
