/// How many results of a kind came in a row, up to now.
package struct Streaks: Hashable, Sendable {
    package enum Kind: Hashable, Sendable { case good, poor, bad }

    /// Unbounded, because it is shown; the others stop at what the judge needs, so that a steady target's state stays the same.
    package var bad: Int { Int(badCount) }
    package var notGood: Int { Int(notGoodCount) }
    package var good: Int { Int(goodCount) }
    package var answered: Int { Int(answeredCount) }
    // Small, because a hundred thousand targets have them.
    private var badCount: UInt32
    private var notGoodCount: UInt16
    private var goodCount: UInt16
    private var answeredCount: UInt16
    /// The start of the first probe of the run of bad ones.
    package private(set) var badSince: Timestamp?
    /// The start of the first probe of the run of good or poor ones.
    package private(set) var answeredSince: Timestamp?

    package init(
        bad: Int = 0, notGood: Int = 0, good: Int = 0, answered: Int = 0, badSince: Timestamp? = nil,
        answeredSince: Timestamp? = nil
    ) {
        badCount = UInt32(clamping: bad)
        notGoodCount = UInt16(clamping: notGood)
        goodCount = UInt16(clamping: good)
        answeredCount = UInt16(clamping: answered)
        self.badSince = badSince
        self.answeredSince = answeredSince
    }

    /// The kind of the last result that counted.
    package var latest: Kind? {
        if bad > 0 { return .bad }
        if good > 0 { return .good }
        return notGood > 0 ? .poor : nil
    }

    /// Counts one result. `limit` is the longest run that the judge will ask about.
    mutating func count(_ outcome: Outcome, startedAt: Timestamp, limit: Int) {
        if outcome.isSuccess {
            if answered == 0 { answeredSince = startedAt }
            answeredCount = UInt16(clamping: min(answered + 1, limit))
            (badCount, badSince) = (0, nil)
        } else {
            if bad == 0 { badSince = startedAt }
            badCount = UInt32(clamping: bad + 1)
            (answeredCount, answeredSince) = (0, nil)
        }
        if outcome == .good {
            goodCount = UInt16(clamping: min(good + 1, limit))
            notGoodCount = 0
        } else {
            goodCount = 0
            notGoodCount = UInt16(clamping: min(notGood + 1, limit))
        }
    }
}
