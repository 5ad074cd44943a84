/// The first looks at targets after a restart: what was seen before may be over by now, and nothing is said of it before.
struct FirstLooks: Sendable {
    private struct Unseen: Sendable {
        /// So long it is waited for.
        let patience: Duration
        var until: ContinuousClock.Instant
    }

    /// By the key of what alerts are about.
    private var unseen: [String: Unseen] = [:]
    /// Looked at since ``release(at:)``.
    private var seen: Set<String> = []
    private var releasedAt: ContinuousClock.Instant?

    var areAwaited: Bool { !unseen.isEmpty }
    /// Some are awaited, or were made and are not yet known of.
    var areUnsettled: Bool { !unseen.isEmpty || !seen.isEmpty }

    func awaits(_ subject: String) -> Bool { unseen[subject] != nil }

    func hides(_ subject: String) -> Bool { unseen[subject] != nil || seen.contains(subject) }

    mutating func expect(_ subject: String, for patience: Duration, at now: ContinuousClock.Instant) {
        guard patience > .zero else { return }
        unseen[subject] = Unseen(patience: patience, until: now.advanced(by: patience))
    }

    /// - Parameter isDecided: false of a look after which another is waited for.
    mutating func observe(_ subject: String, isDecided: Bool, at now: ContinuousClock.Instant) {
        guard !unseen.isEmpty, let waited = unseen[subject] else { return }
        if isDecided { forget(subject) } else { unseen[subject]?.until = now.advanced(by: waited.patience) }
    }

    /// It is waited for no longer.
    mutating func forget(_ subject: String) {
        if unseen.removeValue(forKey: subject) != nil { seen.insert(subject) }
    }

    /// Those that were looked at since, or whose time is over; once a second at most, for there may be many. nil when there are none.
    mutating func release(at now: ContinuousClock.Instant) -> Set<String>? {
        guard areUnsettled, releasedAt.map({ $0.duration(to: now) >= .seconds(1) }) ?? true else { return nil }
        let late = unseen.filter { $0.value.until <= now }.map(\.key)
        for subject in late { unseen[subject] = nil }
        let released = seen.union(late)
        guard !released.isEmpty else { return nil }
        (seen, releasedAt) = ([], now)
        return released
    }
}
