import Foundation
import Glibc
import TestSupport
import Testing

/// A target that the daemon can't probe is unknown to it, and everybody is told why.
@Suite(.timeLimit(.minutes(5))) struct UnprobeableTests {
    private let sentence = "10.1.2.3 is private, which egress denies; to have it probed, add 10.1.2.3 to egress.allow"

    @Test func statusCountsItSaysWhatToDoAndFails() async throws {
        let watched = try await WatchedSite()
        let status = try await Program.run(["status", "--config", watched.configuration])
        #expect(status.output.contains("3 targets: 1 up, 1 down, 1 unknown; 1 can't be probed\n"), "\(status.output)")
        #expect(status.output.contains("1 target can't be probed:\n  denied (tgt_denied): \(sentence)\n"), "\(status.output)")
    }

    @Test func statusFailsForItAlone() async throws {
        let site = try Site(paths: []) { _ in .http(200) }
        let api = try LoopbackServer { _ in list([record("tgt_1", name: "no scheme", url: "example.com")]) }
        let text = try site.folder.read("rangefinder.yaml").replacingOccurrences(of: site.api.url, with: api.url)
        let file = try site.folder.write(text, to: "watched.yaml")
        let program = try RunningProgram(["run", "--config", file])
        #expect(try await program.errors.until("no scheme can't be probed: the base URL \"example.com\" is no absolute"))
        let page = try await get(try await program.port(after: "info listening address=127.0.0.1:"), "/").body
        #expect(page.contains("<h2>Can&#39;t be probed</h2>") && page.contains("is no absolute http or https URL"), "\(page)")
        program.send(SIGTERM)
        #expect(await program.ended() == 0)
        #expect(try await Program.run(["status", "--config", file]).code == 0)
        let failed = try await Program.run(["status", "--fail", "--database", site.database])
        #expect(failed.code == 1 && failed.output.contains("is no absolute http or https URL; correct the target"))
        let checked = try await Program.run(["check-config", "--sync", "--config", file])
        #expect(checked.output.contains("no scheme (tgt_1): the base URL \"example.com\" is no absolute"), "\(checked.output)")
    }

    @Test func doctorAndCheckConfigNameIt() async throws {
        let watched = try await WatchedSite()
        let doctor = try await Program.run(["doctor", "--config", watched.configuration])
        #expect(doctor.output.contains("denied can't be probed") && doctor.output.contains("→ \(sentence)"), "\(doctor.output)")
        let checked = try await Program.run(["check-config", "--sync", "--config", watched.configuration])
        #expect(checked.output.contains("1 that can't be probed.\n  denied (tgt_denied): \(sentence)\n"), "\(checked.output)")
    }

    @Test func whatCouldNeverBeProbedIsNotCreatedAndAPrivateAddressIsNoted() async throws {
        let server = try await TargetsServerProgram(token: "t")
        let api = ["--api", server.url, "--client", "c", "--token-file", server.tokenFile]
        func create(_ url: String) async throws -> Program.Ended {
            try await Program.run(
                ["targets", "create"] + api + ["--name", "n", "--base-url", url, "--test-path", "/", "--region", "eu"])
        }
        for url in ["example.com", "ftp://example.com", "https://user:secret@example.com"] {
            let refused = try await create(url)
            #expect(refused.code == 2 && refused.errors.contains("nothing was created"), "\(refused.errors)")
        }
        let created = try await create("http://10.1.2.3")
        #expect(created.code == 0 && created.errors.contains(sentence), "\(created.errors)")
        let moved = try await Program.run(["targets", "update", "n", "--base-url", "example.com"] + api)
        #expect(moved.code == 2 && moved.errors.contains("nothing was changed"))
        let file = try server.folder.write(
            """
            targets:
              - {name: good, region: eu, base_url: "https://good.example", test_path: /}
              - {name: wrong, region: eu, base_url: "wrong.example", test_path: /}
            """, to: "targets.yaml")
        let refused = try await Program.run(["targets", "apply", "--yes", "-f", file] + api)
        #expect(refused.code == 1 && refused.errors.contains("wrong (eu): the base URL \"wrong.example\" is no absolute"))
        #expect(try await Program.run(["targets", "get", "good"] + api).code == 2)
    }

    @Test func aTypedURLThatTheDaemonWouldDenyIsProbedAndThatIsSaid() async throws {
        let site = try Site(paths: []) { _ in .http(200) }
        let text = try site.folder.read("rangefinder.yaml").replacingOccurrences(of: "127.0.0.0/8", with: "192.0.2.0/24")
        let file = try site.folder.write(text, to: "denying.yaml")
        for url in [site.target.url, site.target.url.replacingOccurrences(of: "127.0.0.1", with: "localhost")] {
            let probed = try await Program.run(["probe", url, "--config", file])
            #expect(probed.code == 0)
            #expect(probed.errors.contains("the daemon of this configuration would not probe this: "), "\(probed.errors)")
            #expect(probed.errors.contains("is loopback, which egress denies; to have it probed, add 127.0.0.1 to egress.allow"))
        }
        let allowed = try await Program.run(["probe", site.target.url, "--config", site.configuration])
        #expect(!allowed.errors.contains("would not probe"))
    }

    @Test func aListThatCantBeFetchedIsNotGood() async throws {
        let site = try Site(paths: ["a"]) { _ in .http(200) }
        let closed = try ClosedPort()
        let text = try site.folder.read("rangefinder.yaml").replacingOccurrences(
            of: site.api.url, with: "http://127.0.0.1:\(closed.port)")
        let file = try site.folder.write(text, to: "alone.yaml")
        let checked = try await Program.run(["check-config", "--sync", "--config", file])
        #expect(checked.code == 69 && !checked.output.contains("is good"), "\(checked.output)")
    }
}
