import Health

/// Alerts that a webhook hears of together: those of one host, certificate or region that began within a window.
///
/// Its members are outages, and not what they are of: a target that recovers and fails again is a member twice.
struct AlertGroup: Hashable, Sendable {
    enum Kind: String, Codable, Hashable, Sendable { case host, certificate, region, alone }

    let id: String
    let kind: Kind
    /// The host, the certificate's issuer and expiry, the region, or the alert's name.
    let value: String
    /// By ``Alert/outage``, as they were last.
    private(set) var members: [String: Alert] = [:]
    private(set) var firing = 0
    /// Members of which no message has said yet what they are now.
    private(set) var untold: Set<String> = []
    /// Members of which no message has said yet that they fire.
    private var unheard: Set<String> = []
    /// How many messages have been made of it.
    var sequence = 0
    /// The last outage of each key, and those that another has followed.
    private var latest: [String: String] = [:]
    private var superseded: Set<String> = []

    init(id: String, kind: Kind, value: String) { (self.id, self.kind, self.value) = (id, kind, value) }

    var isOver: Bool { firing == 0 }

    func fires(_ outage: String) -> Bool { members[outage]?.isFiring == true }

    /// Takes what an outage is now, which is to be told.
    ///
    /// - Returns: whether it is over before anybody has heard of it: then it is no member any more.
    @discardableResult
    mutating func take(_ alert: Alert) -> Bool {
        let outage = alert.outage
        if !alert.isFiring, unheard.contains(outage) {
            forget(outage)
            return true
        }
        if alert.isFiring, members[outage] == nil { unheard.insert(outage) }
        put(alert)
        untold.insert(outage)
        return false
    }

    /// All of it has been told. Outages that are over and have another of the same after them have nothing to add from now on.
    ///
    /// - Returns: those, which are no members any more.
    mutating func tell() -> Set<String> {
        let gone = superseded.filter { !fires($0) }
        for outage in gone { members[outage] = nil }
        superseded.subtract(gone)
        (untold, unheard) = ([], [])
        return gone
    }

    /// What is said of members that still fire may have changed.
    mutating func renew(_ alerts: [String: Alert]) {
        for (outage, alert) in members where alert.isFiring {
            if let known = alerts[alert.key], known.outage == outage, known.isFiring { members[outage] = known }
        }
    }

    private mutating func put(_ alert: Alert) {
        let outage = alert.outage
        let before = members.updateValue(alert, forKey: outage)
        firing += (alert.isFiring ? 1 : 0) - (before?.isFiring == true ? 1 : 0)
        if let earlier = latest.updateValue(outage, forKey: alert.key), earlier != outage { superseded.insert(earlier) }
    }

    private mutating func forget(_ outage: String) {
        guard let alert = members.removeValue(forKey: outage) else { return }
        if alert.isFiring { firing -= 1 }
        untold.remove(outage)
        unheard.remove(outage)
        superseded.remove(outage)
        if latest[alert.key] == outage { latest[alert.key] = nil }
    }
}

/// As it is in the database. Earlier versions had no `untold`, and their members by key.
extension AlertGroup: Codable {
    private enum Keys: String, CodingKey { case id, kind, value, members, untold, unheard, sequence }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        self.init(
            id: try container.decode(String.self, forKey: .id), kind: try container.decode(Kind.self, forKey: .kind),
            value: try container.decode(String.self, forKey: .value))
        let members = try container.decode([String: Alert].self, forKey: .members)
        for alert in members.values.sorted(by: { ($0.startedAt, $0.key) < ($1.startedAt, $1.key) }) { put(alert) }
        untold = Set(try container.decodeIfPresent([String].self, forKey: .untold) ?? []).intersection(self.members.keys)
        unheard = Set(try container.decodeIfPresent([String].self, forKey: .unheard) ?? []).intersection(untold)
        sequence = try container.decode(Int.self, forKey: .sequence)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(id, forKey: .id)
        try container.encode(kind, forKey: .kind)
        try container.encode(value, forKey: .value)
        try container.encode(members, forKey: .members)
        try container.encode(untold.sorted(), forKey: .untold)
        try container.encode(unheard.sorted(), forKey: .unheard)
        try container.encode(sequence, forKey: .sequence)
    }
}

/// One message of a group: the first, a follow-up when members joined or recovered, or the last when all are over.
struct GroupMessage: Hashable, Sendable {
    enum Kind: String, Hashable, Sendable { case firing, update, resolved }
    let kind: Kind
    /// As it was before this message told of it.
    var group: AlertGroup

    var id: String { "\(group.id)-\(group.sequence)" }
}
