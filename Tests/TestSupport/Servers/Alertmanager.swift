import Foundation

/// Debian's Alertmanager with one receiver, which is told of each target apart.
package struct Alertmanager: Sendable {
    package let port: Int
    private let process: ChildProcess

    package var url: String { "http://127.0.0.1:\(port)" }

    /// - Parameters:
    ///   - name: of its files.
    ///   - port: a free one when nil.
    ///   - cluster: the port where other members find it.
    ///   - peer: the port of another member.
    package init(
        in folder: TemporaryFolder, _ name: String, port: Int? = nil, cluster: Int? = nil, peer: Int? = nil,
        receiver: AlertmanagerReceiver
    ) throws {
        // A member tells what it knew before it waited for its peers: for longer than a group's interval, and it would tell what is over.
        let file = try folder.write(
            """
            route: {receiver: r, group_by: [alertname, target], group_wait: 0s, group_interval: 5s, repeat_interval: 1h}
            receivers: [{name: r, webhook_configs: [{url: "\(receiver.url)/"}]}]
            """, to: "\(name).yml")
        self.port = try port ?? freePort()
        var arguments = [
            "--config.file=\(file)", "--storage.path=\(folder.file(name))", "--web.listen-address=127.0.0.1:\(self.port)",
            "--cluster.listen-address=\(cluster.map { "127.0.0.1:\($0)" } ?? "")", "--cluster.peer-timeout=2s",
            "--cluster.settle-timeout=0s",
        ]
        if let peer { arguments.append("--cluster.peer=127.0.0.1:\(peer)") }
        process = try ChildProcess("/usr/bin/prometheus-alertmanager", arguments)
    }

    package func end() { process.end() }

    /// Two members that know each other: only those keep silent for each other.
    package static func pair(in folder: TemporaryFolder, receiver: AlertmanagerReceiver) async throws -> [Alertmanager] {
        // A port that was free may be somebody else's by the time it is taken.
        for attempt in 1...5 {
            let clusters = [try freePort(), try freePort()]
            let pair = [
                try Alertmanager(in: folder, "one-\(attempt)", cluster: clusters[0], receiver: receiver),
                try Alertmanager(in: folder, "two-\(attempt)", cluster: clusters[1], peer: clusters[0], receiver: receiver),
            ]
            if try await areReady(pair) { return pair }
            for member in pair { member.end() }
        }
        throw SupportError("no two Alertmanagers found each other")
    }

    private static func areReady(_ pair: [Alertmanager]) async throws -> Bool {
        let deadline = ContinuousClock.now + .seconds(20)
        for member in pair {
            while true {
                try Task.checkCancellation()
                guard ContinuousClock.now < deadline else { return false }
                let status = try await onThread {
                    try ChildProcess.run("curl", ["-s", "\(member.url)/api/v2/status"], errors: .thrownAway).output
                }
                if status.contains("\"status\":\"ready\""), status.split(separator: "\"address\"").count == 3 { break }
            }
        }
        return true
    }
}

/// What a receiver of Alertmanager's webhooks was told: the status and the target of each alert of each notification.
package final class AlertmanagerReceiver: Sendable {
    package struct Told: Hashable, Sendable {
        package var status: String
        package var target: String
        package init(status: String, target: String) { (self.status, self.target) = (status, target) }
    }

    private struct Notification: Decodable {
        struct Alert: Decodable {
            let status: String
            let labels: [String: String]
        }
        let alerts: [Alert]
    }

    package let told = Watched<[Told]>([])
    private let server: LoopbackServer
    package var url: String { server.url }

    package init() throws {
        let told = told
        server = try LoopbackServer { request in
            let notification = try? JSONDecoder().decode(Notification.self, from: Data(request.body.utf8))
            told.change {
                $0 += (notification?.alerts ?? []).map { Told(status: $0.status, target: $0.labels["target"] ?? "") }
            }
            return .http(200)
        }
    }

    package func count(_ status: String, _ target: String) -> Int {
        told.value.count { $0 == Told(status: status, target: target) }
    }
}
