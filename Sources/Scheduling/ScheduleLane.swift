import DequeModule
import Health
import HeapModule

/// A target's due time, or its wait for a start. `generation` tells a target from an earlier one in the same slot.
struct ScheduleItem: Comparable {
    var at: Int64
    var slot: Int
    var generation: UInt32

    static func < (a: Self, b: Self) -> Bool { (a.at, a.slot) < (b.at, b.slot) }
}

/// How busy the thread of a lane is.
package struct LaneLoad: Hashable, Sendable {
    /// For so long the thread has not waited, since any beginning.
    package var busy: Duration
    /// How long the thread took lately between two looks at its sockets.
    package var lag: Duration
    /// Starts that were handed to the thread and have not begun.
    package var waiting: Int

    package init(busy: Duration, lag: Duration, waiting: Int) {
        (self.busy, self.lag, self.waiting) = (busy, lag, waiting)
    }
}

/// What one engine thread has to start: the due times of its targets, and the starts that wait.
struct ScheduleLane: Sendable {
    /// A thread that takes longer than this between two looks at its sockets gets no more starts: the answers that are there come first.
    static let lagMax = Duration.milliseconds(25)
    /// So many starts may be on their way to the thread, or as many as fall due in so many seconds. Many changed targets at once must not keep the
    /// others from their due times.
    static let startsMin = 32
    static let startsAhead = 0.02
    static let startsAheadAtEase = 0.25
    /// As many cheap starts as wait for each other: see ``coalescing``.
    static let startsTogether = 7.0
    /// For how many seconds a start may keep the thread busy and still count as cheap.
    static let cheapStart = 0.000_15
    /// In seconds.
    static let coalescingMin = 0.002
    static let coalescingMax = 0.01

    var heap = Heap<ScheduleItem>()
    /// The starts that wait, each queue in order of arrival, with the time of it; entries that have gone since are skipped when their turn comes.
    /// The first queue goes before the second.
    private var waiting = (first: Deque<ScheduleItem>(), others: Deque<ScheduleItem>())
    /// The thread had no room for the first of those that wait.
    var waitsForRoom = false
    var pace = RoundPace()
    private(set) var plannedPerSecond = 0.0

    /// Starts that fall due within this are made in one go: waking up is what a cheap probe costs most above the transfer itself. As long as
    /// ``startsTogether`` take to fall due. A dear start, with a handshake, would wait behind the others, here and at the server: so it is shorter for
    /// starts that cost more than ``cheapStart``.
    var coalescing: Duration {
        let window = min(Self.startsTogether / max(1, plannedPerSecond), Self.coalescingMax)
        let dearness = max(1, (pace.cost ?? Self.cheapStart) / Self.cheapStart)
        return .microseconds(Int64(max(window / dearness, Self.coalescingMin) * 1e6))
    }

    mutating func replace(_ old: Duration?, with new: Duration?) {
        pace.longestInterval = max(pace.longestInterval, new?.nanoseconds ?? 0)
        plannedPerSecond = max(0, plannedPerSecond + (new.map { 1 / $0.inSeconds } ?? 0) - (old.map { 1 / $0.inSeconds } ?? 0))
    }

    mutating func takeDue(now: Int64) -> ScheduleItem? {
        guard let first = heap.min, first.at <= now else { return nil }
        return heap.removeMin()
    }

    /// - Parameter isFirst: before all that aren't.
    mutating func wait(_ item: ScheduleItem, isFirst: Bool = false) {
        if isFirst { waiting.first.append(item) } else { waiting.others.append(item) }
    }

    var hasWaiting: Bool { !waiting.first.isEmpty || !waiting.others.isEmpty }

    /// The longest waiting of one of the two queues.
    func longestWaiting(ofFirst isFirst: Bool) -> ScheduleItem? { isFirst ? waiting.first.first : waiting.others.first }

    mutating func removeLongestWaiting(ofFirst isFirst: Bool) {
        if isFirst { waiting.first.removeFirst() } else { waiting.others.removeFirst() }
    }

    mutating func observe(_ load: LaneLoad?, now: Int64) {
        guard let load else { return }
        let oldest = [true, false].compactMap { longestWaiting(ofFirst: $0)?.at }.min()
        pace.observe(
            busy: load.busy.nanoseconds, waiting: load.waiting, oldestWait: oldest.map { now - $0 }, plannedPerSecond, now: now)
    }

    /// How many starts the thread takes now.
    ///
    /// - Parameter load: nil for a thread that takes all there are.
    func room(_ load: LaneLoad?) -> Int {
        guard let load else { return .max }
        guard load.lag <= Self.lagMax else { return 0 }
        let ahead = waitsForRoom || pace.isOverloaded ? Self.startsAhead : Self.startsAheadAtEase
        return max(0, max(Self.startsMin, Int(plannedPerSecond * ahead)) - load.waiting)
    }
}
