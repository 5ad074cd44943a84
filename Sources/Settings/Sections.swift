package import Health

/// Where a listener listens. Port 0 lets the system choose.
package struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    /// A name, or an address without brackets.
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Whether only this machine reaches it.
    package var isLoopback: Bool { Health.isLoopback(host: host) }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

extension Settings {
    /// This observer.
    package struct Vantage: Hashable, Sendable {
        package var name = "localhost"
        /// URLs that are asked when everything seems to fail.
        package var canaries: [String] = []
        package var holdMax: Duration = .seconds(300)
        package init() {}
    }

    package struct Metrics: Hashable, Sendable {
        package enum PerTarget: String, Hashable, Sendable, CaseIterable { case full, essential, none }
        package var perTarget = PerTarget.full
        package init() {}
    }

    package struct TargetsAPI: Hashable, Sendable {
        package struct Client: Hashable, Sendable {
            package var id: String
            package var token: Secret
            package init(id: String, token: Secret) {
                self.id = id
                self.token = token
            }
        }

        package var baseURL = "https://api.requestrocket.com"
        package var clients: [Client] = []
        package var syncInterval: Duration = .seconds(60)
        package var timeout: Duration = .seconds(10)
        /// Bytes of an answer.
        package var maxList = 256 << 20
        /// Probe only these; empty means all.
        package var regions: [String] = []
        package var shard: Shard?
        /// From 0 to 1: an answer that loses more than this share of a client's targets is held.
        package var shrinkGuard = 0.5
        package init() {}
    }

    package struct TargetsServer: Hashable, Sendable {
        package var listen = ListenAddress(host: "127.0.0.1", port: 10116)
        package var database = "/var/lib/rangefinder/targets.db"
        package var tokens: [Token]
        /// Requests a second of each token.
        package var rate = 2000
        package init(tokens: [Token]) { self.tokens = tokens }

        package struct Token: Hashable, Sendable {
            /// For the audit.
            package var name: String
            package var secret: Secret
            /// nil: it may act for every client.
            package var client: String?
            package var access = Access.write
            package init(name: String, secret: Secret) { (self.name, self.secret) = (name, secret) }
        }

        package enum Access: String, Hashable, Sendable, CaseIterable { case read, write }
    }

    package struct Limits: Hashable, Sendable {
        /// How many threads make probes; nil: one for each processor that the process may use.
        package var threads: Int?
        package var maxInFlight = 10_000
        package var maxLookups = 256
        /// From 0 to 1: the share of the planned starts a second that re-checks may add.
        package var fastBudget = 0.2
        package init() {}
    }

    package struct History: Hashable, Sendable {
        package var path = "/var/lib/rangefinder/history.db"
        package var keepRaw: Duration = .seconds(7 * 86_400)
        package var keepMinutes: Duration = .seconds(45 * 86_400)
        package var keepHours: Duration = .seconds(400 * 86_400)
        package var keepDays: Duration = .seconds(3650 * 86_400)
        /// Bytes.
        package var maxSize: Int?
        package init() {}
    }

    package struct Log: Hashable, Sendable {
        package enum Level: String, Hashable, Sendable, CaseIterable {
            case trace, debug, info, notice, warning, error, critical
        }
        package enum Format: String, Hashable, Sendable, CaseIterable { case text, json }
        package var level = Level.info
        package var format = Format.text
        package init() {}
    }

    package struct Alerting: Hashable, Sendable {
        package struct Webhook: Hashable, Sendable {
            package var url: PolicyText
            /// Signs what is sent.
            package var secret: Secret?
            package init(url: PolicyText, secret: Secret? = nil) { (self.url, self.secret) = (url, secret) }
        }
        package struct Heartbeat: Hashable, Sendable {
            package var url: Secret
            package var interval: Duration
            /// `GET`, or `POST` with the daemon's status.
            package var posts: Bool
            /// A start that fails is told at the same URL with `/fail` behind its path.
            package var tellsFailedStart: Bool
            package init(
                url: Secret, interval: Duration = .seconds(60), posts: Bool = false, tellsFailedStart: Bool = false
            ) {
                (self.url, self.interval, self.posts, self.tellsFailedStart) = (url, interval, posts, tellsFailedStart)
            }
        }

        /// Base URLs.
        package var alertmanagers: [String] = []
        package var webhooks: [Webhook] = []
        package var resendInterval: Duration = .seconds(60)
        package var groupWindow: Duration = .seconds(10)
        package var degraded = false
        /// Alerts have what the target said.
        package var evidence = false
        package var heartbeat: Heartbeat?
        package init() {}
    }

    /// A time in which the targets that match are expected to be down. UTC.
    package struct Maintenance: Hashable, Sendable {
        package enum When: Hashable, Sendable {
            case once(from: Timestamp, to: Timestamp)
            /// The five fields of cron(8), as written.
            case recurring(cron: String, duration: Duration)
        }
        package var match: Match
        package var when: When
    }
}
