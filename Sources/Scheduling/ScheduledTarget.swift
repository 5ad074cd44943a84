import Health

/// How much a target needs its next probe.
enum Urgency: UInt8, Sendable, CaseIterable {
    /// Down, and probed to see when it comes back.
    case down
    case settled
    /// Its latest results contradict its status.
    case undecided
}

/// One target in a ``Schedule``. Times are in nanoseconds since the schedule's origin: a Duration takes twice the room, and a hundred thousand of
/// these are kept.
struct ScheduledTarget: Sendable {
    let target: TargetIdentity
    private(set) var interval: Int64
    private(set) var fastInterval: Int64
    private(set) var latenessMax: Int64
    var nextDue: Int64
    var recheckDue: Int64?
    /// Due, but no place was free.
    var waitingDue: Int64?
    /// The first of its due times that has come without a start: a later one takes its place, but makes the wait no shorter, and neither
    /// does being passed over. A re-check's time is none of them.
    var waitingSince: Int64?
    var startedAt: Int64 = 0
    /// When it last started, in the time of its lane's rounds (``RoundPace``); nil before the first start.
    var lookedAt: Int64?
    /// The number of the round in which that was; nil where the lane or the interval has changed since.
    var round: Int64?
    let generation: UInt32
    var lane: UInt8
    var urgency = Urgency.settled
    /// It was changed and is to be probed now: no re-check that the budget is for. Stays until a probe of it starts.
    var isAtOnce = false
    var inFlight = false
    var waitsForRecheck = false
    /// Its thread had no room for its last due time.
    var wasPassedOver = false

    init(target: TargetIdentity, _ rhythm: ProbeInterval, lane: UInt8, generation: UInt32, nextDue: Int64) {
        (self.target, self.lane, self.generation, self.nextDue) = (target, lane, generation, nextDue)
        interval = max(1, rhythm.interval.nanoseconds)
        fastInterval = rhythm.fastInterval.nanoseconds
        latenessMax = rhythm.latenessMax.nanoseconds
    }

    mutating func adopt(_ rhythm: ProbeInterval) {
        if interval != rhythm.interval.nanoseconds { round = nil }
        interval = max(1, rhythm.interval.nanoseconds)
        fastInterval = rhythm.fastInterval.nanoseconds
        latenessMax = rhythm.latenessMax.nanoseconds
    }
}
