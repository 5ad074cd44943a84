import Foundation
import Glibc
import Health
import History
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct RunTests {
    @Test func sigtermCancelsProbesInFlightCommitsTheLastBatchAndExitsWithZero() async throws {
        // The server gives the signal: a test that waits for its turn may wait for longer than a probe hangs.
        let (told, toldAt) = (Watched<Int32?>(nil), Watched<ContinuousClock.Instant?>(nil))
        let site = try Site(paths: ["good", "hanging"], probe: "{interval: 10s, fast_interval: 1s, timeout: 10s}") { request in
            guard request.path == "/hanging" else { return .http(200) }
            if let program = told.value, toldAt.value == nil {
                toldAt.change { $0 = .now }
                kill(program, SIGTERM)
            }
            return .silence
        }
        let (program, _) = try await site.start()
        #expect(try await program.errors.until("good is up"))
        told.change { $0 = program.processID }
        // The one that is in flight at the signal begins after this, or a moment before; those that have ended began before.
        let before = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        #expect(await program.ended() == 0)
        // scripts/bench holds it to five seconds; this machine may do much else just now.
        #expect(try #require(toldAt.value).duration(to: .now) < .seconds(15))
        let statuses = try HistoryReader.open(path: site.database).statuses()
        #expect(statuses.first { $0.target.name == "good" }?.lastProbe?.httpStatus == 200)
        let lastOfHanging = statuses.first { $0.target.name == "hanging" }?.lastProbe
        #expect(lastOfHanging.map { $0.startedAt < before } ?? true)
    }

    @Test func sigkillLosesNoCommittedRowAndTheNextStartWorks() async throws {
        let site = try Site(paths: ["a", "b", "c"], probe: "{interval: 100ms, fast_interval: 100ms}") { _ in .http(200) }
        let (first, _) = try await site.start()
        try await site.target.until { $0.count >= 100 }
        let committed = try await rows(site)
        first.send(SIGKILL)
        #expect(await first.ended() == -SIGKILL)
        #expect(try await sqlite(site, "PRAGMA integrity_check") == "ok")
        #expect(try await rows(site) >= committed)
        #expect(committed > 0)

        let (second, _) = try await site.start()
        #expect(try await second.errors.until("probing targets=3"))
        let before = site.target.requests.count
        try await site.target.until { $0.count >= before + 10 }
        second.send(SIGTERM)
        #expect(await second.ended() == 0)
        #expect(try await sqlite(site, "SELECT count(*) = count(DISTINCT result_id) FROM probe_history") == "1")
        #expect(try await rows(site) >= committed + 10)
    }

    /// One client keeps the pages from ending while others open connections to the listener whose turn comes later.
    @Test func aSlowClientDoesNotKeepTheDaemonFromEndingInOrder() async throws {
        let site = try Site(paths: ["a"]) { _ in .http(200) }
        let text = try String(contentsOfFile: site.configuration, encoding: .utf8)
        try site.folder.write(
            text + "\ntargets_server: {listen: \"127.0.0.1:0\", database: targets.db, token_file: token}\n",
            to: "rangefinder.yaml")
        let (program, pages) = try await site.start()
        let line = "the embedded Targets API listens address=127.0.0.1:"
        #expect(try await program.errors.until(line))
        let tail = program.errors.text.components(separatedBy: line).last ?? ""
        let port = try #require(Int(tail.prefix { $0.isNumber }))
        let slow = try [pages, port].map { try Connection(port: $0) }
        defer { for connection in slow { connection.close() } }
        for connection in slow {
            #expect(connection.send("POST /-/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nbegun"))
        }
        // By the time that others have been answered those requests have begun.
        for _ in 0..<20 {
            let quick = try Connection(port: pages)
            #expect(quick.send("GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n") && quick.readSome() != nil)
            quick.close()
        }
        // Until it listens no more. Of many that come at once some are accepted and not yet taken up, whenever it ends.
        for listener in [pages, port, port] {
            Thread.detachNewThread {
                while case let some = (0..<50).compactMap({ _ in try? Connection(port: listener) }), !some.isEmpty {
                    for connection in some { connection.close() }
                }
            }
        }
        program.send(SIGTERM)
        #expect(await program.ended() == 0, "\(program.errors.text)")
        #expect(program.errors.text.contains("stopped"))
    }

    private func rows(_ site: Site) async throws -> Int {
        Int(try await sqlite(site, "SELECT count(*) FROM probe_history")) ?? -1
    }

    /// Asked through another program's SQLite, as a person would.
    private func sqlite(_ site: Site, _ query: String) async throws -> String {
        let arguments = ["-cmd", ".timeout 5000", site.database, query]
        return try await onThread {
            try ChildProcess.run("sqlite3", arguments).output.trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }

    @Test func theProbesThreadComesBeforeAllOthers() async throws {
        let site = try Site(paths: ["a"]) { _ in .http(200) }
        let (program, _) = try await site.start()
        #expect(try await program.errors.until("a is up"))
        let tasks = "/proc/\(program.processID)/task"
        // The field is the 19th, and the second one, in parentheses, may hold blanks.
        func nice(_ thread: String) -> (name: String, value: Int)? {
            guard let text = try? String(contentsOfFile: "\(tasks)/\(thread)/stat", encoding: .utf8),
                let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")")
            else { return nil }
            let rest = text[text.index(after: close)...].split(separator: " ")
            return Int(rest[16]).map { (String(text[text.index(after: open)..<close]), $0) }
        }
        while true {
            try Task.checkCancellation()
            let threads = try FileManager.default.contentsOfDirectory(atPath: tasks).compactMap(nice)
            // Not always the daemon's own: the threads that make this one have their values from Swift, where that may raise them.
            let first = try #require(threads.first { $0.name == "probes-0" }?.value)
            let spared = threads.filter { ["probes-0", "probes-1", "curl-lookup"].contains($0.name) }
            let lowered = threads.filter { $0.value == min(19, first + 10) }
            let isDone = lowered.count > 2 && lowered.count + spared.count == threads.count
            if isDone, spared.allSatisfy({ $0.value == first }) { break }
        }
        program.send(SIGTERM)
        #expect(await program.ended() == 0)
    }

    @Test func aPortThatIsTakenIsSaid() async throws {
        let other = try LoopbackServer { _ in .silence }
        let site = try Site(paths: ["a"]) { _ in .http(200) }
        let text = try String(contentsOfFile: site.configuration, encoding: .utf8)
        let file = try site.folder.write(
            text.replacingOccurrences(of: "127.0.0.1:0", with: "127.0.0.1:\(other.port)"), to: "taken.yaml")
        let ended = try await Program.run(["run", "--config", file])
        #expect(ended.code == 69)
        let why = "can't listen on 127.0.0.1:\(other.port): another program listens there already"
        #expect(ended.errors.contains("\(why) (`ss -ltnp` names it): end that program or change listen"), "\(ended.errors)")
        #expect(!ended.errors.contains("errno"))
        try site.folder.write("token\n", to: "token")
        for command in [
            ["demo", "--port", "\(other.port)"],
            [
                "targets-server", "--listen", "127.0.0.1:\(other.port)", "--database", site.folder.file("t.db"), "--token-file",
                site.folder.file("token"),
            ],
        ] {
            let ended = try await Program.run(command)
            #expect(ended.code == 69)
            #expect(ended.errors.contains(why) && ended.errors.contains("end that program or choose another"), "\(ended.errors)")
        }
    }

    @Test func anAddressThatThisMachineDoesNotHaveIsSaidInOtherWords() async throws {
        let site = try Site(paths: ["a"]) { _ in .http(200) }
        let text = try String(contentsOfFile: site.configuration, encoding: .utf8)
        let file = try site.folder.write(text.replacingOccurrences(of: "127.0.0.1:0", with: "192.0.2.1:0"), to: "elsewhere.yaml")
        try site.folder.write("token\n", to: "token")
        for command in [
            ["run", "--config", file],
            [
                "targets-server", "--listen", "192.0.2.1:0", "--database", site.folder.file("t.db"), "--token-file",
                site.folder.file("token"),
            ],
        ] {
            let ended = try await Program.run(command)
            #expect(ended.code == 69)
            #expect(ended.errors.contains("can't listen on 192.0.2.1:0: this machine has no such address"), "\(ended.errors)")
        }
    }

    @Test func aBatchThatCantBeWrittenAtTheEndIsSaidSoon() async throws {
        let site = try Site(paths: ["a"]) { _ in .http(200) }
        let (program, _) = try await site.start()
        #expect(try await program.errors.until("a is up"))
        let locker = try ChildProcess("sqlite3", ["-cmd", ".timeout 5000", site.database])
        defer { locker.end() }
        locker.send(Array("BEGIN IMMEDIATE; SELECT 'locked';\n".utf8))
        let isLocked = try await onThread { locker.readOutput() }
        #expect(isLocked == Array("locked\n".utf8))
        let seen = site.target.requests.count
        try await site.target.until { $0.count > seen + 1 }
        let clock = ContinuousClock()
        let start = clock.now
        program.send(SIGTERM)
        #expect(await program.ended() == 70)
        #expect(clock.now - start < .seconds(15))
        #expect(program.errors.text.contains("results are lost"))
    }

    @Test func aSecondDaemonOnOneDatabaseIsRefused() async throws {
        let site = try Site(paths: ["a"]) { _ in .http(200) }
        let (program, _) = try await site.start()
        let second = try await Program.run(["run", "--config", site.configuration])
        #expect(second.code == 69)
        #expect(second.errors.contains("another rangefinder is running on \(site.database)"))
        program.send(SIGTERM)
        #expect(await program.ended() == 0)
    }

    @Test func syncAsksTheRunningDaemonAndSaysWhenThereIsNone() async throws {
        let site = try Site(paths: ["a"]) { _ in .http(200) }
        let (program, _) = try await site.start()
        let done = try await Program.run(["sync", "--config", site.configuration])
        #expect(done.code == 0)
        #expect(done.errors.contains("1 target is watched"))
        let nothingHeld = try await Program.run(["sync", "--config", site.configuration, "--accept"])
        #expect(nothingHeld.code == 1)
        #expect(nothingHeld.errors.contains("no list is held"))
        var file = stat()
        #expect(stat(site.database + ".sock", &file) == 0 && file.st_mode & 0o777 == 0o660)
        program.send(SIGTERM)
        #expect(await program.ended() == 0)
        let nobody = try await Program.run(["sync", "--config", site.configuration])
        #expect(nobody.code == 69)
        #expect(nobody.errors.contains("no daemon answers"))
    }

    @Test func replayShowsWhatOtherSettingsWouldHaveSaid() async throws {
        let site = try Site(paths: ["good", "bad"]) { request in request.path == "/bad" ? .http(500) : .http(200) }
        let (program, _) = try await site.start()
        #expect(try await program.errors.until("bad is down"))
        #expect(try await program.errors.until("good is up"))
        program.send(SIGTERM)
        #expect(await program.ended() == 0)
        let replay = try await Program.run(["replay", "--config", site.configuration, "--fall", "1"])
        #expect(replay.code == 0)
        #expect(replay.output.contains("2 targets: 1 alert (was 1)"))
        #expect(replay.errors.contains("results are kept since"))
        let none = try await Program.run(["replay", "--database", site.database, "--fall", "1000", "--target", "bad"])
        #expect(none.output.contains("1 target: 0 alerts (was 1)"))
        #expect(try await Program.run(["replay", "--database", site.database, "--fall", "0"]).code == 2)
    }

    @Test func statusReadsTheDatabaseWhileTheDaemonRunsAndWhenItDoesNot() async throws {
        let site = try Site(paths: ["good", "bad"]) { request in request.path == "/bad" ? .http(500) : .http(200) }
        let (program, _) = try await site.start()
        #expect(try await program.errors.until("bad is down"))
        #expect(try await program.errors.until("good is up"))
        // The transition is committed within half a second; status is asked until it is there.
        while true {
            try Task.checkCancellation()
            let ended = try await Program.run(["status", "--config", site.configuration])
            #expect(ended.code == 0)
            #expect(!ended.errors.contains("no daemon is running"))
            if ended.output.contains("1 up") && ended.output.contains("1 down") { break }
        }
        program.send(SIGTERM)
        #expect(await program.ended() == 0)
        let afterwards = try await Program.run(["status", "--database", site.database])
        #expect(afterwards.output.contains("2 targets: 1 up, 1 down"))
        #expect(afterwards.errors.contains("no daemon is running on this database"))
        #expect(try await Program.run(["status", "--database", site.database, "--fail"]).code == 1)
        #expect(try await Program.run(["status", "--database", site.folder.file("nothing.db")]).code == 69)
    }

    @Test func sighupReloadsTheConfiguration() async throws {
        let site = try Site(paths: ["a"]) { request in .http(request.headers["x-new"] == nil ? 500 : 200) }
        let (program, _) = try await site.start()
        #expect(try await program.errors.until("a is down"))
        let text = try String(contentsOfFile: site.configuration, encoding: .utf8)
        try site.folder.write(
            text.replacingOccurrences(of: "probe: {", with: "probe: {headers: {X-New: \"1\"}, "), to: "rangefinder.yaml")
        program.send(SIGHUP)
        #expect(try await program.errors.until("a is up"))
        program.send(SIGTERM)
        #expect(await program.ended() == 0)
    }
}
