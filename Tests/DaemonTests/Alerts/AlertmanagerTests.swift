import Health
import Logging
import Settings
import Synchronization
import TestSupport
import Testing

@testable import Daemon

/// Debian's Alertmanager behind the daemon, and a receiver behind that. What a kill in an outage leaves is in CommandTests.
@Suite(.timeLimit(.minutes(5))) struct AlertmanagerTests {
    private struct Place {
        let folder: TemporaryFolder
        let target: LoopbackServer
        let isBad = Flag()
        var settings: Settings

        final class Flag: Sendable {
            let value = Mutex<Set<String>>([])
        }

        init(alertmanagers: [String]) throws {
            folder = try TemporaryFolder()
            let isBad = isBad
            let target = try LoopbackServer { request in
                isBad.value.withLock { $0.contains(request.path) } ? .http(500) : .http(200)
            }
            let api = try ScriptedAPI(list(["a", "b"].map { record("tgt_\($0)", name: $0, url: target.url, path: "/\($0)") }))
            (self.api, self.target) = (api, target)
            settings = testSettings(folder, api: api.server.url)
            settings.alerting.alertmanagers = alertmanagers
            // An alert ends by itself after four of these, and a daemon that restarts on a busy machine takes its time.
            settings.alerting.resendInterval = .seconds(8)
        }

        private let api: ScriptedAPI

        func fail(_ paths: Set<String>) { isBad.value.withLock { $0 = paths } }
    }

    @Test func anAlertmanagerThatWasAwayHearsOfItOnce() async throws {
        let receiver = try AlertmanagerReceiver()
        let port = try freePort()
        let place = try Place(alertmanagers: ["http://127.0.0.1:\(port)"])
        try await RunningDaemon.run(place.settings, level: .notice) { running in
            place.fail(["/a"])
            try await running.log.until("Alertmanager http://127.0.0.1:\(port) doesn't take alerts")
            let alertmanager = try Alertmanager(in: place.folder, "late", port: port, receiver: receiver)
            defer { alertmanager.end() }
            try await receiver.told.until { $0.contains(.init(status: "firing", target: "a")) }
            try await running.log.until("takes alerts again")
            place.fail([])
            try await receiver.told.until { $0.contains(.init(status: "resolved", target: "a")) }
            #expect(receiver.count("firing", "a") == 1)
            #expect(receiver.count("resolved", "a") == 1)
            #expect(try await running.metric("rangefinder_alerts_queued") == 0)
        }
    }
}
