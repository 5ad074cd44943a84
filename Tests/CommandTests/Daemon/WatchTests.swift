import Foundation
import TestSupport
import Testing

/// A whole daemon for some URLs.
@Suite(.timeLimit(.minutes(5))) struct WatchTests {
    @Test func someURLsAreWatchedAndTheirFallIsSeen() async throws {
        let isBad = Watched(false)
        let server = try LoopbackServer { request in
            request.path == "/a" && isBad.value ? .http(503) : .http(200)
        }
        let folder = try TemporaryFolder()
        let program = try RunningProgram(
            ["watch", server.url + "/a", server.url + "/b", server.url + "/a", "--interval", "1s", "--port", "0"],
            environment: ["TMPDIR": folder.path])
        #expect(try await program.output.until("2 targets: 2 up"))
        let port = try #require(try await program.output.number(after: "http://127.0.0.1:"))
        #expect(try await get(port, "/targets.json").body.contains("\"client_id\":\"file\""))
        isBad.change { $0 = true }
        #expect(try await program.output.until("1 down"))
        #expect(program.output.text.contains("status_unexpected"))
        program.send(SIGINT)
        #expect(await program.ended() == 0)
        // Nothing of it is left.
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    /// The terminal has gone: so has the command, and what it kept.
    @Test func aHangupEndsIt() async throws {
        let server = try LoopbackServer { _ in .http(200) }
        let folder = try TemporaryFolder()
        let program = try RunningProgram(["watch", server.url, "--port", "0"], environment: ["TMPDIR": folder.path])
        #expect(try await program.output.until("1 target: 1 up"))
        program.send(SIGHUP)
        #expect(await program.ended() == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    /// With an hour between two probes, what is seen is the first one, and it was made at once.
    @Test func everyTargetIsProbedAtOnce() async throws {
        let server = try LoopbackServer { _ in .http(200) }
        let urls = (1...20).map { "\(server.url)/\($0)" }
        let program = try RunningProgram(["watch", "--interval", "1h", "--port", "0"] + urls)
        try await server.until { Set($0.map(\.path)).count == urls.count }
        program.send(SIGINT)
        #expect(await program.ended() == 0)
    }

    @Test func whatIsKeptGoesOn() async throws {
        let server = try LoopbackServer { _ in .http(200) }
        let folder = try TemporaryFolder()
        let state = folder.file("state")
        for _ in 0..<2 {
            let program = try RunningProgram(["watch", server.url + "/a", "--state", state, "--port", "0"])
            #expect(try await program.output.until("1 target: 1 up"))
            program.send(SIGTERM)
            #expect(await program.ended() == 0)
        }
        let status = try await Program.run(["status", "--database", state + "/history.db"])
        #expect(status.output.contains("127.0.0.1"), "\(status.output)")
    }

    @Test(
        arguments: [
            ([], "Missing expected argument"), (["ftp://example.com"], "such as https://example.com/health"),
            (["http://127.0.0.1:9", "--interval", "soon"], "--interval wants a time"),
            (["http://127.0.0.1:9", "ftp://a.example", "http://b.example/ x"], "b.example/ x: "),
            (["http://127.0.0.1:9", "ftp://a.example", "http://b.example/ x"], "ftp://a.example: "),
        ])
    func whatMakesNoSenseIsRefused(_ words: [String], _ sentence: String) async throws {
        let done = try await Program.run(["watch"] + words)
        #expect(done.code == 2 && done.errors.contains(sentence), "\(done.errors)")
    }
}
