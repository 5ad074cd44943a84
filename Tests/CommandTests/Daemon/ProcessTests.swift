import Foundation
import Glibc
import TestSupport
import Testing

/// What surrounds the program: descriptors, limits, signals, core dumps, a second daemon.
@Suite(.timeLimit(.minutes(5))) struct ProcessTests {
    private func openFiles(_ program: RunningProgram) throws -> [Int: String] {
        let folder = "/proc/\(program.processID)/fd"
        return try FileManager.default.contentsOfDirectory(atPath: folder).reduce(into: [:]) { files, name in
            files[Int(name) ?? -1] = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)")
        }
    }

    @Test func withoutStandardDescriptorsNothingElseTakesTheirPlace() async throws {
        // So that the files can be looked at by another user than root, too.
        let site = try Site(paths: ["a"], more: "core_dumps: true") { _ in .http(200) }
        let program = try RunningProgram(["run", "--config", site.configuration], shell: "exec <&- >&- 2>&-")
        try await site.target.until { $0.count >= 2 }
        let files = try openFiles(program)
        #expect((0...2).map { files[$0] } == ["/dev/null", "/dev/null", "/dev/null"])
        #expect(files.values.contains { $0.hasSuffix("history.db") })
        program.send(SIGTERM)
        #expect(await program.ended() == 0)
        let status = try RunningProgram(["status", "--database", site.database], shell: "exec <&- >&- 2>&-")
        // What was printed went nowhere.
        #expect(await status.ended() == 70)
        let text = try RunningProgram(["status", "--database", site.database], shell: "exec <&- 2>&-")
        #expect(await text.ended() == 0)
        #expect(text.output.text.contains("a"))
    }

    /// More targets that hang than there are descriptors.
    @Test func aSmallLimitOfOpenFilesIsSharedOutAndNamed() async throws {
        let site = try Site(
            paths: (0..<100).map { "t\($0)" }, probe: "{interval: 1s, fast_interval: 1s, timeout: 1s}", log: "info"
        ) { _ in .silence }
        let program = try RunningProgram(["run", "--config", site.configuration], shell: "ulimit -n 64")
        let port = try await program.port(after: "info listening address=127.0.0.1:")
        #expect(program.errors.text.contains("the limit of 64 open files allows "))
        for turn in 1...30 {
            // Between probes that come and go as they like.
            try await site.target.until { $0.count >= 2 * turn }
            let page = try await exchange(port, WireRequest("GET", "/metrics"))
            #expect(page.status == 200)
            #expect(page.text.contains("rangefinder_probe_failures_total{reason=\"prober_fault\"} 0\n"))
        }
        program.send(SIGTERM)
        #expect(await program.ended() == 0)
        #expect(!program.errors.text.contains("was spoiled"), "\(program.errors.text)")
    }

    /// More strangers than there are descriptors. libdispatch ends a process that has none left.
    @Test func aFloodOfTheEmbeddedAPIUnderASmallLimitOfOpenFilesEndsNothingAndKeepsNobodyOut() async throws {
        let site = try Site(
            paths: (0..<20).map { "t\($0)" }, probe: "{interval: 1s, fast_interval: 1s, timeout: 1s}", log: "info",
            more: "targets_server: {listen: \"127.0.0.1:0\", database: targets.db, token_file: token}"
        ) { _ in .silence }
        let program = try RunningProgram(["run", "--config", site.configuration], shell: "ulimit -n 64")
        let pages = try await program.port(after: "info listening address=127.0.0.1:")
        let api = try await program.port(after: "info the embedded Targets API listens address=127.0.0.1:")
        #expect(program.errors.text.contains("connections to the Targets API"))
        let strangers = try (0..<200).map { _ in try Connection(port: api) }
        defer { for stranger in strangers { stranger.close() } }
        // Turns of a second each, as libdispatch looks.
        let before = site.target.requests.count
        for turn in 1...8 {
            let list = WireRequest("GET", "/api/clients/\(documentedClient)/targets", headers: [("Authorization", siteToken)])
            #expect(try await exchange(api, list).status == 200)
            #expect(try await exchange(pages, WireRequest("GET", "/metrics")).status == 200)
            try await site.target.until { $0.count >= before + 2 * turn }
        }
        program.send(SIGTERM)
        #expect(await program.ended() == 0)
    }

    @Test func aFloodOfATargetsServerUnderASmallLimitOfOpenFilesKeepsNobodyOut() async throws {
        let server = try await TargetsServerProgram(token: siteToken, shell: "ulimit -n 64")
        #expect(server.program.errors.text.contains("the limit of 64 open files allows "))
        let strangers = try (0..<200).map { _ in try Connection(port: server.port) }
        defer { for stranger in strangers { stranger.close() } }
        for _ in 0..<10 {
            let list = WireRequest("GET", "/api/clients/\(documentedClient)/targets", headers: [("Authorization", siteToken)])
            #expect(try await exchange(server.port, list).status == 200)
        }
        server.program.send(SIGTERM)
        #expect(await server.program.ended() == 0)
    }

    /// Swift's backtracer takes these signals, and lets a process go on that another has sent one to.
    @Test(arguments: [SIGABRT, SIGSEGV, SIGQUIT]) func aFatalSignalThatIsSentEndsTheDaemonAlsoUnderABacktracer(
        number: Int32
    ) async throws {
        let site = try Site(paths: ["a"]) { _ in .http(200) }
        for backtrace in ["enable=yes,color=no", "enable=no"] {
            let (program, _) = try await site.start(environment: ["SWIFT_BACKTRACE": backtrace])
            program.send(number)
            #expect(await program.ended() == -number)
        }
    }

    /// What bash says of a child that a signal has ended says whether the kernel wrote its memory to a file.
    @Test func aCoreDumpIsMadeWhereTheConfigurationAllowsItOnly() async throws {
        for (setting, isDumped) in [("", false), ("core_dumps: false", false), ("core_dumps: true", true)] {
            let site = try Site(paths: ["a"], more: setting) { _ in .http(200) }
            let script = "ulimit -c 64; cd '\(site.folder.path)'; '\(Program.path)' run --config rangefinder.yaml & wait $!"
            let shell = try ChildProcess(
                "bash", ["-c", script], environment: ["SWIFT_BACKTRACE": "enable=no"], errors: .withOutput)
            try await site.target.until { !$0.isEmpty }
            let said = try await onThread {
                let pids = try ChildProcess.run("ps", ["-o", "pid=", "--ppid", "\(shell.processID)"]).output
                for pid in pids.split(whereSeparator: \.isWhitespace).compactMap({ pid_t($0) }) { kill(pid, SIGABRT) }
                var bytes: [UInt8] = []
                while let more = shell.readOutput() { bytes += more }
                _ = shell.waitForEnd()
                return String(decoding: bytes, as: UTF8.self)
            }
            #expect(said.contains("Aborted"), "\(said)")
            #expect(said.contains("core dumped") == isDumped, "\(setting): \(said)")
        }
    }

    @Test func aSecondServerOfOneTargetsDatabaseIsRefusedWhateverNameItGoesBy() async throws {
        let server = try await TargetsServerProgram(token: siteToken)
        let (database, other) = (server.folder.file("targets.db"), server.folder.file("other.db"))
        #expect(Glibc.link(database, other) == 0)
        let site = try Site(
            paths: ["a"], more: "targets_server: {listen: \"127.0.0.1:0\", database: \(other), token_file: token}"
        ) { _ in .http(200) }
        for words in [
            ["targets-server", "--listen", "127.0.0.1:0", "--database", other, "--token-file", server.tokenFile],
            ["targets-server", "--listen", "127.0.0.1:0", "--database", database, "--token-file", server.tokenFile],
            ["run", "--config", site.configuration],
        ] {
            let ended = try await Program.run(words)
            #expect(ended.code == 69 && ended.errors.contains("another rangefinder is running on"), "\(ended.errors)")
        }
        server.program.send(SIGTERM)
        #expect(await server.program.ended() == 0)
    }

    @Test func aSecondDaemonIsRefusedWhateverNameTheDatabaseGoesByAndWhateverBecameOfTheLocksFile() async throws {
        let site = try Site(paths: ["a"]) { _ in .http(200) }
        let (first, _) = try await site.start()
        #expect(try await first.errors.until("a is up"))
        let text = try site.folder.read("rangefinder.yaml")
        let link = site.folder.file("link.db")
        #expect(symlink(site.database, link) == 0)
        let other = try site.folder.write(text.replacingOccurrences(of: site.database, with: link), to: "other.yaml")
        func refused(_ file: String) async throws {
            let ended = try await Program.run(["run", "--config", file])
            #expect(ended.code == 69)
            #expect(ended.errors.contains("another rangefinder is running on"), "\(ended.errors)")
        }
        try await refused(other)
        for lock in [site.database + ".lock", link + ".lock"] { unlink(lock) }
        try await refused(other)
        for lock in [site.database + ".lock", link + ".lock"] { unlink(lock) }
        try await refused(site.configuration)
        // The first one's locks are whole.
        let before = site.target.requests.count
        try await site.target.until { $0.count >= before + 2 }
        first.send(SIGTERM)
        #expect(await first.ended() == 0)
        let second = try RunningProgram(["run", "--config", other])
        #expect(try await second.errors.until("listening"))
        second.send(SIGTERM)
        #expect(await second.ended() == 0)
    }
}
