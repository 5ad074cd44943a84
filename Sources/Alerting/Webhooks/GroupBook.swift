import Health

/// Which alerts go together, and when there is something to say. Pure.
struct GroupBook: Sendable {
    /// How long what has begun waits for more. It holds for windows that begin from now on, and ends those that would take longer.
    private(set) var window: Duration
    /// Alerts of an earlier life are still to come: the window that they wait in is kept for them.
    var awaitsEarlier = false
    private(set) var groups: [String: AlertGroup] = [:]
    /// When there is something to say: of a group by its id, and of what isn't in a group yet by ``ofPending``.
    private(set) var windows: [String: ContinuousClock.Instant] = [:]
    /// Groups by what their members share, and by all their members: there may be a hundred thousand.
    private var groupIDs: [String: String] = [:]
    private var groupOfOutage: [String: String] = [:]
    /// Began and isn't in a group yet, by outage.
    private var pending: [String: Alert] = [:]

    /// The window of what isn't in a group yet.
    static let ofPending = ""
    /// So many targets of one region that began together are the region's matter.
    private static let regionMin = 5
    /// So long what waits in a window of an earlier life waits for the rest of it.
    private static let looksTake: Duration = .seconds(15)

    init(window: Duration) { self.window = window }

    mutating func setWindow(_ window: Duration, at now: ContinuousClock.Instant) {
        self.window = window
        windows = windows.mapValues { min($0, now.advanced(by: window)) }
    }

    /// Whether it is told of with a group that goes on, also when it is over itself.
    func has(_ alert: Alert) -> Bool { groupOfOutage[alert.outage] != nil }

    /// Whether it fires as far as its group knows.
    private func fires(_ outage: String) -> Bool { member(outage)?.isFiring ?? false }

    private func member(_ outage: String) -> Alert? { groupOfOutage[outage].flatMap { groups[$0]?.members[outage] } }

    /// - Parameter end: when its window ends, which an earlier life began.
    mutating func restore(_ group: AlertGroup, at now: ContinuousClock.Instant) {
        begin(group)
        if !group.untold.isEmpty { open(group.id, at: now) }
    }

    /// A window that an earlier life began ends as it would have, and not later than one that begins now.
    mutating func restore(window id: String, ending: ContinuousClock.Instant, at now: ContinuousClock.Instant) {
        windows[id] = min(ending, now.advanced(by: window))
    }

    /// Level against level, after a restart: members end that fire no longer, and who isn't in a group yet joins.
    ///
    /// - Parameters:
    ///   - coming: keys of alerts whose change is still to be followed.
    ///   - canBegin: whether anybody would hear of what isn't in a group yet.
    mutating func reconcile(
        _ alerts: [String: Alert], except coming: Set<String>, canBegin: Bool, at now: ContinuousClock.Instant, wall: Timestamp
    ) -> [GroupMessage] {
        let lost = groupOfOutage.compactMap { outage, id -> Alert? in
            guard var alert = groups[id]?.members[outage], alert.isFiring, !coming.contains(alert.key) else { return nil }
            let known = alerts[alert.key]
            guard known?.outage != outage else { return nil }
            // Another outage of the same: this one has recovered by then. Without another, nobody watches it any more.
            alert.end(known == nil ? .removed : .recovered, at: known?.startedAt ?? wall)
            return alert
        }
        let changed = alerts.values.filter { alert in
            guard !coming.contains(alert.key) else { return false }
            guard alert.isFiring else { return fires(alert.outage) }
            return canBegin && (!fires(alert.outage) || member(alert.outage).map(alert.isNews) ?? false)
        }
        // What fires first, as it came: a group that others joined isn't over by the end of those before.
        func rank(_ alert: Alert) -> (Int, Timestamp, String) { (alert.isFiring ? 0 : 1, alert.startedAt, alert.key) }
        let messages = (lost + changed).sorted { rank($0) < rank($1) }.flatMap { apply($0, at: now) }
        // A window of an earlier life, of which nothing is left to say.
        if pending.isEmpty, !awaitsEarlier { windows[Self.ofPending] = nil }
        for id in windows.keys where id != Self.ofPending && groups[id]?.untold.isEmpty != false { windows[id] = nil }
        return messages
    }

    private mutating func begin(_ group: AlertGroup) {
        groups[group.id] = group
        if let indexKey = Self.indexKey(of: group) { groupIDs[indexKey] = group.id }
        for outage in group.members.keys { groupOfOutage[outage] = group.id }
    }

