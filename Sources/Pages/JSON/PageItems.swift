import Health

/// `/targets/{client}/{id}.json`: one item.
struct TargetPageItem: Encodable {
    struct Probe: Encodable {
        var startedAt: String
        var result: String
        @OrNull var reason: String?
        @OrNull var cause: String?
        @OrNull var httpStatus: Int?
        @OrNull var address: String?
        var durationUs: Int64
        var phasesUs: [String: Int64?]
        var latenessUs: Int64
    }

    struct Step: Encodable {
        var start: String
        @OrNull var p50Us: Int64?
        @OrNull var p95Us: Int64?
        @OrNull var p99Us: Int64?
        var probes: Int
        var failures: Int
    }

    struct Setting: Encodable {
        var key: String
        var value: String
        var origin: String
    }

    var targetID: String
    var clientID: String
    var target: String
    var region: String
    var url: String
    var status: String
    @OrNull var since: String?
    @OrNull var reason: String?
    @OrNull var cause: String?
    @OrNull var sentence: String?
    var isUnprobeable: Bool
    var isInMaintenance: Bool
    var intervalUs: Int64
    var detectionBoundUs: Int64
    var consecutiveFailures: Int
    @OrNull var lastGood: EvidenceItem?
    var availability: AvailabilityItem
    var days: [String]
    var window: String
    var latency: [Step]
    var results: [Probe]
    var incidents: [IncidentItem]
    @OrNull var openIncident: IncidentDetailItem?
    var settings: [Setting]

    init(_ facts: TargetFacts) {
        let (identity, live) = (facts.identity, facts.live)
        (targetID, clientID) = (identity.identity.key, identity.identity.clientID)
        (target, region, url) = (identity.name, identity.region, facts.url)
        (status, since) = (live.status.rawValue, live.since?.description)
        (reason, cause, sentence) = (live.reason?.rawValue, live.cause?.rawValue, facts.sentence)
        (isUnprobeable, isInMaintenance) = (live.isUnprobeable, facts.isInMaintenance)
        (intervalUs, detectionBoundUs) = (facts.interval.wholeMicroseconds, facts.bound.wholeMicroseconds)
        consecutiveFailures = facts.failures
        lastGood = facts.lastGood.map { EvidenceItem(.lastGood, $0) }
        availability = AvailabilityItem(facts.sums, window: facts.window)
        (days, window) = (facts.days.map(\.key), facts.latency.window.rawValue)
        latency = facts.latency.steps.map {
            Step(
                start: $0.start.description, p50Us: $0.p50?.wholeMicroseconds, p95Us: $0.p95?.wholeMicroseconds,
                p99Us: $0.p99?.wholeMicroseconds, probes: $0.probes, failures: $0.failures)
        }
        results = facts.probes.map { probe in
            Probe(
                startedAt: probe.startedAt.description,
                result: probe.isVoid ? "void" : probe.outcome == .good ? "good" : probe.outcome.isSuccess ? "poor" : "bad",
                reason: probe.outcome.reason?.rawValue, cause: probe.outcome.cause?.rawValue, httpStatus: probe.httpStatus,
                address: probe.address, durationUs: probe.duration.wholeMicroseconds,
                phasesUs: phasesInMicroseconds(probe.phases),
                latenessUs: probe.lateness.wholeMicroseconds)
        }
        incidents = facts.incidents.map { IncidentItem($0) }
        openIncident = facts.openIncident.map { IncidentDetailItem($0) }
        settings = facts.settings.map { Setting(key: $0.key, value: $0.value, origin: $0.origin) }
    }
}

/// A row of `/certificates.json`.
struct CertificateItem: Encodable {
    struct Target: Encodable {
        var targetID: String
        var clientID: String
        var target: String
    }

    var fingerprint: String
    var subject: String
    var issuer: String
    var expiresAt: String
    var count: Int
    /// The first few.
    var targets: [Target]

    init(_ entry: CertificateEntry) {
        (fingerprint, subject, issuer, count) = (entry.fingerprint, entry.subject, entry.issuer, entry.count)
        expiresAt = entry.expiry.description
        targets = entry.targets.map { Target(targetID: $0.identity.key, clientID: $0.identity.clientID, target: $0.name) }
    }
}

/// `/daemon.json`: one item.
struct DaemonItem: Encodable {
    struct Lane: Encodable {
        var busyRatio: Double
        var plannedPerSecond: Double
        var stretch: Double
    }

    struct List: Encodable {
        var clientID: String
        @OrNull var fetchedAt: String?
        var isHeld: Bool
        var hasFailed: Bool
    }

    struct Spread: Encodable {
        var name: String
        @OrNull var p50Us: Int64?
        @OrNull var p99Us: Int64?
    }

    var problems: [String]
    @OrNull var doubt: String?
    var canaries: Int
    var spreads: [Spread]
    var lanes: [Lane]
    var missed: Int
    var tainted: Int
    var detectionExceptions: [String: Int]
    var inFlight: Int
    var rechecksDeferred: Int
    var lists: [List]
    var databaseBytes: Int64
    var walBytes: Int64
    var written: Int
    var dropped: Int
    var queued: Int
    @OrNull var historyTrouble: String?
    var alertsQueued: Int
    var alertsSent: Int
    var alertsFailed: Int
    var alertsSetAside: [String: Int]
    @OrNull var reloadedAt: String?
    @OrNull var reloadTrouble: String?
    var startedAt: String

    init(_ facts: DaemonFacts) {
        (problems, doubt, canaries) = (facts.problems, facts.doubt, facts.canaries)
        spreads = facts.spreads.map { Spread(name: $0.name, p50Us: $0.p50?.wholeMicroseconds, p99Us: $0.p99?.wholeMicroseconds) }
        lanes = facts.lanes.map { Lane(busyRatio: $0.busy, plannedPerSecond: $0.plannedPerSecond, stretch: $0.stretch) }
        (missed, tainted, detectionExceptions) = (facts.missed, facts.tainted, facts.exceptions)
        (inFlight, rechecksDeferred) = (facts.inFlight, facts.deferred)
        lists = facts.lists.map {
            List(clientID: $0.clientID, fetchedAt: $0.fetchedAt?.description, isHeld: $0.isHeld, hasFailed: $0.hasFailed)
        }
        (databaseBytes, walBytes, written) = (facts.databaseBytes, facts.walBytes, facts.written)
        (dropped, queued, historyTrouble) = (facts.dropped, facts.queued, facts.historyTrouble)
        (alertsQueued, alertsSent, alertsFailed) = (facts.alertsQueued, facts.alertsSent, facts.alertsFailed)
        (alertsSetAside, reloadedAt) = (facts.setAside, facts.reloadedAt?.description)
        (reloadTrouble, startedAt) = (facts.reloadTrouble, facts.startedAt.description)
    }
}
