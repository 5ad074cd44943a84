import Health
import Settings
import TestSupport
import Testing

@testable import Daemon

@Suite(.timeLimit(.minutes(5))) struct ReloadTests {
    private func configuration(_ api: String, _ folder: TemporaryFolder, probe: String, listen: String = "127.0.0.1:0") -> String
    {
        """
        listen: \(listen)
        admin: true
        targets_api:
          base_url: \(api)
          clients: [{id: \(documentedClient), token_file: token}]
        history: {path: \(folder.file("history.db"))}
        egress: {allow: [127.0.0.0/8]}
        probe: \(probe)
        """
    }

    private func withDaemon(
        _ body:
            @escaping @Sendable (RunningDaemon, _ write: @escaping @Sendable (_ probe: String, _ listen: String) throws -> Void)
            async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        let target = try LoopbackServer { request in .http(request.headers["x-new"] == nil ? 500 : 200) }
        let api = try ScriptedAPI(list([record("tgt_1", name: "One", url: target.url)]))
        let file = folder.file("rangefinder.yaml")
        try folder.write(testToken, to: "token")
        let url = api.server.url
        let write: @Sendable (String, String) throws -> Void = { probe, listen in
            try folder.write(configuration(url, folder, probe: probe, listen: listen), to: "rangefinder.yaml")
        }
        try write("{interval: 2s, fast_interval: 100ms}", "127.0.0.1:0")
        let settings = try #require(Settings.load(path: file).settings)
        try await RunningDaemon.run(settings, configuration: file) { running in try await body(running, write) }
    }

    @Test func takesNewSettingsAndKeepsTheStatus() async throws {
        try await withDaemon { running, write in
            try await running.log.until("One is down")
            try write("{interval: 2s, fast_interval: 100ms, headers: {X-New: \"1\"}}", "127.0.0.1:0")
            #expect(try await running.post("/-/reload").status == 200)
            try await running.log.until("One is up: HTTP 200")
            #expect(running.log.lines.contains { $0.contains("One is up") && $0.contains("from=down") })
            #expect(try await running.metric("rangefinder_config_last_reload_successful") == 1)
        }
    }

    @Test func aBadFileChangesNothingAndIsReported() async throws {
        try await withDaemon { running, write in
            try write("{intervall: 1s}", "127.0.0.1:0")
            let answer = try await running.post("/-/reload")
            #expect(answer.status == 500)
            #expect(answer.body.contains("intervall") && answer.body.contains("interval"))
            #expect(try await running.metric("rangefinder_config_last_reload_successful") == 0)
            try await running.log.until("reload failed")
            try await running.log.until("One is down")
        }
    }

    /// One target of each of two regions, and a client that has none.
    @Test func whatLeavesNoClientOrNoTargetOfThoseThatAreWatchedIsALoss() async throws {
        let folder = try TemporaryFolder()
        let target = try LoopbackServer { _ in .http(200) }
        let records = [("a", "eu"), ("b", "us")].map { record($0, name: $0, url: target.url, region: $1) }
        let api = try ScriptedAPI(list(records))
        let settings = testSettings(folder, api: api.server.url)
        try await RunningDaemon.run(settings) { running in
            try await running.log.until("b is up")
            func loss(_ change: (inout Settings) -> Void) -> String? {
                var changed = settings
                change(&changed)
                return running.daemon.parts.reconciler.loss(under: changed)
            }
            let other = Settings.TargetsAPI.Client(id: "other", token: Secret("t"))
            func disabled(_ names: [String]) -> [Override] {
                names.map { name in
                    var (match, policy) = (Match(), settings.probe)
                    (match.name, policy.isEnabled) = (Glob(name), false)
                    return Override(match: match, policy: policy)
                }
            }
            #expect(loss { $0.targetsAPI.clients = [] } == "it would leave no client of 1")
            let none = "it would leave no target of the 2 that are watched: "
            #expect(loss { $0.targetsAPI.clients = [other] } == none + "their clients are not in it")
            #expect(loss { $0.targetsAPI.regions = ["asia"] } == none + "regions and shard leave none of them")
            #expect(loss { $0.overrides = disabled(["*"]) } == none + "none of them is enabled")
            #expect(loss { $0.overrides = disabled(["a", "b"]) } == none + "none of them is enabled")
            #expect(loss { $0.probe.isEnabled = false } == none + "none of them is enabled")
            // A file that is cut off before its last section.
            #expect(loss { $0.egress = EgressRule() } == none + "egress denies the addresses of all")
            // What leaves one is an everyday change.
            #expect(loss { $0.targetsAPI.clients.append(other) } == nil)
            #expect(loss { $0.targetsAPI.regions = ["us"] } == nil)
            #expect(loss { $0.overrides = disabled(["a"]) } == nil)
            let shards = (1...2).map { index in loss { $0.targetsAPI.shard = .init(index: index, count: 2) } }
            #expect(shards.contains(nil))
            let many = (1...50).map { index in loss { $0.targetsAPI.shard = .init(index: index, count: 50) } }
            #expect(many.count { $0 == none + "regions and shard leave none of them" } >= 48)
        }
    }

    @Test func whereNothingIsWatchedYetNothingIsLost() async throws {
        let folder = try TemporaryFolder()
        let api = try ScriptedAPI(.http(500))
        let settings = testSettings(folder, api: api.server.url)
        try await RunningDaemon.run(settings) { running in
            var changed = settings
            changed.targetsAPI.clients = [.init(id: "other", token: Secret("t"))]
            #expect(running.daemon.parts.reconciler.loss(under: changed) == nil)
        }
    }

    @Test func saysWhatWaitsForARestart() async throws {
        try await withDaemon { running, write in
            try write("{interval: 2s}", "127.0.0.1:1")
            #expect(try await running.post("/-/reload").body.contains("not in force before a restart: listen"))
        }
    }
}
