import Foundation
import TestSupport

/// Takes alerts as an Alertmanager does, and keeps when each first came.
final class AlertReceiver: Sendable {
    struct Seen: Sendable {
        var name: String
        /// The target's name; empty for an alert of the daemon.
        var target: String
        var isFiring: Bool
        var at: ContinuousClock.Instant
        var annotations: [String: String]
    }

    private struct Posted: Decodable {
        let labels: [String: String]
        let annotations: [String: String]
        let endsAt: String
    }

    let seen = Watched<[Seen]>([])
    private let server: LoopbackServer

    var url: String { server.url }

    init() throws {
        let seen = seen
        server = try LoopbackServer { request in
            let now = ContinuousClock.now
            let posted = (try? JSONDecoder().decode([Posted].self, from: Data(request.body.utf8))) ?? []
            let wall = Date()
            let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
            seen.change { all in
                for alert in posted {
                    all.append(
                        Seen(
                            name: alert.labels["alertname"] ?? "", target: alert.labels["target"] ?? "",
                            isFiring: ((try? style.parse(alert.endsAt)) ?? .distantPast) > wall, at: now,
                            annotations: alert.annotations))
                }
            }
            return .http(200, body: "{}")
        }
    }

    /// The first time that each target's alert of this name came.
    func firstFiring(_ name: String) -> [String: ContinuousClock.Instant] {
        Dictionary(seen.value.filter { $0.name == name && $0.isFiring }.map { ($0.target, $0.at) }) { first, _ in first }
    }
}
