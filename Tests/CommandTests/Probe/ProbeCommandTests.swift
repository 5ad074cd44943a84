import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct ProbeCommandTests {
    @Test func aGoodAnswerIsCodeZeroAndAWaterfall() async throws {
        let server = try LoopbackServer { _ in .http(200, body: "ok") }
        let ended = try await Program.run(["probe", server.url])
        #expect(ended.code == 0)
        for word in ["GET \(server.url)/", "200", "connect", "processing", "HTTP 200 in"] { #expect(ended.output.contains(word)) }
        #expect(!ended.output.contains("\u{1B}"))
        // It took some time; only what needn't be looked up takes none.
        #expect(!ended.output.contains("in 0 ms") && !ended.output.contains("good  0"), "\(ended.output)")
    }

    @Test func offATerminalNoURLIsCutOrBroken() async throws {
        let server = try LoopbackServer { request in
            request.path.hasSuffix("a") ? .http(302, headers: ["Location: \(request.path)b"]) : .http(200)
        }
        let url = "\(server.url)/\(String(repeating: "x", count: 600))a"
        let ended = try await Program.run(["probe", url])
        #expect(ended.output.contains("GET \(url) ") && ended.output.contains("302 \(url)\n"), "\(ended.output)")
        #expect(ended.output.contains("200 \(url)b\n"))
    }

    @Test func aBadAnswerIsCodeOneAndSaysWhy() async throws {
        let server = try LoopbackServer { _ in .http(503) }
        let ended = try await Program.run(["probe", server.url])
        #expect(ended.code == 1)
        #expect(ended.output.contains("status_unexpected"))
        #expect(ended.output.contains("HTTP 503, but 200-399 was expected"))
    }

    @Test func aCertificateIsShownAlsoWhenItWasRefused() async throws {
        let authority = try TestAuthority()
        let server = try TLSServer(
            authority, certificate: authority.issue("old", from: "20200101000000Z", to: "20210101000000Z"))
        let ended = try await Program.run(["probe", "https://127.0.0.1:\(server.port)/"])
        #expect(ended.code == 1)
        for words in [
            "bad certificate_", "CN=old", "127.0.0.1, localhost", "CN=Test-Authority", "2020-01-01 to 2021-01-01, expired",
        ] {
            #expect(ended.output.contains(words))
        }
        let json = try await Program.run(["probe", "https://127.0.0.1:\(server.port)/", "--json"])
        #expect(json.output.contains(#""names":["127.0.0.1","localhost"],"not_after":"2021-01-01T00:00:00.000Z""#))
    }

    @Test func redirectsAreShownWithTheirStatus() async throws {
        let server = try LoopbackServer { request in
            request.path == "/a" ? .http(302, headers: ["Location: /b"]) : .http(404)
        }
        let ended = try await Program.run(["probe", server.url + "/a"])
        #expect(ended.code == 1)
        #expect(ended.output.contains("302 \(server.url)/a") && ended.output.contains("404 \(server.url)/b"))
    }

    @Test func aTypedURLIsProbedUnderTheOverrideThatMatchesIt() async throws {
        let site = try Site(paths: ["a"]) { request in .http(request.headers["x-wanted"] == "1" ? 200 : 500) }
        let text = try String(contentsOfFile: site.configuration, encoding: .utf8)
        let file = try site.folder.write(
            text + "\noverrides: [{match: {url: \"\(site.target.url)/a\"}, probe: {headers: {X-Wanted: \"1\"}}}]\n",
            to: "override.yaml")
        #expect(try await Program.run(["probe", site.target.url + "/a", "--config", file]).code == 0)
        #expect(try await Program.run(["probe", site.target.url + "/b", "--config", file]).code == 1)
    }

    @Test func ourOwnTroubleIsNoVerdict() async throws {
        let site = try Site(paths: ["a"], probe: "{ca_file: empty.pem}") { _ in .http(200) }
        try site.folder.write("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", to: "empty.pem")
        let url = site.target.url.replacingOccurrences(of: "http:", with: "https:")
        let ended = try await Program.run(["probe", url, "--config", site.configuration])
        #expect(ended.code == 70)
        #expect(ended.output.contains("void prober_fault"))
    }

    @Test func whatIsNoURLIsSaidSo() async throws {
        let ended = try await Program.run(["probe", "not a url"])
        #expect(ended.code == 1)
        #expect(ended.output.contains("url_invalid"))
    }

    @Test func aListedTargetIsFoundByNameOrIdAndProbedUnderItsPolicy() async throws {
        let site = try Site(paths: ["a", "b"], probe: "{headers: {X-Wanted: \"1\"}}") { request in
            .http(request.headers["x-wanted"] == "1" ? 200 : 500)
        }
        #expect(try await Program.run(["probe", "--config", site.configuration, "--target", "a"]).code == 0)
        #expect(try await Program.run(["probe", "--config", site.configuration, "--target", "tgt_b"]).code == 0)
        let unknown = try await Program.run(["probe", "--config", site.configuration, "--target", "nobody"])
        #expect(unknown.code == 2)
        #expect(unknown.errors.contains("nobody"))
    }

    @Test func anAmbiguousNameListsTheCandidates() async throws {
        let site = try Site(paths: ["twin", "twin"]) { _ in .http(200) }
        // Two of one identity would be one target: the second gets a key of its own.
        let list = #"""
            {"targets":[{"sKey":"tgt_1","targetName":"twin","targetBaseURL":"\#(site.target.url)","targetTestPath":"/","targetRegion":"eu"},\#
            {"sKey":"tgt_2","targetName":"twin","targetBaseURL":"\#(site.target.url)","targetTestPath":"/","targetRegion":"us"}]}
            """#
        let api = try LoopbackServer { _ in .http(200, body: list) }
        let text = try String(contentsOfFile: site.configuration, encoding: .utf8)
        let file = try site.folder.write(text.replacingOccurrences(of: site.api.url, with: api.url), to: "twins.yaml")
        let ended = try await Program.run(["probe", "--config", file, "--target", "twin"])
        #expect(ended.code == 2)
        #expect(ended.errors.contains("tgt_1") && ended.errors.contains("tgt_2"))
    }
}
