import Foundation
import TestSupport
import Testing

/// A daemon that watches a file.
@Suite(.timeLimit(.minutes(5))) struct TargetsFileTests {
    private let folder: TemporaryFolder
    private let target: LoopbackServer

    init() throws {
        folder = try TemporaryFolder()
        target = try LoopbackServer { $0.path == "/bad" ? .http(503) : .http(200) }
    }

    private func configuration(syncInterval: String = "1h", _ more: String = "") throws -> String {
        try folder.write(
            """
            vantage: test
            listen: 127.0.0.1:0
            targets_file: targets.yaml
            targets_api: {sync_interval: \(syncInterval)}
            history: {path: \(folder.file("history.db"))}
            egress: {allow: [127.0.0.0/8]}
            probe: {interval: 2s, fast_interval: 100ms, timeout: 2s}
            log: {level: debug}
            \(more)
            """, to: "rangefinder.yaml")
    }

    private func write(_ names: [String], probe: String = "") throws {
        let entries = names.map { "  - {name: \($0), url: '\(target.url)/\($0)'\(probe)}" }
        try folder.write("targets:\n" + entries.joined(separator: "\n") + "\n", to: "targets.yaml")
    }

    private func start() async throws -> (program: RunningProgram, port: Int) {
        let program = try RunningProgram(["run", "--config", folder.file("rangefinder.yaml")])
        return (program, try await program.port(after: "info listening address=127.0.0.1:"))
    }

    private func names(_ port: Int) async throws -> Set<String> {
        let body = try await get(port, "/targets.json?sort=name").body
        return Set(body.matches(of: /"target":"([^"]*)"/).map { String($0.1) })
    }

    /// With an hour between two looks, what is seen at once is seen by inotify.
    @Test func aChangeOfTheFileIsSeenAtOnceAndABadOneChangesNothing() async throws {
        _ = try configuration()
        try write(["one", "bad"])
        let (program, port) = try await start()
        #expect(try await program.errors.until("bad is down"))
        #expect(try await names(port) == ["one", "bad"])
        // As an editor does: another file takes its place.
        try folder.write(
            "targets:\n  - {name: three, url: '\(target.url)/three'}\n  - {name: one, url: '\(target.url)/one'}\n  - {name: bad, url: '\(target.url)/bad'}\n",
            to: "new.yaml")
        #expect(rename(folder.file("new.yaml"), folder.file("targets.yaml")) == 0)
        while try await names(port) != ["one", "bad", "three"] {}
        // The history goes on: its identity is its name.
        #expect(try await get(port, "/targets/file/bad.json").body.contains("\"open_incident\":{"))
        try folder.write("targets:\n  - {name: one, ulr: 'https://a.example'}\n", to: "targets.yaml")
        #expect(try await program.errors.until("targets.yaml:2:17: unknown key 'ulr'; did you mean 'url'?"))
        #expect(try await names(port) == ["one", "bad", "three"])
        try write(["one", "bad", "three", "four"])
        #expect(try await program.errors.until("sync works again"))
        while try await names(port) != ["one", "bad", "three", "four"] {}
        program.send(SIGTERM)
        #expect(await program.ended() == 0)
    }

    /// Kubernetes puts another link in the place of the folder.
    @Test func aFileBehindALinkThatIsReplacedIsSeen() async throws {
        _ = try configuration()
        for (name, targets) in [("v1", ["one"]), ("v2", ["one", "two"])] {
            try FileManager.default.createDirectory(atPath: folder.file(name), withIntermediateDirectories: true)
            try write(targets)
            try FileManager.default.moveItem(atPath: folder.file("targets.yaml"), toPath: folder.file("\(name)/targets.yaml"))
        }
        #expect(symlink("v1", folder.file("..data")) == 0)
        #expect(symlink("..data/targets.yaml", folder.file("targets.yaml")) == 0)
        let (program, port) = try await start()
        while try await names(port) != ["one"] {}
        #expect(symlink("v2", folder.file("..tmp")) == 0 && rename(folder.file("..tmp"), folder.file("..data")) == 0)
        while try await names(port) != ["one", "two"] {}
        program.send(SIGTERM)
        _ = await program.ended()
    }

    @Test func aFileThatLosesMostIsHeldUntilItIsAccepted() async throws {
        _ = try configuration()
        try write((0..<20).map { "t\($0)" })
        let (program, port) = try await start()
        while try await names(port).count != 20 {}
        try write(["t0"])
        #expect(try await program.errors.until("sync held"))
        #expect(try await names(port).count == 20)
        let accepted = try await Program.run(["sync", "--accept", "--config", folder.file("rangefinder.yaml")])
        #expect(accepted.code == 0, "\(accepted.errors)")
        while try await names(port) != ["t0"] {}
        program.send(SIGTERM)
        _ = await program.ended()
    }

    @Test func probeSettingsStandBesideATargetAndAreToldByThePageAndTheCommands() async throws {
        _ = try configuration()
        try write(["one", "bad"], probe: ", probe: {expect: {status: [503]}}")
        let (program, port) = try await start()
        #expect(try await program.errors.until("one is down"))
        let reloaded = try await Program.run(["reload", "--config", folder.file("rangefinder.yaml")])
        #expect(reloaded.output + reloaded.errors == "reloaded\n", "\(reloaded.output)\(reloaded.errors)")
        let page = try await get(port, "/targets/file/one").body
        #expect(page.contains("beside the target, in targets_file"))
        let probed = try await Program.run(["probe", "--config", folder.file("rangefinder.yaml"), "--target", "bad"])
        #expect(probed.code == 0, "\(probed.output) \(probed.errors)")
        // A change of the settings alone is taken, too.
        try write(["one", "bad"], probe: ", probe: {expect: {status: [200]}}")
        #expect(try await program.errors.until("one is up"))
        // The commands know of them, too.
        try write(["one", "bad"], probe: ", probe: {enabled: false}")
        let config = folder.file("rangefinder.yaml")
        while !(try await Program.run(["status", "--config", config]).output.contains("not probed: enabled is false")) {}
        program.send(SIGTERM)
        _ = await program.ended()
    }

    /// As the README has it: nothing has changed only because the path is written in another way.
    @Test func aConfigurationThatIsNamedFromItsFolderIsReloadedAsItIs() async throws {
        try folder.write(
            "listen: 127.0.0.1:0\ntargets_file: targets.yaml\nhistory: {path: history.db}\n", to: "rangefinder.yaml")
        try write(["one"])
        let program = try RunningProgram(["run", "-c", "rangefinder.yaml"], shell: "cd '\(folder.path)'")
        _ = try await program.port(after: "info listening address=127.0.0.1:")
        let reloaded = try await Program.run(["reload", "--config", folder.file("rangefinder.yaml")])
        #expect(reloaded.code == 0 && reloaded.output + reloaded.errors == "reloaded\n", "\(reloaded.output)\(reloaded.errors)")
        program.send(SIGTERM)
        _ = await program.ended()
    }

    /// The settings belong to the list: they are remembered with it, held with it, and gone with it.
    @Test func settingsBesideATargetAreTakenAndRememberedWithTheList() async throws {
        _ = try configuration()
        let own = ", probe: {expect: {status: [503]}}"
        try write(["bad"] + (0..<7).map { "t\($0)" }, probe: own)
        var (program, port) = try await start()
        #expect(try await program.errors.until("t6 is down"))
        // A list that is held changes no settings either.
        try write(["bad"])
        #expect(try await program.errors.until("sync held"))
        #expect(try await get(port, "/targets/file/bad").body.contains("beside the target, in targets_file"))
        program.send(SIGTERM)
        _ = await program.ended()
        // A daemon that can't read its file goes on with what it remembers.
        try folder.write("targets: [", to: "targets.yaml")
        (program, port) = try await start()
        #expect(try await program.errors.until("sync failed"))
        let page = try await get(port, "/targets/file/bad").body
        #expect(page.contains("beside the target, in targets_file"))
        let overview = try await get(port, "/").body
        #expect(overview.contains("A list can&#39;t be read.") && overview.contains("targets.yaml:2:1: not YAML"), "\(overview)")
        try write(["bad"] + (0..<7).map { "t\($0)" })
        #expect(try await program.errors.until("bad is down"))
        #expect(!(try await get(port, "/targets/file/bad").body.contains("beside the target, in targets_file")))
        program.send(SIGTERM)
        _ = await program.ended()
    }

    /// Without its secret nothing is sent, and the target is not to blame. The secret is read again when the list is.
    @Test func aTargetWhoseSecretIsGoneIsNotProbedWithoutIt() async throws {
        _ = try configuration(syncInterval: "1s")
        let server = try LoopbackServer { $0.headers["authorization"] == "t0ken-12345" ? .http(200) : .http(401) }
        try folder.write("t0ken-12345\n", to: "shop-token")
        try folder.write(
            "targets:\n  - {name: shop, url: '\(server.url)/', probe: {headers: {Authorization: {file: shop-token}}}}\n",
            to: "targets.yaml")
        func status() async throws -> String {
            try await Program.run(["status", "--database", folder.file("history.db")]).output
        }
        var (program, port) = try await start()
        while !(try await status().contains("1 up")) {}
        program.send(SIGTERM)
        _ = await program.ended()
        let asked = server.requests.count
        try FileManager.default.removeItem(atPath: folder.file("shop-token"))
        (program, port) = try await start()
        #expect(try await program.errors.until("the probe settings of this target can't be used here: "))
        #expect(server.requests.count == asked)
        #expect(try await get(port, "/").body.contains("1 target is not probed."))
        while !(try await status().contains("its log says why")) {}
        try folder.write("t0ken-12345\n", to: "shop-token")
        try await server.until { $0.count > asked }
        #expect(server.requests.last?.headers["authorization"] == "t0ken-12345")
        #expect(!(try await get(port, "/targets/file/shop").body.contains("t0ken-12345")))
        #expect(!program.errors.text.contains("t0ken-12345"))
        program.send(SIGTERM)
        _ = await program.ended()
    }

    /// A person who asks again and again is no further witness.
    @Test func aHeldListIsNotTakenBecauseSomebodyAsksOften() async throws {
        let config = try configuration()
        try write((0..<20).map { "t\($0)" })
        let (program, port) = try await start()
        while try await names(port).count != 20 {}
        try write(["t0"])
        #expect(try await program.errors.until("sync held"))
        for _ in 0..<4 {
            let asked = try await Program.run(["sync", "--config", config])
            #expect(asked.code == 1 && asked.errors.contains("would remove 19 of 20 targets"), "\(asked.errors)")
        }
        #expect(try await names(port).count == 20)
        program.send(SIGTERM)
        _ = await program.ended()
    }

    @Test func checkConfigSaysWhatCannotBeProbed() async throws {
        let config = try configuration()
        try folder.write("targets: [http://10.1.2.3/x, http://127.0.0.1:9/]\n", to: "targets.yaml")
        let checked = try await Program.run(["check-config", "--config", config])
        #expect(checked.code == 0 && checked.output.contains("warning: 10.1.2.3/x ("), "\(checked.output)")
        #expect(checked.output.contains("egress.allow") && checked.output.contains("is good: 2 targets."), "\(checked.output)")
    }

    @Test func whatIsWrongWithItIsSaidByCheckConfigAndDoctor() async throws {
        let config = try configuration()
        try folder.write("targets: [{url: 'https://a.example'}, {name: x}]\n", to: "targets.yaml")
        let checked = try await Program.run(["check-config", "--config", config])
        #expect(
            checked.code == 1 && checked.output.contains("targets.yaml:1:39: 'url' is missing"), "\(checked.output)")
        let doctor = try await Program.run(["doctor", "--config", config])
        #expect(doctor.output.contains("'url' is missing"), "\(doctor.output)")
        try write(["one"])
        let good = try await Program.run(["check-config", "--config", config])
        #expect(good.code == 0 && good.output.contains("targets.yaml is good: 1 target."), "\(good.output)")
        try FileManager.default.removeItem(atPath: folder.file("targets.yaml"))
        let gone = try await Program.run(["check-config", "--config", config])
        #expect(gone.code == 1 && gone.output.contains("targets.yaml:1:1: the file can't be read"), "\(gone.output)")
    }

    /// A daemon that starts without its file goes on with what it remembers.
    @Test func aFileThatIsGoneAtTheStartCostsNothing() async throws {
        _ = try configuration()
        try write(["one"])
        var (program, port) = try await start()
        while try await names(port) != ["one"] {}
        program.send(SIGTERM)
        _ = await program.ended()
        try FileManager.default.removeItem(atPath: folder.file("targets.yaml"))
        (program, port) = try await start()
        #expect(try await program.errors.until("sync failed"))
        #expect(try await names(port) == ["one"])
        try write(["one", "two"])
        while try await names(port) != ["one", "two"] {}
        program.send(SIGTERM)
        _ = await program.ended()
    }
}
