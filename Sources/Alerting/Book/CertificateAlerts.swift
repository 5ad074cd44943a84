import Health

/// Of which subjects an alert about a certificate fires, and when such an alert may end.
struct CertificateAlerts: Sendable {
    /// So often, and for so long, another certificate is seen before it is believed: it may be that of one of several servers.
    private static let (betterMin, betterFor) = (3, Duration.seconds(600))

    private var subjects: Set<String> = []
    /// Since when another certificate is seen, and how often.
    private var improving: [String: (since: ContinuousClock.Instant, count: Int)] = [:]

    var isEmpty: Bool { subjects.isEmpty }

    func contains(_ subject: String) -> Bool { subjects.contains(subject) }

    mutating func note(_ subject: String, fires: Bool) {
        if fires { subjects.insert(subject) } else { subjects.remove(subject) }
        improving[subject] = nil
    }

    /// What is to fire. What becomes worse is so at once.
    ///
    /// - Parameters:
    ///   - known: those that fire or wait, the worse one first.
    ///   - firing: those of them that fire.
    ///   - notice: of the result at hand; nil when that says nothing of a certificate.
    mutating func wanted(
        _ subject: String, known: [AlertKind], firing: [AlertKind], after notice: CertificateNotice?,
        at now: ContinuousClock.Instant
    ) -> [AlertKind] {
        guard let notice else { return known }
        let wanted = AlertKind.wanted(notice)
        let isBetter = firing.first.map { $0 == .certificateUrgent ? !wanted.contains($0) : wanted.isEmpty } ?? false
        guard isBetter else {
            improving[subject] = nil
            return wanted
        }
        guard notice.isWhole else { return known }
        var seen = improving[subject] ?? (since: now, count: 0)
        seen.count += 1
        let isBelieved = seen.count >= Self.betterMin && seen.since.duration(to: now) >= Self.betterFor
        improving[subject] = isBelieved ? nil : seen
        // What only waited has to be seen again.
        return isBelieved ? wanted : firing
    }
}
