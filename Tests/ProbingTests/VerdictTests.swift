@testable import Curl
import Health
import Testing

@testable import Probing

@Suite struct VerdictTests {
    private let now: Int64 = 1_700_000_000
    private let day: Int64 = 86_400

    private func verdict(expiriesInDays days: [Int64]) -> Outcome {
        var answer = TransferReport(startedAt: .now, startedAtMilliseconds: now * 1000)
        answer.status = 200
        answer.certificates = days.map {
            CertificateFacts(subject: "CN=x", issuer: "CN=y", notBeforeSeconds: 0, notAfterSeconds: now + $0 * day)
        }
        let target = Target(identity: .init(clientID: "c", key: "t"), name: "n", baseURL: "https://x", testPath: "/", region: "r")
        let order = ProbeOrder(target: target, policy: ProbePolicy(), egress: EgressRule())
        return Verdict(answer: answer, order: order, duration: .milliseconds(5)).outcome
    }

    @Test func aCertificateWithFewDaysLeftIsPoor() {
        #expect(verdict(expiriesInDays: [13]) == .poor(.certificateExpiring))
        #expect(verdict(expiriesInDays: [60, 13]) == .poor(.certificateExpiring))
        #expect(verdict(expiriesInDays: [15, 60]) == .good)
    }

    @Test func anExpiredOneThatVerificationDidNotNeedIsNone() {
        #expect(verdict(expiriesInDays: [60, -100]) == .good)
        #expect(verdict(expiriesInDays: [13, -100]) == .poor(.certificateExpiring))
    }
}
