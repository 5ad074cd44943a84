internal import HeapModule

/// How long a good answer may be used again. A failed one never is.
package enum LookupReuse: Hashable, Sendable {
    /// So many nanoseconds; 0: it isn't used again.
    case atMost(nanoseconds: UInt64)
    /// The answer's own time to live, from 1 to 60 seconds; of an answer without one, 1 second.
    case timeToLive

    package static func atMost(_ duration: Duration) -> LookupReuse { .atMost(nanoseconds: duration.boundedNanoseconds) }

    package static let never = LookupReuse.atMost(nanoseconds: 0)

    /// - Parameter timeToLive: in seconds; nil for an answer that has none.
    func nanoseconds(timeToLive: UInt32?) -> UInt64 {
        switch self {
        case .atMost(let nanoseconds): nanoseconds
        case .timeToLive: UInt64(min(max(timeToLive ?? 1, 1), 60)) * 1_000_000_000
        }
    }
}

/// Good answers that may be used again. All times are nanoseconds of the monotonic clock.
///
/// It has a bound. A full cache remembers no further name until the time of one that it has is over. Names are looked up in turn, and so a cache that
/// forgets for a new name what it has would forget each name before its turn comes again.
struct LookupCache {
    private struct Remembered {
        let addresses: [SocketAddress]
        let timeToLive: UInt32?
        let at: UInt64
        /// Nobody who asked would use it later than this.
        let until: UInt64
    }

    private struct End: Comparable {
        let until: UInt64
        let name: LookupName

        static func < (left: End, right: End) -> Bool { left.until < right.until }
    }

    static let namesMax = 200_000
    /// Answers whose time is over are taken out at once with those that come.
    private static let dropsPerAnswer = 4

    private let namesMax: Int
    private var answers: [LookupName: Remembered] = [:]
    private var ends = Heap<End>()

    init(namesMax: Int = Self.namesMax) { self.namesMax = namesMax }

    var count: Int { answers.count }

    /// nil where there is none that is young enough.
    func recall(_ name: LookupName, _ reuse: LookupReuse, now: UInt64) -> [SocketAddress]? {
        guard reuse != .never, let answer = answers[name] else { return nil }
        // The answer may be newer than the transfer that asks: it waited for another name meanwhile.
        let age = now > answer.at ? now - answer.at : 0
        return age <= reuse.nanoseconds(timeToLive: answer.timeToLive) ? answer.addresses : nil
    }

    /// - Parameter keep: how long, for those who asked.
    mutating func remember(_ name: LookupName, _ addresses: [SocketAddress], timeToLive: UInt32?, at: UInt64, keep: UInt64) {
        for _ in 0..<Self.dropsPerAnswer { dropOne(now: at) }
        guard keep > 0, answers[name] != nil || answers.count < namesMax else { return }
        let until = at + keep
        answers[name] = Remembered(addresses: addresses, timeToLive: timeToLive, at: at, until: until)
        ends.insert(End(until: until, name: name))
    }

    private mutating func dropOne(now: UInt64) {
        guard let first = ends.min, first.until < now else { return }
        ends.removeMin()
        if answers[first.name]?.until == first.until { answers[first.name] = nil }
    }
}
