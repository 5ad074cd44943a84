import Health

/// Alerts that a webhook hears of together: those of one host, certificate or region that began within a window.
struct AlertGroup: Codable, Hashable, Sendable {
    enum Kind: String, Codable, Hashable, Sendable { case host, certificate, region, alone }

    let id: String
    let kind: Kind
    /// The host, the certificate's issuer and expiry, the region, or the alert's name.
    let value: String
    /// By key, as they were last.
    private(set) var members: [String: Alert] = [:]
    private(set) var firing = 0
    /// How many messages have been made of it.
    var sequence = 0

    init(id: String, kind: Kind, value: String) { (self.id, self.kind, self.value) = (id, kind, value) }

    var isOver: Bool { firing == 0 }

    mutating func take(_ alert: Alert) {
        let before = members.updateValue(alert, forKey: alert.key)
        firing += (alert.isFiring ? 1 : 0) - (before?.isFiring == true ? 1 : 0)
    }
}

/// One message of a group: the first, a follow-up when members joined, or the last when all are over.
struct GroupMessage: Hashable, Sendable {
    enum Kind: String, Hashable, Sendable { case firing, update, resolved }
    let kind: Kind
    let group: AlertGroup

    var id: String { "\(group.id)-\(group.sequence)" }
}

/// Which alerts go together, and when there is something to say. Pure.
struct GroupBook: Sendable {
    var window: Duration
    private(set) var groups: [String: AlertGroup] = [:]
    /// Groups by what their members share, and by the keys of all their members: there may be a hundred thousand.
    private var groupIDs: [String: String] = [:]
    private var groupOfMember: [String: String] = [:]
    /// Began and isn't in a group yet.
    private var pending: [String: Alert] = [:]
    private var pendingSince: ContinuousClock.Instant?
    /// Groups that members joined, and since when.
    private var joined: [String: ContinuousClock.Instant] = [:]

    /// So many targets of one region that began together are the region's matter.
    private static let regionMin = 5

    init(window: Duration) { self.window = window }

    /// Whether it is told of with a group that goes on, also when it is over itself.
    func has(_ key: String) -> Bool { groupOfMember[key] != nil }

    /// Whether it fires as far as its group knows.
    private func fires(_ key: String) -> Bool { groupOfMember[key].flatMap { groups[$0]?.members[key]?.isFiring } ?? false }

    mutating func restore(_ group: AlertGroup) { begin(group) }

    /// Level against level, after a restart: members end that fire no longer, and who isn't in a group yet joins.
    ///
    /// - Parameters:
    ///   - coming: alerts whose change is still to be followed.
    ///   - canBegin: whether anybody would hear of what isn't in a group yet.
    mutating func reconcile(
        _ alerts: [String: Alert], except coming: Set<String>, canBegin: Bool, at now: ContinuousClock.Instant, wall: Timestamp
    ) -> [GroupMessage] {
        let lost = groupOfMember.compactMap { key, id -> Alert? in
            guard alerts[key] == nil, !coming.contains(key), var alert = groups[id]?.members[key], alert.isFiring else {
                return nil
            }
            alert.end(.removed, at: wall)
            return alert
        }
        let changed = alerts.values.filter { $0.isFiring ? canBegin && !fires($0.key) : fires($0.key) }
        return (lost + changed).sorted { $0.key < $1.key }.flatMap { follow($0, at: now) }
    }

    private mutating func begin(_ group: AlertGroup) {
        groups[group.id] = group
        if group.kind != .alone { groupIDs[Self.place(group.kind, group.value)] = group.id }
        for key in group.members.keys { groupOfMember[key] = group.id }
    }

    private static func place(_ kind: AlertGroup.Kind, _ value: String) -> String { "\(kind.rawValue) \(value)" }

    /// Returns the messages that are due at once: of groups that are over.
    mutating func follow(_ change: Alert, at now: ContinuousClock.Instant) -> [GroupMessage] {
        if change.isFiring {
            join(change, at: now)
            return []
        }
        // Over before anybody heard of it.
        if pending.removeValue(forKey: change.key) != nil { return [] }
        guard fires(change.key), let id = groupOfMember[change.key] else { return [] }
        groups[id]?.take(change)
        guard let group = groups[id], group.isOver else { return [] }
        return [finish(group)]
    }

