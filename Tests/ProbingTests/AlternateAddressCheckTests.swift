import Glibc
import Health
import Synchronization
import TestSupport
import Testing

@testable import Curl
@testable import Probing

/// A name with several addresses of loopback, some of which nothing listens on.
private struct ManyAddresses {
    let engine: TransferEngine
    var policy = ProbePolicy(userAgent: "test")
    var egress = EgressRule(allow: ["127.0.0.0/8"].compactMap { CIDR($0) })

    init(_ addresses: [String]) throws {
        let sorted = addresses.compactMap { SocketAddress($0) }.sorted()
        engine = try TransferEngine(resolver: { _ in .addresses(sorted) })
        policy.timeout = .seconds(5)
    }

    func probe(_ port: Int, turn: UInt64 = 0, known: OtherAddresses? = nil) async -> ProbeReport {
        let target = Target(
            identity: TargetIdentity(clientID: "c", key: "t"), name: "n", baseURL: "http://many.test:\(port)", testPath: "/",
            region: "r")
        let prober = Prober(transfer: engine.transfer(_:), wallClock: { Timestamp(milliseconds: 1) })
        return await prober.probe(
            ProbeOrder(target: target, policy: policy, egress: egress, turn: turn, otherAddresses: known))
    }
}

@Suite struct AlternateAddressCheckTests {
    @Test func oneDeadAddressAmongLivingOnesIsPoorAndNamed() async throws {
        let server = try LoopbackServer { _ in .http(200) }
        let many = try ManyAddresses(["127.0.0.1", "127.0.0.9"])
        let report = await many.probe(server.port, turn: 1)
        #expect(report.result.outcome == .poor(.addressFailing))
        #expect(report.result.sentence.contains("127.0.0.9") && report.result.sentence.contains("refused"))
        #expect(report.result.sentence.contains("these answer: 127.0.0.1"))
        #expect(report.result.facts.address == "127.0.0.9" && report.result.facts.httpStatus == nil)
        #expect(report.otherAddresses?.answering.map(\.text) == ["127.0.0.1"])
        #expect(await many.probe(server.port, turn: 0).result.outcome == .good)
    }

    @Test func noLivingAddressIsBad() async throws {
        let (descriptor, port) = try boundSocket("127.0.0.1")
        defer { close(descriptor) }
        let report = try await ManyAddresses(["127.0.0.1", "127.0.0.8", "127.0.0.9"]).probe(port, turn: 1)
        #expect(report.result.outcome == .bad(.connectRefused))
        #expect(report.result.sentence.contains("neither did its other addresses answer (127.0.0.9, 127.0.0.1)"))
    }

    @Test func anAnswerThatIsNotAsExpectedIsNone() async throws {
        let server = try LoopbackServer { _ in .http(500) }
        let report = try await ManyAddresses(["127.0.0.1", "127.0.0.9"]).probe(server.port, turn: 1)
        #expect(report.result.outcome == .bad(.connectRefused))
    }

    @Test func aRedirectIsAnAnswer() async throws {
        let server = try LoopbackServer { _ in .http(302, headers: ["Location: /elsewhere"]) }
        let report = try await ManyAddresses(["127.0.0.1", "127.0.0.9"]).probe(server.port, turn: 1)
        #expect(report.result.outcome == .poor(.addressFailing))
    }

    @Test(arguments: ["POST", "PUT", "DELETE", "PATCH", "SETTLE"], [(405, true), (501, true), (204, true), (503, false)])
    func whatIsNotSafeIsNotSentAgain(method: String, answer: (status: Int, isLife: Bool)) async throws {
        let server = try LoopbackServer { _ in .http(answer.status) }
        var many = try ManyAddresses(["127.0.0.1", "127.0.0.9"])
        (many.policy.method, many.policy.body) = (method, .plain("pay 10 euros"))
        many.policy.bodyMatches = "paid"
        let report = await many.probe(server.port, turn: 1)
        #expect(report.result.outcome == (answer.isLife ? .poor(.addressFailing) : .bad(.connectRefused)))
        #expect(server.requests.map(\.method) == ["HEAD"])
        #expect(server.requests.first?.body.isEmpty == true)
    }

