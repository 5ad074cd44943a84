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

    @Test func saysWhatWaitsForARestart() async throws {
        try await withDaemon { running, write in
            try write("{interval: 2s}", "127.0.0.1:1")
            #expect(try await running.post("/-/reload").body.contains("not in force before a restart: listen"))
        }
    }
}
