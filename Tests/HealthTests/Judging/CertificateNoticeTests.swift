import Health
import Testing

@Suite struct CertificateNoticeTests {
    private static let start = Timestamp(milliseconds: 1_700_000_000_000)

    private func result(_ outcome: Outcome, expiresIn days: Double?, status: Int? = 200, tls: Bool = true) -> ProbeResult {
        var result = ProbeResult(
            target: TargetIdentity(clientID: "c", key: "a"), startedAt: Self.start, duration: .milliseconds(5), outcome: outcome)
        result.facts.certificateExpiry = days.map { Self.start + .milliseconds(Int64($0 * 86_400_000)) }
        (result.facts.httpStatus, result.facts.usedTLS) = (status, tls)
        return result
    }

    @Test(arguments: [
        (20, CertificateNotice.Grade.fine), (14, .fine), (13.9, .soon), (3, .soon), (2.9, .urgent), (0.1, .urgent), (0, .expired),
    ])
    func timeLeftIsItsGrade(days: Double, grade: CertificateNotice.Grade) {
        #expect(CertificateNotice(result(.good, expiresIn: days), days: 14)?.grade == grade)
        // Whatever else came of it.
        #expect(CertificateNotice(result(.bad(.statusUnexpected), expiresIn: days, status: 500), days: 14)?.grade == grade)
    }

    @Test func whatSawNoCertificateSaysNothingOfIt() {
        #expect(CertificateNotice(result(.bad(.connectRefused), expiresIn: nil, status: nil, tls: false), days: 14) == nil)
        #expect(CertificateNotice(result(.bad(.certificateUntrusted), expiresIn: nil, status: nil), days: 14) == nil)
        var void = result(.good, expiresIn: 1)
        void.void = .tainted
        #expect(CertificateNotice(void, days: 14) == nil)
    }

    @Test func anAnswerWithoutTLSHasNoneAnyMoreAndAnExpiredOneSaysWhen() {
        #expect(CertificateNotice(result(.good, expiresIn: nil, tls: false), days: 14)?.grade == .fine)
        var expired = result(.bad(.certificateExpired), expiresIn: nil, status: nil)
        expired.facts.presentedExpiry = Self.start + .seconds(-60)
        #expect(CertificateNotice(expired, days: 14) == .init(.expired, expiry: Self.start + .seconds(-60)))
        #expect(CertificateNotice(expired, days: 0)?.grade == .fine)
    }
}
