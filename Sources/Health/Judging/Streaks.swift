/// How many results of a kind came in a row, up to now.
package struct Streaks: Hashable, Sendable {
    package enum Kind: Hashable, Sendable { case good, poor, bad }

    /// Unbounded, because it is shown; the others stop at what the judge needs, so that a steady target's state stays the same.
    package private(set) var bad: Int
    package private(set) var notGood: Int
    package private(set) var good: Int
    package private(set) var answered: Int
    /// The start of the first probe of the run of bad ones.
    package private(set) var badSince: Timestamp?
    /// The start of the first probe of the run of good or poor ones.
    package private(set) var answeredSince: Timestamp?

    package init(
        bad: Int = 0, notGood: Int = 0, good: Int = 0, answered: Int = 0, badSince: Timestamp? = nil,
        answeredSince: Timestamp? = nil
    ) {
        self.bad = bad
        self.notGood = notGood
        self.good = good
        self.answered = answered
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
            answered = min(answered + 1, limit)
            (bad, badSince) = (0, nil)
        } else {
            if bad == 0 { badSince = startedAt }
            bad += 1
            (answered, answeredSince) = (0, nil)
        }
        if outcome == .good {
            good = min(good + 1, limit)
            notGood = 0
        } else {
            good = 0
            notGood = min(notGood + 1, limit)
        }
    }
}
