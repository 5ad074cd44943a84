import Curl
import Foundation
import Health
import Logging
import Settings
import Synchronization
import TestSupport
import Testing

@testable import Daemon

/// Debian's Alertmanager behind the daemon, and a receiver behind that.
@Suite(.timeLimit(.minutes(3))) struct AlertmanagerTests {
    /// What a receiver of Alertmanager's webhooks was told: the status and the target of each alert of each notification.
    private final class Receiver: Sendable {
        struct Told: Hashable, Sendable {
            var status: String
            var target: String
        }

        private struct Notification: Decodable {
            struct Alert: Decodable {
                let status: String
                let labels: [String: String]
            }
            let alerts: [Alert]
        }

        let told = Watched<[Told]>([])
        private let server: LoopbackServer
        var url: String { server.url }

        init() throws {
            let told = told
            server = try LoopbackServer { request in
                let notification = try? JSONDecoder().decode(Notification.self, from: Data(request.body.utf8))
                told.change {
                    $0 += (notification?.alerts ?? []).map { Told(status: $0.status, target: $0.labels["target"] ?? "") }
                }
                return .http(200)
            }
        }

        func count(_ status: String, _ target: String) -> Int { told.value.count { $0 == Told(status: status, target: target) } }
    }

    /// A member tells what it knew before it waited for its peers: for longer than a group's interval, and it would tell what is over.
    private func start(_ folder: TemporaryFolder, _ name: String, port: Int, cluster: Int?, peer: Int?, receiver: Receiver) throws
        -> ChildProcess
    {
        let file = try folder.write(
            """
            route: {receiver: r, group_by: [alertname, target], group_wait: 0s, group_interval: 5s, repeat_interval: 1h}
            receivers: [{name: r, webhook_configs: [{url: "\(receiver.url)/"}]}]
            """, to: "\(name).yml")
        var arguments = [
            "--config.file=\(file)", "--storage.path=\(folder.file(name))", "--web.listen-address=127.0.0.1:\(port)",
            "--cluster.listen-address=\(cluster.map { "127.0.0.1:\($0)" } ?? "")", "--cluster.peer-timeout=2s",
            "--cluster.settle-timeout=0s",
        ]
        if let peer { arguments.append("--cluster.peer=127.0.0.1:\(peer)") }
        return try ChildProcess("/usr/bin/prometheus-alertmanager", arguments)
    }

    /// Only members that know each other keep silent for each other.
    private func untilClustered(_ port: Int) async throws {
        let engine = try TransferEngine()
        while true {
            try Task.checkCancellation()
            var request = TransferRequest(url: try #require(URLParts("http://127.0.0.1:\(port)/api/v2/status")))
            request.keepBody = 1 << 20
            let text = String(decoding: await engine.transfer(request).body, as: UTF8.self)
            if text.contains("\"status\":\"ready\""), text.split(separator: "\"address\"").count == 3 { break }
        }
        await engine.shutDown()
    }

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

    /// The daemon stops while it fires, and the outage ends under its successor.
    @Test func oneOutageIsOneNotificationAndOneResolutionOfTwoAlertmanagersOverARestart() async throws {
        let receiver = try Receiver()
        let ports = try (0..<4).map { _ in try freePort() }
        let place = try Place(alertmanagers: ports.prefix(2).map { "http://127.0.0.1:\($0)" })
        let members = [
            try start(place.folder, "one", port: ports[0], cluster: ports[2], peer: nil, receiver: receiver),
            try start(place.folder, "two", port: ports[1], cluster: ports[3], peer: ports[2], receiver: receiver),
        ]
        defer { members.forEach { $0.end() } }
        for port in ports.prefix(2) { try await untilClustered(port) }
        try await RunningDaemon.run(place.settings, level: .notice) { running in
            place.fail(["/a"])
            try await running.log.until("a is down")
            try await receiver.told.until { $0.contains(.init(status: "firing", target: "a")) }
        }
        try await RunningDaemon.run(place.settings, level: .notice) { running in
            let seen = place.target.requests.count
            try await place.target.until { $0.count > seen + 6 }
            place.fail([])
            try await running.log.until("a is up")
            try await receiver.told.until { $0.contains(.init(status: "resolved", target: "a")) }
            // Another outage after it: what the first still had to say has been said by its end.
            place.fail(["/b"])
            try await receiver.told.until { $0.contains(.init(status: "firing", target: "b")) }
            place.fail([])
            try await receiver.told.until { $0.contains(.init(status: "resolved", target: "b")) }
        }
        #expect(receiver.count("firing", "a") == 1)
        #expect(receiver.count("resolved", "a") == 1)
    }

    @Test func anAlertmanagerThatWasAwayHearsOfItOnce() async throws {
        let receiver = try Receiver()
        let port = try freePort()
        let place = try Place(alertmanagers: ["http://127.0.0.1:\(port)"])
        try await RunningDaemon.run(place.settings, level: .notice) { running in
            place.fail(["/a"])
            try await running.log.until("Alertmanager http://127.0.0.1:\(port) doesn't take alerts")
            let alertmanager = try start(place.folder, "late", port: port, cluster: nil, peer: nil, receiver: receiver)
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
