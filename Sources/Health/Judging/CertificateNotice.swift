/// What a result says of its target's certificate, whatever else came of the probe.
package struct CertificateNotice: Hashable, Sendable {
    /// How much time is left; `fine` also where no certificate is asked for.
    package enum Grade: Hashable, Sendable { case fine, soon, urgent, expired }

    package var grade: Grade
    package var expiry: Timestamp?
    /// The probe went to its end: only then may what it saw be all that there is. A redirect's first hop says nothing good of the second.
    package var isWhole: Bool

    /// With less time than that somebody has to act today.
    private static let urgent: Duration = .seconds(3 * 86_400)

    package init(_ grade: Grade, expiry: Timestamp? = nil, isWhole: Bool = true) {
        (self.grade, self.expiry, self.isWhole) = (grade, expiry, isWhole)
    }

    /// nil of a result that says nothing of it: void, or without an answer and without a certificate that is worth a word.
    ///
    /// - Parameter days: fewer days left are to be told of (`expect.certificate_days`); 0 for never.
    package init?(_ result: ProbeResult, days: Int) {
        guard result.void == nil else { return nil }
        guard days > 0 else {
            self.init(.fine)
            return
        }
        if result.outcome.reason == .certificateExpired {
            self.init(.expired, expiry: result.facts.certificateExpiry ?? result.facts.presentedExpiry)
            return
        }
        let isWhole = result.outcome.isSuccess || [.statusUnexpected, .bodyMismatch].contains(result.outcome.reason)
        guard let expiry = result.facts.certificateExpiry else {
            // It answers without TLS, and has none any more.
            guard isWhole, result.facts.httpStatus != nil, !result.facts.usedTLS else { return nil }
            self.init(.fine)
            return
        }
        let left = expiry - result.startedAt
        let grade: Grade =
            left <= .zero ? .expired : left >= .seconds(days * 86_400) ? .fine : left < Self.urgent ? .urgent : .soon
        guard isWhole || grade != .fine else { return nil }
        self.init(grade, expiry: expiry, isWhole: isWhole)
    }
}
