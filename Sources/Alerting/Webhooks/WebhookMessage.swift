import Digests
import FoundationEssentials
import Health

/// The same for the same alerts, so that a message that is made again after a crash has the id it had.
func groupID(_ alerts: [Alert]) -> String {
    let text = alerts.map { "\($0.key) \($0.startedAt.milliseconds)" }.sorted().joined(separator: "\n")
    return Hex.text(Digest(of: text).bytes.prefix(8))
}

/// What a webhook is sent: `docs/alerting.md` describes it. A change of its form that a receiver could stumble over raises ``version``.
struct WebhookMessage: Encodable {
    struct Member: Encodable {
        let name: String
        let status: String
        let labels: [String: String]
        let annotations: [String: String]
        let startedAt: String
        let endedAt: String?
        let endedAs: String?

        init(_ alert: Alert) {
            name = alert.name.rawValue
            status = alert.isFiring ? "firing" : "resolved"
            (labels, annotations) = (alert.labels, alert.annotations)
            (startedAt, endedAt) = ("\(alert.startedAt)", alert.endedAt.map { "\($0)" })
            endedAs = alert.ending?.rawValue
        }

        private enum Keys: String, CodingKey { case name, status, labels, annotations, startedAt, endedAt, endedAs }

        /// Absent is null, and never left out.
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Keys.self)
            try container.encode(name, forKey: .name)
            try container.encode(status, forKey: .status)
            try container.encode(labels, forKey: .labels)
            try container.encode(annotations, forKey: .annotations)
            try container.encode(startedAt, forKey: .startedAt)
            try container.encode(endedAt, forKey: .endedAt)
            try container.encode(endedAs, forKey: .endedAs)
        }
    }

    struct Group: Encodable {
        let id: String
        let by: String
        let value: String
    }

    static let version = 1

    let version = Self.version
    /// Stable: a message that is sent again, because its answer was lost, has the same.
    let id: String
    let kind: String
    /// From 1, within the group.
    let sequence: Int
    let group: Group
    let vantage: String
    let generatedAt: String
    let summary: String
    /// What no message has told yet first, then those that fire: as many as ``bytesMax`` and ``membersMax`` leave room for.
    let alerts: [Member]
    let alertsLeftOut: Int

    private static let membersMax = 500
    /// Of a whole message: receivers have bounds of their own.
    static let bytesMax = 256 << 10
    /// Of all but the members, of which each text is bounded.
    private static let bytesOfRest = 16 << 10

    init(_ message: GroupMessage, vantage: String, at now: Timestamp) {
        let group = message.group
        id = message.id
        kind = message.kind.rawValue
        sequence = group.sequence
        self.group = Group(id: group.id, by: group.kind.rawValue, value: group.value)
        self.vantage = vantage
        generatedAt = "\(now)"
        func rank(_ outage: String, _ alert: Alert) -> (Int, Int, Timestamp, String) {
            (group.untold.contains(outage) ? 0 : 1, alert.isFiring ? 0 : 1, alert.startedAt, alert.key)
        }
        let members = group.members.sorted { rank($0.key, $0.value) < rank($1.key, $1.value) }.map(\.value)
        summary = Self.summary(message.kind, group, members)
        alerts = Self.fitting(members)
        alertsLeftOut = members.count - alerts.count
    }

    private static func fitting(_ alerts: [Alert]) -> [Member] {
        var left = bytesMax - bytesOfRest
        var members: [Member] = []
        for alert in alerts.prefix(membersMax) {
            let member = Member(alert)
            left -= Text.json(member, keys: .convertToSnakeCase).utf8.count + 1
            guard left >= 0 else { break }
            members.append(member)
        }
        return members
    }

    private static func summary(_ kind: GroupMessage.Kind, _ group: AlertGroup, _ members: [Alert]) -> String {
        let firing = members.filter(\.isFiring)
        let first = (firing.first ?? members.first)?.annotations["summary"] ?? group.value
        switch kind {
        case .resolved where members.allSatisfy({ $0.ending == .removed }): return "no longer watched: \(first)"
        case .resolved where members.allSatisfy({ $0.ending == .disabled }): return "no longer alerted on: \(first)"
        case .resolved: return members.count == 1 ? "over: \(first)" : "over: \(first), and \(members.count - 1) more"
        case .update where !members.contains { $0.isFiring && group.untold.contains($0.outage) }:
            let over = group.untold.count
            return
                "\(first)\(firing.count == 1 ? "" : ", and \(firing.count - 1) more"); \(over) \(over == 1 ? "is" : "are") over (\(group.value))"
        case .firing, .update: return firing.count == 1 ? first : "\(first), and \(firing.count - 1) more (\(group.value))"
        }
    }
}

/// The value of the header `X-Rangefinder-Signature`: HMAC-SHA256 (RFC 2104) of the body, in hex, as GitHub's webhooks have it.
func signature(of body: [UInt8], with secret: Secret) -> String {
    "sha256=" + Hex.text(Digest(of: body, key: Array(secret.reveal().utf8)).bytes)
}
