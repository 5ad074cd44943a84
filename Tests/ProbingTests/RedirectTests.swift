import Curl
import Health
import TestSupport
import Testing

@testable import Probing

private func redirect(_ status: Int, to location: String) -> LoopbackReply { .http(status, headers: ["Location: \(location)"]) }

@Suite struct RedirectTests {
    @Test func followsRedirectsHopByHopAndSumsTheirPhases() async throws {
        let server = try LoopbackServer { request in
            switch request.path {
            case "/a": redirect(302, to: "/b?x=1")
            case "/b?x=1": redirect(301, to: "c")
            default: .http(200, body: "there")
            }
        }
        let report = try await Bench().probe(server.url, "/a")
        #expect(report.result.outcome == .good)
        #expect(report.result.facts.redirects == 2)
        #expect(report.hops.map(\.url) == ["\(server.url)/a", "\(server.url)/b?x=1", "\(server.url)/c"])
        #expect(report.hops.map(\.status) == [302, 301, 200])
        #expect(server.requests.map(\.path) == ["/a", "/b?x=1", "/c"])
        let phases = report.result.phases
        let parts = [phases.dns, phases.connect, phases.tls, phases.processing, phases.transfer].compactMap(\.self)
        #expect(parts.reduce(.zero, +) == report.result.duration && report.result.selfDelay > .zero)
    }

    @Test func aLoopEndsAtTheBound() async throws {
        let server = try LoopbackServer { _ in redirect(302, to: "/again") }
        var bench = try Bench()
        bench.policy.followRedirects = 3
        let result = await bench.probe(server.url).result
        #expect(result.outcome == .bad(.tooManyRedirects))
        #expect(server.requests.count == 4)
    }

