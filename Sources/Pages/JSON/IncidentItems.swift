import FoundationEssentials
import Health

/// One outage as JSON has it; names as in `incident_history`.
package struct IncidentItem: Encodable {
    var incidentID: Int64
    var targetID: String
    var clientID: String
    var target: String
    var region: String
    var vantage: String
    var startedAt: String
    var confirmedAt: String
    @OrNull var endedAt: String?
    var reason: String
    @OrNull var httpStatus: Int?
    var failedProbes: Int
    @OrNull var closedAs: String?

    package init(_ entry: IncidentEntry) {
        incidentID = entry.id
        targetID = entry.incident.target.key
        clientID = entry.incident.target.clientID
        (target, region, vantage) = (entry.name, entry.region, entry.vantage)
        startedAt = entry.incident.startedAt.description
        confirmedAt = entry.incident.confirmedAt.description
        endedAt = entry.incident.endedAt?.description
        reason = entry.incident.reason.rawValue
        httpStatus = entry.incident.httpStatus
        failedProbes = entry.incident.failedProbes
        closedAs = entry.incident.closedAs?.rawValue
    }
}

/// One outage with its evidence; names as in `incident_history` and `incident_evidence`.
package struct IncidentDetailItem: Encodable {
    var incident: IncidentItem
    @OrNull var alertedAt: String?
    @OrNull var intervalUs: Int64?
    @OrNull var detectionBoundUs: Int64?
    var evidence: [EvidenceItem]
    var notes: [Note]

    struct Note: Encodable {
        var at: String
        var text: String
        var `public`: Bool
    }

    package init(_ facts: IncidentFacts) {
        incident = IncidentItem(facts.entry)
        alertedAt = facts.alertedAt?.description
        intervalUs = facts.interval?.wholeMicroseconds
        detectionBoundUs = facts.bound?.wholeMicroseconds
        evidence = Evidence.Kind.allCases.compactMap { kind in facts.evidence[kind].map { EvidenceItem(kind, $0) } }
        notes = facts.remarks.map { Note(at: $0.at.description, text: $0.text, public: $0.isPublic) }
    }
}

/// `/incidents/{id}.json`.
struct IncidentPageItem: Encodable {
    /// What the incidents that began within one interval have in common.
    struct Shared: Encodable {
        var kind: String
        var value: String
        var count: Int
        @OrNull var standing: Int?
    }

    var detail: IncidentDetailItem
    var others: [IncidentItem]
    var shared: [Shared]

    init(_ facts: IncidentFacts, others: [IncidentEntry], _ companions: Companions) {
        detail = IncidentDetailItem(facts)
        self.others = others.map { IncidentItem($0) }
        shared = companions.groups.map {
            Shared(kind: $0.thing.kind, value: $0.thing.value, count: $0.count, standing: $0.standing)
        }
    }
}

/// An entry of `/feed.atom.json`.
struct FeedItem: Encodable {
    @OrNull var uuid: String?
    var publishedAt: String
    var updatedAt: String
    var incident: IncidentItem

    init(_ facts: IncidentFacts) {
        uuid = facts.uuid
        publishedAt = facts.entry.incident.confirmedAt.description
        updatedAt = (facts.changedAt ?? facts.entry.incident.confirmedAt).description
        incident = IncidentItem(facts.entry)
    }
}

struct EvidenceItem: Encodable {
    struct Address: Encodable {
        var address: String
        var state: String
    }

    struct Certificate: Encodable {
        var subject: String
        var issuer: String
        var names: [String]
        @OrNull var notBefore: String?
        @OrNull var notAfter: String?
        var fingerprint: String
    }

    var kind: String
    var at: String
    @OrNull var httpStatus: Int?
    @OrNull var headers: String?
    /// As text where it is UTF-8; else nil, and ``bodyBase64`` has it.
    @OrNull var body: String?
    @OrNull var bodyBase64: String?
    @OrNull var bodyBytes: Int?
    @OrNull var address: String?
    var addresses: [Address]
    var certificates: [Certificate]
    var phasesUs: [String: Int64?]

    init(_ kind: Evidence.Kind, _ evidence: Evidence) {
        self.kind = kind.rawValue
        at = evidence.at.description
        (httpStatus, headers, bodyBytes, address) = (evidence.httpStatus, evidence.headers, evidence.bodyBytes, evidence.address)
        if let bytes = evidence.body {
            let isWhole = evidence.bodyBytes == bytes.count
            if case .text(let text) = BodyExcerpt(bytes, isWhole: isWhole) {
                body = text
            } else {
                bodyBase64 = Data(bytes).base64EncodedString()
            }
        }
        addresses = evidence.addresses.map { Address(address: $0.text, state: $0.state.rawValue) }
        certificates = evidence.certificates.map {
            Certificate(
                subject: $0.subject, issuer: $0.issuer, names: $0.names, notBefore: $0.notBefore?.description,
                notAfter: $0.notAfter?.description, fingerprint: $0.fingerprint)
        }
        phasesUs = phasesInMicroseconds(evidence.phases)
    }
}

/// By the name of the phase; null for one that was not reached.
func phasesInMicroseconds(_ phases: Phases) -> [String: Int64?] {
    Dictionary(uniqueKeysWithValues: Phase.allCases.map { ($0.rawValue, phases[$0]?.wholeMicroseconds) })
}
