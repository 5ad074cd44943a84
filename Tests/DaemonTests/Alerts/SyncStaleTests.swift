import Foundation
import Health
import Logging
import Settings
import TestSupport
import Testing

@testable import Daemon

@Suite(.timeLimit(.minutes(5))) struct SyncStaleTests {
    /// A daemon that restarts oftener than a list is stale says so all the same, but not before it has asked.
    @Test func aListThatIsStaleIsSoAfterARestartToo() async throws {
        let (folder, receiver) = (try TemporaryFolder(), try AlertReceiver())
        let target = try LoopbackServer { _ in .http(200) }
        let api = try ScriptedAPI(list([record("a", name: "a", url: target.url)]))
        var settings = testSettings(folder, api: api.server.url)
        settings.alerting.alertmanagers = [receiver.url]
        try await RunningDaemon.run(settings, level: .notice) { _ in try await target.until { !$0.isEmpty } }
        let anHourAgo = Timestamp.now() + .seconds(-3600)
        let ended = try ChildProcess.run(
            "sqlite3",
            [
                folder.file("history.db"),
                "UPDATE alerting SET document = '\(anHourAgo.milliseconds)' WHERE kind = 'sync'; SELECT changes();",
            ])
        #expect(ended.output == "1\n")
        api.answer(.http(500))
        try await RunningDaemon.run(settings, level: .notice) { running in
            try await receiver.seen.until { $0.contains { $0.name == "SyncStale" && $0.isFiring } }
            let last = try await running.metric("rangefinder_sync_last_success_timestamp_seconds")
            #expect(last.map { Int64($0) } == anHourAgo.milliseconds / 1000)
            api.answer(list([record("a", name: "a", url: target.url)]))
            _ = try await running.post("/-/sync")
            try await receiver.seen.until { $0.contains { $0.name == "SyncStale" && !$0.isFiring } }
        }
    }
}