    /// Where others find it that are to join. A region's matter is what began within one window, and takes nobody after it.
    private static func indexKey(of group: AlertGroup) -> String? {
        group.kind == .alone || group.kind == .region ? nil : indexKey(group.kind, group.value)
    }

    private static func indexKey(_ kind: AlertGroup.Kind, _ value: String) -> String { asciiText("\(kind.rawValue) \(value)") }

    private mutating func open(_ id: String, at now: ContinuousClock.Instant) {
        windows[id] = windows[id] ?? now.advanced(by: window)
    }

    /// Returns the messages that are due at once: of groups that are over.
    mutating func apply(_ change: Alert, at now: ContinuousClock.Instant) -> [GroupMessage] {
        guard !change.isFiring else {
            join(change, at: now)
            return []
        }
        // Over before anybody heard of it.
        if pending.removeValue(forKey: change.outage) != nil {
            if pending.isEmpty { windows[Self.ofPending] = nil }
            return []
        }
        guard fires(change.outage), let id = groupOfOutage[change.outage] else { return [] }
        if groups[id]?.take(change) == true { groupOfOutage[change.outage] = nil }
        guard let group = groups[id] else { return [] }
        if group.isOver { return [finish(group)] }
        if group.untold.isEmpty { windows[id] = nil } else { open(id, at: now) }
        return []
    }

    private mutating func join(_ alert: Alert, at now: ContinuousClock.Instant) {
        if let id = groupOfOutage[alert.outage], let member = groups[id]?.members[alert.outage], member.isFiring {
            // It is in one already, and told again after a restart.
            guard alert.isNews(to: member) else { return }
            groups[id]?.take(alert)
            open(id, at: now)
        } else if let id = Self.keys(of: alert).compactMap({ groupIDs[Self.indexKey($0, $1)] }).first {
            groups[id]?.take(alert)
            groupOfOutage[alert.outage] = id
            open(id, at: now)
        } else {
            pending[alert.outage] = alert
            open(Self.ofPending, at: now)
        }
    }

    private mutating func finish(_ group: AlertGroup) -> GroupMessage {
        var group = group
        group.sequence += 1
        (groups[group.id], windows[group.id]) = (nil, nil)
        for outage in group.members.keys where groupOfOutage[outage] == group.id { groupOfOutage[outage] = nil }
        if let indexKey = Self.indexKey(of: group), groupIDs[indexKey] == group.id { groupIDs[indexKey] = nil }
        return GroupMessage(kind: .resolved, group: group)
    }

    /// When the next window ends.
    var nextDue: ContinuousClock.Instant? { windows.values.min() }

    /// The messages whose window has ended.
    mutating func tick(at now: ContinuousClock.Instant) -> [GroupMessage] {
        let due = windows.filter { $0.value <= now }.keys.sorted()
        var messages: [GroupMessage] = []
        for id in due where id != Self.ofPending {
            windows[id] = nil
            guard let message = tell(id, .update) else { continue }
            messages.append(message)
        }
        guard due.contains(Self.ofPending), let end = windows[Self.ofPending] else { return messages }
        // What began together is told together: the looks at the others are under way.
        if awaitsEarlier, end.duration(to: now) < Self.looksTake { return messages }
        windows[Self.ofPending] = nil
        for group in Self.grouped(Array(pending.values)) {
            begin(group)
            messages += tell(group.id, .firing).map { [$0] } ?? []
        }
        pending = [:]
        return messages
    }

    private mutating func tell(_ id: String, _ kind: GroupMessage.Kind) -> GroupMessage? {
        groups[id]?.sequence += 1
        guard let group = groups[id] else { return nil }
        for outage in groups[id]?.tell() ?? [] { groupOfOutage[outage] = nil }
        return GroupMessage(kind: kind, group: group)
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
        guard let host = alert.labels["host"], !host.isEmpty else { return [] }
        let isCertificate =
            alert.name == .certificateExpiring || alert.annotations["reason"]?.hasPrefix("certificate_") == true
        var keys: [(AlertGroup.Kind, String)] = [(.host, "\(alert.name.rawValue) \(host)")]
        if isCertificate, let expiry = alert.annotations["certificate_expiry"] { keys.append((.certificate, expiry)) }
        if let region = alert.labels["region"], !region.isEmpty { keys.append((.region, "\(alert.name.rawValue) \(region)")) }
        return keys
    }
}
