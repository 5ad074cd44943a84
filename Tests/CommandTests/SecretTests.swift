import Curl
import Foundation
import Glibc
import TestSupport
import Testing

/// The whole program at debug level: a secret is on the wire, and nowhere else.
@Suite(.timeLimit(.minutes(5))) struct SecretTests {
    private let headerSecret = "header-s3cret-4242"

    @Test(arguments: [200, 401, 500])
    func noSecretIsInALogLineAnErrorAPageOrAMetric(status: Int) async throws {
        let site = try Site(paths: ["a"], log: "trace") { _ in .http(status) }
        let text = try String(contentsOfFile: site.configuration, encoding: .utf8)
        try site.folder.write(
            text
                + "\noverrides:\n  - match: {url: \"http://127.0.0.1:\(site.target.port)\"}\n    probe: {headers: {Authorization: {env: PROBE_SECRET}}}\n",
            to: "rangefinder.yaml")
        let environment = ["PROBE_SECRET": headerSecret]
        let (program, port) = try await site.start(environment: environment)
        try await site.target.until { !$0.isEmpty }
        var shown: [String] = []
        let pages = [
            "/", "/index.json", "/targets", "/targets.json", "/targets/\(documentedClient)/tgt_a",
            "/targets/\(documentedClient)/tgt_a.json",
            "/incidents", "/certificates", "/daemon", "/daemon.json", "/wall", "/feed.atom",
        ]
        for path in pages + ["/metrics", "/-/ready", "/-/healthy", "/nothing"] {
            let answer = try await get(port, path)
            #expect(!pages.contains(path) || answer.status == 200, "\(path): \(answer.body)")
            shown += [answer.headers, answer.body]
        }
        let config = ["--config", site.configuration]
        for command in [
            ["status"] + config, ["status", "--json"] + config, ["check-config", "--sync"] + config,
            ["probe", "--target", "a"] + config,
        ] {
            let ended = try await Program.run(command, environment: environment)
            shown += [ended.output, ended.errors]
        }
        program.send(SIGTERM)
        _ = await program.ended()
        shown += [program.output.text, program.errors.text]
        #expect(site.target.requests.allSatisfy { $0.headers["authorization"] == headerSecret })
        #expect(site.api.requests.allSatisfy { $0.headers["authorization"] == siteToken })
        #expect(site.target.requests.allSatisfy { !"\($0)".contains(siteToken) })
        for text in shown {
            #expect(!text.contains(siteToken))
            #expect(!text.contains(headerSecret))
        }
        #expect(shown.joined().contains("probing targets"))
    }

    @Test func anAPIThatEchoesTheTokenCantGetItIntoTheLog() async throws {
        let site = try Site(paths: ["a"]) { _ in .http(200) }
        let echo = try LoopbackServer { request in
            .http(500, body: "{\"message\":\"bad token \(request.headers["authorization"] ?? "")\"}")
        }
        let text = try String(contentsOfFile: site.configuration, encoding: .utf8)
        try site.folder.write(text.replacingOccurrences(of: site.api.url, with: echo.url), to: "rangefinder.yaml")
        let (program, _) = try await site.start()
        #expect(try await program.errors.until("sync failed"))
        program.send(SIGTERM)
        _ = await program.ended()
        #expect(!program.errors.text.contains(siteToken))
    }
}
