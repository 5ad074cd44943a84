import Curl
import Glibc
import Health
import TestSupport
import Testing

@testable import Probing

/// Probes over a real engine and real sockets.
struct Bench {
    let engine: TransferEngine
    var policy = ProbePolicy(userAgent: "rangefinder/test")
    var egress = EgressRule(allow: ["127.0.0.1"].compactMap { CIDR($0) })
    var due: ContinuousClock.Instant?

    init() throws {
        engine = try TransferEngine()
        policy.timeout = .seconds(5)
    }

    func probe(_ base: String, _ path: String = "/") async -> ProbeReport {
        let target = Target(
            identity: TargetIdentity(clientID: "c", key: "t"), name: "n", baseURL: base, testPath: path, region: "r")
        let prober = Prober(transfer: engine.transfer(_:), wallClock: { Timestamp(milliseconds: 1) })
        return await prober.probe(ProbeOrder(target: target, policy: policy, egress: egress, due: due))
    }
}

@Suite struct ProberTests {
    @Test func anExpectedAnswerIsGoodAndHasItsPhases() async throws {
        let server = try LoopbackServer { _ in .http(200, body: "hello") }
        let result = try await Bench().probe(server.url).result
        #expect(result.outcome == .good)
        #expect(result.void == nil)
        #expect(result.facts.httpStatus == 200)
        #expect(result.facts.address == "127.0.0.1")
        #expect(result.facts.uncompressedBodyLength == 5)
        #expect(result.facts.contentLength == 5)
        let phases = result.phases
        let parts = [phases.dns, phases.connect, phases.processing, phases.transfer].compactMap { $0 }
        #expect(parts.count >= 3)
        #expect(parts.reduce(.zero, +) == result.duration)
        #expect(phases.tls == nil)
    }

    @Test func sendsTheConfiguredRequest() async throws {
        let server = try LoopbackServer { _ in .http(200) }
        var bench = try Bench()
        bench.policy.method = "POST"
        bench.policy.headers = [.init(name: "X-Api-Key", value: .secret(Secret("s3cret")))]
        bench.policy.body = .plain("{}")
        _ = await bench.probe(server.url, "/a?b=c")
        let request = try #require(server.requests.first)
        #expect(request.method == "POST")
        #expect(request.path == "/a?b=c")
        #expect(request.headers["x-api-key"] == "s3cret")
        #expect(request.headers["user-agent"] == "rangefinder/test")
        #expect(request.headers["host"] == "127.0.0.1:\(server.port)")
        #expect(request.body == "{}")
    }

    @Test func anUnexpectedStatusIsBadAndSaysWhatWasExpected() async throws {
        let server = try LoopbackServer { _ in .http(503) }
        let result = try await Bench().probe(server.url).result
        #expect(result.outcome == .bad(.statusUnexpected))
        #expect(result.sentence == "HTTP 503, but 200-399 was expected")
    }

    @Test func a401SaysWhatToSet() async throws {
        let server = try LoopbackServer { _ in .http(401) }
        let result = try await Bench().probe(server.url).result
        #expect(result.outcome == .bad(.statusUnexpected))
        #expect(result.sentence == "HTTP 401: it answers, but wants credentials; set headers or expect 401")
    }

    @Test func aListOfStatusesIsExpectedAsWritten() async throws {
        let server = try LoopbackServer { _ in .http(401) }
        var bench = try Bench()
        bench.policy.expectedStatuses = [200...200, 401...401]
        #expect(await bench.probe(server.url).result.outcome == .good)
    }

    @Test func slowerThanAllowedIsPoor() async throws {
        let server = try LoopbackServer { _ in .http(200) }
        var bench = try Bench()
        bench.policy.maxDuration = .microseconds(1)
        let result = await bench.probe(server.url).result
        #expect(result.outcome == .poor(.slow))
        #expect(result.outcome.isSuccess)
    }

    @Test func nothingListeningIsConnectRefused() async throws {
        let (descriptor, port) = try boundSocket("127.0.0.1")
        defer { close(descriptor) }
        let result = try await Bench().probe("http://127.0.0.1:\(port)").result
        #expect(result.outcome == .bad(.connectRefused))
        #expect(result.facts.httpStatus == nil)
    }

    @Test func silenceIsTimeout() async throws {
        let server = try LoopbackServer { _ in .silence }
        var bench = try Bench()
        bench.policy.timeout = .milliseconds(200)
        let result = await bench.probe(server.url).result
        #expect(result.outcome == .bad(.timeout))
        #expect(result.sentence.contains("waiting for the answer"))
        #expect(result.duration >= .milliseconds(100) && result.duration <= .milliseconds(200))
    }

    @Test(arguments: [
        (LoopbackReply.raw(""), Reason.connectionClosed),
        (.reset, .connectReset),
        (.raw("garbage that is no HTTP\r\n\r\n"), .protocolError),
        (.raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), .protocolError),
        (
            .endless(head: "HTTP/1.1 200 OK\r\n\r\n", chunk: String(repeating: "x", count: 65_536), bytesMax: 8 << 20),
            .bodyTooLarge
        ),
    ])
    func everyFailureHasItsReason(reply: LoopbackReply, reason: Reason) async throws {
        let server = try LoopbackServer { _ in reply }
        let result = try await Bench().probe(server.url).result
        #expect(result.outcome == .bad(reason))
        #expect(!result.sentence.isEmpty)
    }

    @Test func oneTargetsResetDoesNotBecomeTheReasonOfTheNext() async throws {
        let resetting = try LoopbackServer { _ in .reset }
        let misframed = try LoopbackServer { _ in .raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n") }
        let bench = try Bench()
        for _ in 0..<5 {
            #expect(await bench.probe(resetting.url).result.outcome == .bad(.connectReset))
            #expect(await bench.probe(misframed.url).result.outcome == .bad(.protocolError))
        }
    }

    @Test func anUnknownNameIsDnsFailed() async throws {
        let result = try await Bench().probe("http://nobody.invalid/").result
        #expect(result.outcome == .bad(.dnsFailed))
    }

    @Test func aURLThatIsNoneIsUrlInvalidAndSendsNothing() async throws {
        let report = try await Bench().probe("not a url")
        #expect(report.result.outcome == .bad(.urlInvalid))
        #expect(report.startedAt == nil)
        #expect(report.result.sentence.contains("not a url"))
    }

    @Test(arguments: [
        "http://127.0.0.2:1/", "http://127.2:1/", "http://0x7f000002:1/", "http://[::ffff:127.0.0.2]:1/", "http://2130706434:1/",
    ])
    func everySpellingOfADeniedAddressIsDenied(url: String) async throws {
        let result = try await Bench().probe(url).result
        #expect(result.outcome == .bad(.addressDenied))
        #expect(result.sentence.contains("egress"))
    }

    @Test func aLateStartTaintsTheResult() async throws {
        let server = try LoopbackServer { _ in .http(200) }
        var bench = try Bench()
        bench.due = .now - .seconds(3)
        let result = await bench.probe(server.url).result
        #expect(result.void == .tainted)
        #expect(result.outcome == .good)
        #expect(result.lateness >= .seconds(3))
    }

    @Test func aCancelledProbeIsVoid() async throws {
        let server = try LoopbackServer { _ in .silence }
        let bench = try Bench()
        let probe = Task { await bench.probe(server.url).result }
        probe.cancel()
        #expect(await probe.value.void == .cancelled)
    }
}
