import Foundation
import Glibc
import Health
import Probing
import TestSupport
import Testing
import HostileTargets

@testable import Curl

/// Every reason there is, provoked on a real socket, and what its sentence must say for a person on call to act on it.
@Suite struct ReasonTests {
    /// How one reason comes about.
    struct Scenario: Sendable, CustomTestStringConvertible {
        let reason: Reason
        /// Of the hostile targets, where a hostileCase of it does that.
        var hostileCase: String?
        /// What is done, where no hostileCase does it.
        var probe: (@Sendable () async throws -> ProbeResult)?
        let words: [String]

        var testDescription: String { reason.rawValue }
    }

    /// One row for every reason.
    static let scenarios = [
        row(.dnsFailed, "has a name that does not resolve", "unknown.hostile", "can't be looked up", "not known"),
        row(.addressDenied, "has a name with a denied address", "forbidden.hostile", "127.0.0.2", "egress.allow"),
        row(.connectRefused, "listens no more", "127.0.0.1, port", "refused the connection", "nothing listens"),
        row(.connectTimeout, "listens and accepts nobody", "did not accept a connection within"),
        row(.connectReset, "resets in its body", "port", "reset the connection"),
        row(.connectionClosed, "closes at once", "port", "closed the connection without an answer"),
        Scenario(reason: .networkUnreachable, probe: { try await probeBroadcast() }, words: ["no route to 127.255.255.255"]),
        row(.tlsHandshakeFailed, "speaks only TLS 1.0", "TLS handshake", "failed", "protocol"),
        row(.certificateExpired, "has an expired certificate", "certificate expired", "days ago", "CN=old", "issuer"),
        row(.certificateNotYetValid, "has a certificate of the future", "not valid for another", "CN=new", "clocks"),
        row(
            .certificateUntrusted, "has signed its certificate itself", "not signed by a known authority", "CN=Nobody", "ca_file"),
        row(.certificateNameMismatch, "has a certificate for another name", "not for 127.0.0.1", "CN=other"),
        row(.timeout, "accepts and says nothing", "no complete answer within", "waiting for the answer"),
        row(.protocolError, "promises two lengths", "does not speak HTTP as it should", "Content-Length"),
        row(.tooManyRedirects, "redirects to itself", "more than 5 redirects", "follow_redirects", "expect 302"),
        row(.redirectDenied, "redirects to a denied address", "redirected to 127.0.0.2", "egress.allow"),
        row(.bodyTooLarge, "has a body without end", "max_body", "1048576 bytes"),
        Scenario(
            reason: .proxyFailed, probe: { try await probeThroughNothing() }, words: ["the proxy 127.0.0.1", "nothing is known"]),
        Scenario(
            reason: .bodyMismatch, probe: { try await probeBody() },
            words: ["HTTP 200", "body_matches", "it begins", "maintenance"]),
        Scenario(reason: .statusUnexpected, probe: { try await probeStatus() }, words: ["HTTP 503", "200-399 was expected"]),
        Scenario(reason: .urlInvalid, probe: { try await probeUserInfo() }, words: ["user name or password", "set a header"]),
        Scenario(
            reason: .proberFault, probe: { try await probeWithoutBundle() }, words: ["our own trouble", "certificate file"]),
    ]

    @Test func everyReasonHasAScenario() {
        let reasons = Self.scenarios.map(\.reason)
        #expect(Set(reasons) == Set(Reason.allCases) && Set(reasons).count == reasons.count)
    }

    @Test(arguments: scenarios) func comesAboutAndSaysWhatToDo(_ scenario: Scenario) async throws {
        let result = try await Self.result(of: scenario)
        #expect(result.outcome == .bad(scenario.reason), "\(result.sentence)")
        for word in scenario.words { #expect(result.sentence.contains(word)) }
        #expect((result.void == .proberFault) == (scenario.reason == .proberFault))
    }

    /// In a process of its own: without descriptors, no test beside this one would get far.
    @Test(.timeLimit(.minutes(5))) func noDescriptorsAreOurFaultAndNotTheTargets() async {
        await #expect(processExitsWith: .success) {
            let server = try LoopbackServer { _ in .http(200) }
            let bench = try Bench()
            #expect(await bench.probe(server.url).result.outcome == .good)
            try await server.untilQuiet()
            let taken = takeDescriptors()
            let starved = await bench.probe(server.url).result
            taken.forEach { close($0) }
            #expect(starved.outcome == .bad(.proberFault) && starved.void == .proberFault)
            #expect(starved.sentence.contains("our own trouble"))
            #expect(await bench.probe(server.url).result.outcome == .good)
        }
    }

    /// libcurl calls such lines an argument of ours that is bad.
    @Test(arguments: [
        "HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\nX\r\n\r\n",
        "HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 500 X\r\nConnect\rion: close\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 500 X\r\n X: a\r\nContent-Length: 0\r\n\r\n",
    ])
    func aLineThatIsNoHeaderCountsAsAProtocolError(_ bytes: String) async throws {
        let server = try LoopbackServer { _ in .raw(bytes) }
        let result = try await Bench().probe(server.url).result
        #expect(result.outcome == .bad(.protocolError) && result.void == nil, "\(result.sentence)")
    }