    /// It accepts everywhere and answers nowhere: that is an outage, whatever its addresses.
    @Test func aConnectionAloneIsNoAnswer() async throws {
        let server = try ConnectionServer(address: "0.0.0.0") { $0.waitForClose() }
        var many = try ManyAddresses(["127.0.0.1", "127.0.0.9"])
        (many.policy.method, many.policy.timeout) = ("POST", .milliseconds(300))
        #expect(await many.probe(server.port).result.outcome.reason != nil)
    }

    @Test func thereIsOneLookAnInterval() async throws {
        let server = try LoopbackServer { _ in .http(200) }
        let many = try ManyAddresses(["127.0.0.1", "127.0.0.9"])
        let first = await many.probe(server.port, turn: 1)
        #expect(server.requests.count == 1)
        let second = await many.probe(server.port, turn: 1, known: first.otherAddresses)
        #expect(second.result.outcome == .poor(.addressFailing) && second.otherAddresses == first.otherAddresses)
        #expect(server.requests.count == 1)
    }

    @Test func whatWasFoundAliveAndFailsNowExcusesNobody() async throws {
        let (descriptor, port) = try boundSocket("127.0.0.1")
        defer { close(descriptor) }
        let addresses = ["127.0.0.1", "127.0.0.9"].compactMap { SocketAddress($0) }
        let known = OtherAddresses(tried: addresses, answering: [addresses[0]])
        let report = try await ManyAddresses(["127.0.0.1", "127.0.0.9"]).probe(port, turn: 0, known: known)
        #expect(report.result.outcome == .bad(.connectRefused))
        #expect(report.otherAddresses?.answering == [])
    }

    @Test func aLookThatIsCutShortSaysNothing() async throws {
        let silent = try LoopbackServer { _ in .silence }
        let many = try ManyAddresses(["127.0.0.1", "127.0.0.9"])
        let probing = Task { await many.probe(silent.port, turn: 1) }
        try await silent.until { $0.count == 1 }
        probing.cancel()
        let report = await probing.value
        #expect(report.result.void == .cancelled && report.otherAddresses == nil)
    }

    @Test func whatAnsweredIsNotLookedAtAgain() async throws {
        let server = try LoopbackServer { _ in .http(500) }
        let report = try await ManyAddresses(["127.0.0.1", "127.0.0.9"]).probe(server.port, turn: 0)
        #expect(report.result.outcome == .bad(.statusUnexpected))
        #expect(report.otherAddresses == nil && server.requests.count == 1)
    }

    @Test func deniedAddressesAreNotLookedAt() async throws {
        let server = try ConnectionServer(address: "0.0.0.0") { $0.answer() }
        let (descriptor, port) = try boundSocket("127.0.0.1")
        defer { close(descriptor) }
        var many = try ManyAddresses(["127.0.0.1", "127.0.0.2"])
        many.egress = EgressRule(allow: ["127.0.0.1"].compactMap { CIDR($0) })
        let report = await many.probe(port)
        #expect(report.result.outcome == .bad(.connectRefused) && report.otherAddresses == nil)
        #expect(server.connections == 0)
    }

    @Test func atMostEightAreTried() async throws {
        let (descriptor, port) = try boundSocket("127.0.0.1")
        defer { close(descriptor) }
        let report = try await ManyAddresses((1...20).map { "127.0.0.\($0)" }).probe(port, turn: 17)
        #expect(
            report.otherAddresses?.tried.map(\.text)
                == ["127.0.0.19", "127.0.0.20"] + (1...6).map { "127.0.0.\($0)" })
    }

    @Test func takesNoLongerThanTheNextRecheckCanWait() {
        var policy = ProbePolicy()
        #expect(AlternateAddressCheck.timeout(policy, failedAfter: .milliseconds(1)) == .seconds(2))
        #expect(AlternateAddressCheck.timeout(policy, failedAfter: .seconds(10)) == .seconds(1))
        policy.timeout = .milliseconds(500)
        #expect(AlternateAddressCheck.timeout(policy, failedAfter: .zero) == .milliseconds(500))
    }
}
