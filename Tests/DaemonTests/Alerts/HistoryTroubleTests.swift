import Foundation
import Health
import Logging
import Settings
import TestSupport
import Testing

@testable import Alerting
@testable import Daemon

/// A database that can't be written is no doubt about the vantage: alerts go out of memory.
@Suite(.timeLimit(.minutes(5))) struct HistoryTroubleTests {
    private struct Message: Decodable {
        struct Alert: Decodable {
            let name: String
            let annotations: [String: String]
        }
        let id: String
        let kind: String
        let alerts: [Alert]
    }

    private func messages(_ requests: [LoopbackRequest]) -> [Message] {
        requests.compactMap { try? JSONDecoder().decode(Message.self, from: Data($0.body.utf8)) }
            .filter { $0.alerts.contains { $0.name == "TargetDown" } }
    }

    @Test func anOutageWhileAnotherProgramLocksTheDatabaseIsToldAtOnceAndOnce() async throws {
        let folder = try TemporaryFolder()
        let isBad = Watched(false)
        let target = try LoopbackServer { request in isBad.value && request.path == "/a" ? .http(500) : .http(200) }
        let hook = try LoopbackServer { _ in .http(200) }
        let api = try ScriptedAPI(
            list((0..<6).map { record("\($0)", name: "\($0)", url: target.url, path: $0 == 0 ? "/a" : "/b") }))
        var settings = testSettings(folder, api: api.server.url)
        settings.alerting.webhooks = [.init(url: .plain(hook.url), secret: nil)]
        settings.alerting.groupWindow = .zero
        // What waits for the end of a doubt would come after this, and the test would hang.
        settings.vantage.holdMax = .seconds(3600)
        try await RunningDaemon.run(settings, level: .notice) { running in
            while running.daemon.parts.registry.statuses[.up] != 6 { _ = try await running.get("/-/healthy") }
            let lock = try ChildProcess("/usr/bin/stdbuf", ["-oL", "sqlite3", folder.file("history.db")])
            lock.send(Array("BEGIN IMMEDIATE; SELECT 'locked';\n".utf8))
            #expect(lock.readOutput() != nil)
            try await running.log.until("the history can't be written")
            isBad.change { $0 = true }
            try await hook.until { !messages($0).isEmpty }
            #expect(try await running.metric("rangefinder_vantage_healthy") == 1)
            lock.send(Array("ROLLBACK; SELECT 'open';\n".utf8))
            #expect(lock.readOutput() != nil)
            try await running.log.until("the history can be written again")
            lock.endInput()
            _ = lock.waitForEnd()
        }
        // It was written down when that was possible again: the next life knows that it was told.
        try await RunningDaemon.run(settings, level: .notice) { running in
            isBad.change { $0 = false }
            try await hook.until { messages($0).contains { $0.kind == "resolved" } }
        }
        let told = messages(hook.requests)
        #expect(told.map(\.kind) == ["firing", "resolved"])
        #expect(told.allSatisfy { $0.alerts.allSatisfy { $0.annotations["during_vantage_doubt"] == nil } })
    }
}
