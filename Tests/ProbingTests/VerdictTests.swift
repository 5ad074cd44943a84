@testable import Curl
import Health
import Testing

@testable import Probing

@Suite struct VerdictTests {
    private let now: Int64 = 1_700_000_000
    private let day: Int64 = 86_400

    /// - Parameters:
    ///   - chain: days left of those that verification took.
    ///   - sent: and of those that the server sent.
    private func verdict(chain: [Int64], sent: [Int64]? = nil) -> Outcome {
        var answer = TransferReport(startedAt: .now, startedAtMilliseconds: now * 1000)
        answer.status = 200
        (answer.verifiedChain, answer.certificates) = (certificates(chain), certificates(sent ?? chain))
        let target = Target(identity: .init(clientID: "c", key: "t"), name: "n", baseURL: "https://x", testPath: "/", region: "r")
        let order = ProbeOrder(target: target, policy: ProbePolicy(), egress: EgressRule())
        return Verdict(answer: answer, order: order, duration: .milliseconds(5)).outcome
    }

    private func certificates(_ days: [Int64]) -> [CertificateFacts] {
        days.map { CertificateFacts(subject: "CN=x", issuer: "CN=y", notBeforeSeconds: 0, notAfterSeconds: now + $0 * day) }
    }

    @Test func aCertificateWithFewDaysLeftIsPoor() {
        #expect(verdict(chain: [13]) == .poor(.certificateExpiring))
        #expect(verdict(chain: [60, 13]) == .poor(.certificateExpiring))
        #expect(verdict(chain: [15, 60]) == .good)
    }

    @Test(arguments: [5, -100]) func oneThatVerificationDidNotTakeChangesNothing(daysLeft: Int64) {
        #expect(verdict(chain: [60, 900], sent: [60, 900, daysLeft]) == .good)
        #expect(verdict(chain: [13, 900], sent: [13, 900, daysLeft]) == .poor(.certificateExpiring))
    }
}
