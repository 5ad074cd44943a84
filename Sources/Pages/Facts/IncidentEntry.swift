package import Health

/// One incident, as lists have it. The names are those of its target at the time of reading.
package struct IncidentEntry: Hashable, Sendable {
    package var id: Int64
    package var name: String
    package var region: String
    package var vantage: String
    /// Of the target's URL; nil when the target is on no list any more.
    package var host: String?
    package var incident: Incident

    package init(id: Int64, name: String, region: String, vantage: String, host: String? = nil, incident: Incident) {
        (self.id, self.name, self.region, self.vantage) = (id, name, region, vantage)
        (self.host, self.incident) = (host, incident)
    }

    package var isOpen: Bool { incident.endedAt == nil }
}

/// What somebody noted on an incident.
package struct IncidentRemark: Hashable, Sendable {
    package var at: Timestamp
    package var text: String
    package var isPublic: Bool

    package init(at: Timestamp, text: String, isPublic: Bool) { (self.at, self.text, self.isPublic) = (at, text, isPublic) }
}

/// A maintenance window that somebody began by hand and that isn't over.
package struct OpenWindow: Hashable, Sendable {
    package var id: Int
    /// What it matches, as a person reads it.
    package var match: String
    package var until: Timestamp
    package var note: String

    package init(id: Int, match: String, until: Timestamp, note: String) {
        (self.id, self.match, self.until, self.note) = (id, match, until, note)
    }
}

/// One incident with all that is kept of it.
package struct IncidentFacts: Hashable, Sendable {
    package var entry: IncidentEntry
    /// The name of the incident in the feed.
    package var uuid: String?
    /// How often the target was probed when the incident was confirmed.
    package var interval: Duration?
    /// From when every probe fails to an alert.
    package var bound: Duration?
    package var alertedAt: Timestamp?
    package var changedAt: Timestamp?
    package var evidence: [Evidence.Kind: Evidence]
    /// In the order in which they were written.
    package var remarks: [IncidentRemark] = []

    package init(
        _ entry: IncidentEntry, uuid: String? = nil, interval: Duration? = nil, bound: Duration? = nil,
        alertedAt: Timestamp? = nil, changedAt: Timestamp? = nil, evidence: [Evidence.Kind: Evidence] = [:]
    ) {
        (self.entry, self.uuid, self.interval, self.bound) = (entry, uuid, interval, bound)
        (self.alertedAt, self.changedAt, self.evidence) = (alertedAt, changedAt, evidence)
    }

    /// When the incidents began that may have the same cause: within one interval of this one.
    package var company: ClosedRange<Timestamp> {
        let reach = max(interval ?? .seconds(30), .seconds(1))
        return entry.incident.startedAt + (.zero - reach)...entry.incident.startedAt + reach
    }
}

/// An incident that began within one interval of another, with what the two may have in common.
package struct CompanionFacts: Hashable, Sendable {
    package var entry: IncidentEntry
    /// That the first bad probe went to.
    package var address: IPAddress?
    /// Of the certificate that the server presented then.
    package var fingerprint: String?

    package init(_ entry: IncidentEntry, address: IPAddress?, fingerprint: String?) {
        (self.entry, self.address, self.fingerprint) = (entry, address, fingerprint)
    }
}
