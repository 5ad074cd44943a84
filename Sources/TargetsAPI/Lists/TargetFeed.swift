package import Health

/// One client's list as the daemon knows it, and the guard that keeps a suspiciously short answer from emptying it.
///
/// A failed sync isn't told to the feed: it changes nothing.
package struct TargetFeed: Sendable {
    package enum Outcome: Hashable, Sendable {
        case applied(ListChange)
        /// The answer would lose `lost` of `of` known targets; the list stays as it was.
        case held(lost: Int, of: Int)
    }

    /// So few may go at once without a question, unless they are all.
    package static let freeLosses = 5
    /// So many answers in a row that agree on what is left are believed.
    package static let agreeingAnswers = 3

    /// The known list, without the guard's held one.
    package private(set) var targets: [Target]
    /// Of the last answer, held or not.
    package private(set) var rejected: [RejectedRecord] = []
    private let shrinkGuard: Double
    private let isAtStake: @Sendable (TargetIdentity) -> Bool
    /// Missing from the last answer and kept all the same: the next one decides.
    package private(set) var spared: Set<TargetIdentity> = []
    private var held: (targets: [Target], identities: Set<TargetIdentity>, answers: Int)?

    /// - Parameters:
    ///   - targets: the remembered list, from before a restart.
    ///   - shrinkGuard: the share of the known targets that one answer may lose: 0.5 for `50%`.
    ///   - isAtStake: whether a target is down or may be about to be. Such a one leaves when two answers in a row lack it: a list that was
    ///     wrong once would end its alert, and begin another.
    package init(
        targets: [Target] = [], shrinkGuard: Double, isAtStake: @escaping @Sendable (TargetIdentity) -> Bool = { _ in false }
    ) {
        self.targets = targets
        self.shrinkGuard = shrinkGuard
        self.isAtStake = isAtStake
    }

    /// Whether an answer is being held, for `rangefinder_sync_held`.
    package var isHolding: Bool { held != nil }

    /// Takes in the answer of a sync that succeeded.
    ///
    /// - Parameter counts: whether it is one of those that have to agree: answers to news of a change, or to a person, come as often as somebody likes.
    package mutating func receive(_ list: TargetList, counts: Bool = true) -> Outcome {
        rejected = list.rejected
        let answered = list.targets + lastGoodForms(missingFrom: list)
        // Nearly every answer says what the one before it said; the form that is known already stays, and with it its memory.
        if answered == targets, held == nil {
            spared = []
            return .applied(ListChange(unchanged: targets.count))
        }
        return receive(answered, Set(answered.map(\.identity)), counts)
    }

    /// - Parameter identities: those of `answered`.
    private mutating func receive(_ answered: [Target], _ identities: Set<TargetIdentity>, _ counts: Bool) -> Outcome {
        let missing = targets.filter { !identities.contains($0.identity) }
        guard isSuspicious(lost: missing.count) else {
            let kept = missing.filter { !spared.contains($0.identity) && isAtStake($0.identity) }
            spared = Set(kept.map(\.identity))
            return .applied(apply(answered + kept))
        }
        let answers = (held?.identities == identities ? held?.answers ?? 0 : 0) + (counts ? 1 : 0)
        guard answers < Self.agreeingAnswers else {
            spared = []
            return .applied(apply(answered))
        }
        held = (answered, identities, answers)
        return .held(lost: missing.count, of: targets.count)
    }

    /// Takes in that the answer was, byte for byte, the last one that was received.
    package mutating func receiveAgain(counts: Bool = true) -> Outcome {
        if let held { return receive(held.targets, held.identities, counts) }
        guard !spared.isEmpty else { return .applied(ListChange(unchanged: targets.count)) }
        let answered = targets.filter { !spared.contains($0.identity) }
        return receive(answered, Set(answered.map(\.identity)), counts)
    }

    /// Lets the held answer through. nil when none is held.
    package mutating func accept() -> ListChange? { held.map { apply($0.targets) } }

    private func isSuspicious(lost: Int) -> Bool {
        guard lost > 0 else { return false }
        return lost == targets.count || lost > Self.freeLosses && Double(lost) > shrinkGuard * Double(targets.count)
    }

    /// Known targets whose record can no longer be read keep the form in which it last could.
    private func lastGoodForms(missingFrom list: TargetList) -> [Target] {
        guard !list.rejected.isEmpty else { return [] }
        let read = Set(list.targets.map(\.identity))
        let unreadable = Set(list.rejected.compactMap(\.identity)).subtracting(read)
        return targets.filter { unreadable.contains($0.identity) }
    }

    private mutating func apply(_ next: [Target]) -> ListChange {
        let change = ListChange(from: targets, to: next)
        targets = next
        held = nil
        return change
    }
}