    @Test func aHeaderThatBeginsWithABlankBehindARedirectIsAProtocolErrorEachTime() async throws {
        let server = try LoopbackServer {
            $0.path == "/x"
                ? .raw("HTTP/1.1 200 OK\r\n X: a\r\nContent-Length: 0\r\n\r\n")
                : .raw("HTTP/1.1 302 F\r\nLocation: /x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        let bench = try Bench()
        for _ in 0..<6 { #expect(await bench.probe(server.url).result.outcome == .bad(.protocolError)) }
    }

    private static func row(_ reason: Reason, _ hostileCase: String, _ words: String...) -> Scenario {
        Scenario(reason: reason, hostileCase: hostileCase, words: words)
    }

    private static func result(of scenario: Scenario) async throws -> ProbeResult {
        if let probe = scenario.probe { return try await probe() }
        let hostile = try OpenHostileTargets([try #require(HostileTargets.hostileCases.first { $0.name == scenario.hostileCase })]
        )
        let result = await hostile.probe(hostile.cases[0]).result
        await hostile.close()
        return result
    }

    /// TCP can't go to a broadcast address, and loopback has one: nothing leaves the machine, whatever routes it has.
    @Test(arguments: [
        (ProbePolicy.AddressFamily.any, "has no address"), (.v6, "has no address of the family that `ip: v6` asks for"),
    ])
    func aNameWithoutAddressesIsSaidSo(family: ProbePolicy.AddressFamily, wanted: String) async throws {
        let engine = try TransferEngine(resolver: { _ in .addresses([]) })
        var policy = ProbePolicy(userAgent: "test")
        policy.addressFamily = family
        let target = Target(
            identity: TargetIdentity(clientID: "c", key: "t"), name: "n", baseURL: "http://empty.test", testPath: "/", region: "r"
        )
        let prober = Prober(transfer: engine.transfer(_:), wallClock: { Timestamp(milliseconds: 1) })
        let result = await prober.probe(ProbeOrder(target: target, policy: policy, egress: .unlimited)).result
        #expect(result.outcome == .bad(.dnsFailed))
        #expect(result.sentence.hasSuffix(wanted), "\(result.sentence)")
    }

    @Test(arguments: [(ProbePolicy.DNSCache.atMost(.seconds(60)), 1), (.atMost(.zero), 3)])
    func aGoodLookupIsUsedAgainAsThePolicySays(cache: ProbePolicy.DNSCache, lookups: Int) async throws {
        let asked = Counter()
        let engine = try TransferEngine(resolver: { _ in
            asked.next()
            return .addresses([SocketAddress("10.0.0.1")].compactMap(\.self))
        })
        var policy = ProbePolicy(userAgent: "test")
        policy.dnsCache = cache
        let target = Target(
            identity: TargetIdentity(clientID: "c", key: "t"), name: "n", baseURL: "http://known.test", testPath: "/", region: "r"
        )
        let prober = Prober(transfer: engine.transfer(_:), wallClock: { Timestamp(milliseconds: 1) })
        let order = ProbeOrder(target: target, policy: policy, egress: EgressRule())
        for _ in 0..<3 { _ = await prober.probe(order) }
        #expect(asked.value == lookups)
    }

    private static func probeBroadcast() async throws -> ProbeResult {
        var bench = try Bench()
        bench.egress.allow += ["127.255.255.255"].compactMap { CIDR($0) }
        return await bench.probe("http://127.255.255.255:1").result
    }

    private static func probeThroughNothing() async throws -> ProbeResult {
        let (descriptor, port) = try boundSocket("127.0.0.1")
        defer { close(descriptor) }
        var bench = try Bench()
        bench.policy.proxy = .init(host: "127.0.0.1", port: port)
        return await bench.probe("http://127.0.0.1:1").result
    }

    private static func probeBody() async throws -> ProbeResult {
        let server = try LoopbackServer { _ in .http(200, body: "down for maintenance") }
        var bench = try Bench()
        bench.policy.bodyMatches = "healthy"
        return await bench.probe(server.url).result
    }

    private static func probeStatus() async throws -> ProbeResult {
        let server = try LoopbackServer { _ in .http(503) }
        return try await Bench().probe(server.url).result
    }

    private static func probeUserInfo() async throws -> ProbeResult {
        let server = try LoopbackServer { _ in .http(200) }
        let result = try await Bench().probe("http://user:password@127.0.0.1:\(server.port)").result
        #expect(server.requests.isEmpty)
        return result
    }

    private static func probeWithoutBundle() async throws -> ProbeResult {
        let server = try ConnectionServer { $0.waitForClose() }
        var bench = try Bench()
        bench.policy.caFile = "/nonexistent/bundle.pem"
        return await bench.probe("https://127.0.0.1:\(server.port)").result
    }
}

/// All that this process may have.
private func takeDescriptors() -> [Int32] {
    var limit = rlimit(rlim_cur: 200, rlim_max: 200)
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    var taken: [Int32] = []
    while case let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC), descriptor >= 0 { taken.append(descriptor) }
    return taken
}
