import Foundation
import Glibc
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct DoctorTests {
    @Test func aGoodInstallationHasNothingBad() async throws {
        let site = try Site(paths: ["a", "b"]) { _ in .http(200) }
        let ended = try await Program.run(["doctor", "--config", site.configuration])
        #expect(!ended.output.contains("\nbad "), "\(ended.output)")
        #expect(ended.code == 0)
        #expect(ended.output.contains("client 550e8400-e29b-41d4-a716-446655440000 has 2 targets"))
        #expect(ended.output.contains("history.db is made at the first start"))
    }

    @Test func aDaemonThatRunsIsAskedAndItsHistoryIsRead() async throws {
        let site = try Site(paths: ["a"]) { _ in .http(200) }
        let (program, _) = try await site.start()
        #expect(try await program.errors.until("a is up"))
        // The list is committed within half a second; status is asked until it is there.
        while !(try await Program.run(["status", "--database", site.database, "--json"])).output.contains("tgt_a") {
            try Task.checkCancellation()
        }
        let ended = try await Program.run(["doctor", "--config", site.configuration])
        program.send(SIGTERM)
        _ = await program.ended()
        #expect(ended.output.contains("it runs, and is ready"), "\(ended.output)")
        #expect(ended.output.contains("knows 1 target; a daemon uses it"))
        #expect(ended.output.contains("the daemon makes all probes that fall due"))
    }

    @Test func whatANewOperatorGetsWrongIsSaidWithWhatToDo() async throws {
        let site = try Site(paths: ["a"]) { _ in .http(200) }
        let good = try site.folder.read("rangefinder.yaml")
        let (taken, closed) = (try LoopbackServer { _ in .http(200) }, try ClosedPort())
        func doctor(_ replacements: [String: String]) async throws -> Program.Ended {
            let text = replacements.reduce(good) { $0.replacingOccurrences(of: $1.key, with: $1.value) }
            let file = try site.folder.write(text, to: "wrong.yaml")
            return try await Program.run(["doctor", "--config", file])
        }
        let cases: [([String: String], String)] = [
            (["interval: 2s": "intervall: 2s"], "unknown key 'intervall'"),
            (["token_file: token": "token_file: nothing"], "there is no file"),
            (["listen: 127.0.0.1:0": "listen: 127.0.0.1:\(taken.port)"], "something else listens on 127.0.0.1:\(taken.port)"),
            (["listen: 127.0.0.1:0": "listen: 192.0.2.1:80"], "192.0.2.1:80 can't be listened on"),
            ([site.api.url: "http://127.0.0.1:\(closed.port)"], "see whether a firewall"),
            ([site.folder.file("history.db"): "/nowhere/at/all/history.db"], "there is no folder /nowhere/at/all"),
        ]
        for (replacements, words) in cases {
            let ended = try await doctor(replacements)
            #expect(ended.output.contains(words), "\(words) isn't in \(ended.output)")
            #expect(ended.output.contains("→"))
            #expect(ended.code == 1)
        }
        try site.folder.write("wrong-token\n", to: "token")
        let ended = try await doctor([:])
        #expect(ended.output.contains("answered 401") && ended.output.contains("put the client's own token"), "\(ended.output)")
        #expect(!ended.output.contains("wrong-token"))
    }
}