    @Test func withoutFollowingARedirectIsTheAnswer() async throws {
        let server = try LoopbackServer { _ in redirect(301, to: "/b") }
        var bench = try Bench()
        bench.policy.followRedirects = 0
        let result = await bench.probe(server.url).result
        #expect(result.outcome == .good)
        #expect(result.facts.httpStatus == 301)
        bench.policy.expectedStatuses = [200...200]
        #expect(
            await bench.probe(server.url).result.sentence == "HTTP 301: a redirect that was not followed, but 200 was expected")
    }

    @Test(arguments: [
        "file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/x", "javascript:alert(1)", "mailto:a@b", "data:,x",
        "myapp://open",
        "http://user:pass@127.0.0.1/",
    ])
    func neverFollowsToAForbiddenPlace(location: String) async throws {
        let server = try LoopbackServer { _ in redirect(302, to: location) }
        let result = try await Bench().probe(server.url).result
        #expect(result.outcome == .bad(.redirectDenied))
        #expect(server.requests.count == 1)
    }

    @Test func aRedirectToADeniedAddressIsRedirectDenied() async throws {
        let server = try LoopbackServer { _ in redirect(302, to: "http://127.0.0.2:1/") }
        let result = try await Bench().probe(server.url).result
        #expect(result.outcome == .bad(.redirectDenied))
        #expect(result.sentence.contains("127.0.0.2"))
    }

    @Test func nothingConfiguredReachesAnotherOrigin() async throws {
        let other = try LoopbackServer { _ in .http(200) }
        let server = try LoopbackServer { [url = other.url] _ in redirect(307, to: "\(url)/x") }
        var bench = try Bench()
        bench.policy.method = "POST"
        bench.policy.headers = [
            .init(name: "X-Api-Key", value: .secret(Secret("s3cret"))),
            .init(name: "Authorization", value: .plain("Bearer s3cret")),
        ]
        bench.policy.body = .secret(Secret("s3cret"))
        let result = await bench.probe(server.url).result
        #expect(result.outcome == .good)
        let stranger = try #require(other.requests.first)
        #expect(!"\(stranger)".contains("s3cret"))
        #expect(stranger.body.isEmpty)
    }

    @Test func fromElsewhereBackHomeNothingConfiguredIsSent() async throws {
        let place = Watched("")
        let home = try LoopbackServer { request in
            request.path == "/a" ? .http(307, headers: ["Location: \(place.value)"]) : .http(200)
        }
        let other = try LoopbackServer { _ in .http(307, headers: ["Location: \(home.url)/admin/delete"]) }
        place.change { $0 = other.url }
        var bench = try Bench()
        bench.policy.method = "POST"
        bench.policy.body = .plain("body")
        bench.policy.headers = [.init(name: "X-Api-Key", value: .secret(Secret("k")))]
        _ = await bench.probe(home.url, "/a")
        let last = try #require(home.requests.last)
        #expect(last.path == "/admin/delete" && last.method == "GET")
        #expect(last.headers["x-api-key"] == nil && last.body.isEmpty)
    }

    @Test func theSameOriginGetsTheHeadersAgain() async throws {
        let server = try LoopbackServer { request in request.path == "/" ? redirect(308, to: "/b") : .http(200) }
        var bench = try Bench()
        bench.policy.method = "POST"
        bench.policy.headers = [.init(name: "X-Api-Key", value: .plain("k"))]
        bench.policy.body = .plain("body")
        _ = await bench.probe(server.url)
        #expect(server.requests.map(\.method) == ["POST", "POST"])
        #expect(server.requests.map(\.body) == ["body", "body"])
        #expect(server.requests.map { $0.headers["x-api-key"] } == ["k", "k"])
    }

    @Test func a303IsFollowedByGet() async throws {
        let server = try LoopbackServer { request in request.path == "/" ? redirect(303, to: "/b") : .http(200) }
        var bench = try Bench()
        bench.policy.method = "POST"
        bench.policy.body = .plain("body")
        _ = await bench.probe(server.url)
        #expect(server.requests.map(\.method) == ["POST", "GET"])
        #expect(server.requests.map(\.body) == ["body", ""])
    }

    @Test func theTimeoutIsOfTheWholeWalk() async throws {
        let server = try LoopbackServer { request in request.path == "/" ? redirect(302, to: "/b") : .silence }
        var bench = try Bench()
        bench.policy.timeout = .milliseconds(300)
        let result = await bench.probe(server.url).result
        #expect(result.outcome == .bad(.timeout))
        #expect(result.duration <= .milliseconds(300))
    }

    @Test func aLocationInAnotherEncodingKeepsItsBytes() async throws {
        let server = try ConnectionServer { connection in
            let isFirst = connection.readRequest().hasPrefix("GET / ")
            let head = Array("HTTP/1.1 \(isFirst ? 302 : 200) x\r\nContent-Length: 0\r\nConnection: close\r\n".utf8)
            connection.send(head + (isFirst ? Array("Location: /men".utf8) + [0xfc, 0x0d, 0x0a] : []) + [0x0d, 0x0a])
        }
        let report = try await Bench().probe(server.url(""))
        #expect(report.result.outcome == .good)
        #expect(report.hops.last?.url == server.url("/men%fc"))
    }

    // MARK: Without a Location

    @Test(arguments: [["X: y"], ["Location:"], ["Location:  \t"]], [301, 302, 303, 307, 308])
    func aRedirectToNowhereIsWhatItsStatusIs(headers: [String], status: Int) async throws {
        let server = try LoopbackServer { _ in .http(status, headers: headers) }
        var bench = try Bench()
        let expected = await bench.probe(server.url).result
        #expect(expected.outcome == .good && expected.facts.httpStatus == status)
        #expect(expected.sentence.hasSuffix("; it names no Location to go on to"))
        bench.policy.expectedStatuses = [200...200]
        let unexpected = await bench.probe(server.url).result
        #expect(unexpected.outcome == .bad(.statusUnexpected))
        #expect(unexpected.sentence == "HTTP \(status): a redirect that names no Location to go on to, but 200 was expected")
    }

    @Test func aRedirectToNowhereThatWasExpectedIsGoodWithoutFollowingToo() async throws {
        let server = try LoopbackServer { _ in .http(302) }
        var bench = try Bench()
        bench.policy.followRedirects = 0
        bench.policy.expectedStatuses = [302...302]
        let result = await bench.probe(server.url).result
        #expect(result.outcome == .good && !result.sentence.contains("Location"))
    }

    // MARK: Cookies

    @Test func aCookieThatAHopSetsIsSentOnTheNext() async throws {
        let server = try LoopbackServer { request in
            request.headers["cookie"] == "sid=1"
                ? .http(200) : .http(302, headers: ["Set-Cookie: sid=1; Path=/; HttpOnly", "Location: /"])
        }
        let report = try await Bench().probe(server.url)
        #expect(report.result.outcome == .good && report.result.facts.redirects == 1)
    }

    @Test func cookiesAreForgottenAtTheEndOfTheWalk() async throws {
        let server = try LoopbackServer { request in
            request.path == "/" ? .http(302, headers: ["Set-Cookie: sid=1", "Location: /b"]) : .http(200)
        }
        let bench = try Bench()
        for _ in 0..<2 { _ = await bench.probe(server.url) }
        #expect(server.requests.map { $0.headers["cookie"] } == [nil, "sid=1", nil, "sid=1"])
    }

    @Test func aConfiguredCookieStaysBesideOneThatWasSet() async throws {
        let server = try LoopbackServer { request in
            request.path == "/" ? .http(307, headers: ["Set-Cookie: sid=1", "Location: /b"]) : .http(200)
        }
        var bench = try Bench()
        bench.policy.headers = [.init(name: "Cookie", value: .secret(Secret("key=s3cret")))]
        _ = await bench.probe(server.url)
        #expect(server.requests.map { $0.headers["cookie"] } == ["key=s3cret", "key=s3cret; sid=1"])
    }

    @Test func anotherOriginGetsItsOwnCookiesAndHomeItsOwnButNothingConfigured() async throws {
        let home = Watched("")
        let other = try LoopbackServer(address: "127.0.0.2") { request in
            request.path == "/x"
                ? .http(302, headers: ["Set-Cookie: theirs=2", "Location: /y"])
                : .http(302, headers: ["Location: \(home.value)/back"])
        }
        let server = try LoopbackServer { [url = other.url] request in
            request.path == "/" ? .http(302, headers: ["Set-Cookie: ours=1", "Location: \(url)/x"]) : .http(200)
        }
        home.change { $0 = server.url }
        var bench = try Bench()
        bench.egress = EgressRule(allow: ["127.0.0.0/8"].compactMap { CIDR($0) })
        bench.policy.headers = [.init(name: "Cookie", value: .secret(Secret("key=s3cret")))]
        #expect(await bench.probe(server.url).result.outcome == .good)
        #expect(other.requests.map { $0.headers["cookie"] } == [nil, "theirs=2"])
        #expect(server.requests.map { $0.headers["cookie"] } == ["key=s3cret", "ours=1"])
    }
}
