package import Health

/// What `/daemon` is made of: can the rest be trusted?
package struct DaemonFacts: Sendable {
    package struct Lane: Hashable, Sendable {
        /// From 0 to 1.
        package var busy: Double
        package var plannedPerSecond: Double
        /// How many intervals a round takes; 1 without overload.
        package var stretch: Double

        package init(busy: Double, plannedPerSecond: Double, stretch: Double) {
            (self.busy, self.plannedPerSecond, self.stretch) = (busy, plannedPerSecond, stretch)
        }
    }

    package struct List: Hashable, Sendable {
        package var clientID: String
        package var fetchedAt: Timestamp?
        package var isHeld: Bool
        package var hasFailed: Bool

        package init(clientID: String, fetchedAt: Timestamp?, isHeld: Bool, hasFailed: Bool) {
            (self.clientID, self.fetchedAt) = (clientID, fetchedAt)
            (self.isHeld, self.hasFailed) = (isHeld, hasFailed)
        }
    }

    package struct Spread: Hashable, Sendable {
        package var name: String
        package var p50: Duration?
        package var p99: Duration?

        package init(_ name: String, p50: Duration?, p99: Duration?) { (self.name, self.p50, self.p99) = (name, p50, p99) }
    }

    /// A sentence for each thing that isn't ready; none when all is.
    package var problems: [String] = []
    /// Why the daemon doubts its own network; nil without a doubt.
    package var doubt: String?
    package var canaries = 0
    /// Since the start.
    package var spreads: [Spread] = []
    package var lanes: [Lane] = []
    package var missed = 0
    package var tainted = 0
    package var exceptions: [String: Int] = [:]
    package var inFlight = 0
    package var inFlightMax = 0
    package var deferred = 0
    package var lists: [List] = []
    package var syncInterval = Duration.seconds(60)
    package var database = ""
    package var databaseBytes: Int64 = 0
    package var walBytes: Int64 = 0
    package var written = 0
    package var dropped = 0
    package var queued = 0
    package var historyTrouble: String?
    /// Alertmanagers and webhooks.
    package var receivers = 0
    package var alertsQueued = 0
    package var alertsSent = 0
    package var alertsFailed = 0
    /// By channel: messages that no service takes.
    package var setAside: [String: Int] = [:]
    package var configurationPath: String?
    package var reloadedAt: Timestamp?
    /// Of the last reload that failed; nil when the last one succeeded.
    package var reloadTrouble: String?
    package var startedAt = Timestamp(milliseconds: 0)

    package init() {}
}

/// One certificate with the targets that show it.
package struct CertificateEntry: Hashable, Sendable {
    /// SHA-256 in hexadecimal digits.
    package var fingerprint: String
    package var subject: String
    package var issuer: String
    /// The first expiry in the verified chain.
    package var expiry: Timestamp
    /// How many targets show it, and the first few by name.
    package var count: Int
    package var targets: [TargetIndex.Identity]

    package init(
        fingerprint: String, subject: String, issuer: String, expiry: Timestamp, count: Int, targets: [TargetIndex.Identity]
    ) {
        (self.fingerprint, self.subject, self.issuer, self.expiry) = (fingerprint, subject, issuer, expiry)
        (self.count, self.targets) = (count, targets)
    }
}