    private mutating func join(_ alert: Alert, at now: ContinuousClock.Instant) {
        // It is in one already: told again after a restart.
        guard !fires(alert.key) else { return }
        if let id = groupOfMember[alert.key] ?? Self.keys(of: alert).compactMap({ groupIDs[Self.place($0, $1)] }).first {
            groups[id]?.take(alert)
            groupOfMember[alert.key] = id
            joined[id] = joined[id] ?? now
            return
        }
        pending[alert.key] = alert
        pendingSince = pendingSince ?? now
    }

    private mutating func finish(_ group: AlertGroup) -> GroupMessage {
        var group = group
        group.sequence += 1
        (groups[group.id], joined[group.id]) = (nil, nil)
        for key in group.members.keys where groupOfMember[key] == group.id { groupOfMember[key] = nil }
        groupIDs[Self.place(group.kind, group.value)] = nil
        return GroupMessage(kind: .resolved, group: group)
    }

    /// The messages whose window has ended.
    mutating func tick(at now: ContinuousClock.Instant) -> [GroupMessage] {
        var messages: [GroupMessage] = []
        for (id, since) in joined.sorted(by: { $0.key < $1.key }) where since.duration(to: now) >= window {
            joined[id] = nil
            guard groups[id] != nil else { continue }
            groups[id]?.sequence += 1
            messages += groups[id].map { [GroupMessage(kind: .update, group: $0)] } ?? []
        }
        guard let pendingSince, pendingSince.duration(to: now) >= window else { return messages }
        self.pendingSince = nil
        for var group in Self.grouped(Array(pending.values)) {
            group.sequence = 1
            begin(group)
            messages.append(GroupMessage(kind: .firing, group: group))
        }
        pending = [:]
        return messages
    }

    /// Hosts first: one that fails for several targets is the likeliest. Of what is left, those that show the same certificate, then
    /// those of one region if they are many; and the rest each alone.
    private static func grouped(_ alerts: [Alert]) -> [AlertGroup] {
        var left = alerts.sorted { ($0.startedAt, $0.key) < ($1.startedAt, $1.key) }
        var groups: [AlertGroup] = []
        for (kind, least) in [(AlertGroup.Kind.host, 2), (.certificate, 2), (.region, regionMin)] {
            let values = Dictionary(grouping: left.indices) { index in keys(of: left[index]).first { $0.0 == kind }?.1 }
            let together = values.filter { $0.key != nil && $0.value.count >= least }.sorted { $0.value[0] < $1.value[0] }
            for (value, indices) in together { groups.append(group(kind, value ?? "", indices.map { left[$0] })) }
            let taken = Set(together.flatMap(\.value))
            left = left.indices.filter { !taken.contains($0) }.map { left[$0] }
        }
        // A later failure of the same host joins it.
        groups += left.map { alert in
            keys(of: alert).first.map { group($0.0, $0.1, [alert]) } ?? group(.alone, alert.name.rawValue, [alert])
        }
        return groups
    }

    private static func group(_ kind: AlertGroup.Kind, _ value: String, _ alerts: [Alert]) -> AlertGroup {
        var group = AlertGroup(id: groupID(alerts), kind: kind, value: value)
        for alert in alerts { group.take(alert) }
        return group
    }

    /// What an alert may share with others; nothing of one that isn't about a target.
    private static func keys(of alert: Alert) -> [(AlertGroup.Kind, String)] {
        guard let host = alert.labels["host"] else { return [] }
        let isCertificate =
            alert.name == .certificateExpiring || alert.annotations["reason"]?.hasPrefix("certificate_") == true
        var keys: [(AlertGroup.Kind, String)] = [(.host, "\(alert.name.rawValue) \(host)")]
        if isCertificate, let expiry = alert.annotations["certificate_expiry"] { keys.append((.certificate, expiry)) }
        if let region = alert.labels["region"], !region.isEmpty { keys.append((.region, "\(alert.name.rawValue) \(region)")) }
        return keys
    }
}
