// Alerting: what to say, to whom, once.
// What lives here: which alerts there are, when they wait for a doubt or a maintenance window, what is sent to Alertmanagers and webhooks,
// what is still to be sent after a restart.
// What doesn't: deciding a status (Health), HTTP and the database (closures that Daemon passes in), silences and routes (Alertmanager's).
// Reports come in from Daemon, one for each judgement that may matter; requests go out through a transport, documents to History.

import FoundationEssentials
package import Health

/// The alerts that the daemon sends. The raw value is the label `alertname`.
package enum AlertName: String, Codable, Hashable, Sendable, CaseIterable {
    case targetDown = "TargetDown"
    case targetDegraded = "TargetDegraded"
    case certificateExpiring = "CertificateExpiring"
    case targetNotProbed = "TargetNotProbed"
    case vantageUnhealthy = "VantageUnhealthy"
    case syncStale = "SyncStale"
    case syncHeld = "SyncHeld"
    case historyDropping = "HistoryDropping"
    case proberOverloaded = "ProberOverloaded"

    var severity: AlertSeverity { self == .targetDown || self == .vantageUnhealthy ? .critical : .warning }
}

/// The label `severity`.
package enum AlertSeverity: String, Hashable, Sendable { case warning, critical }

/// What an alert says: one of a kind fires of a subject at a time.
///
/// Labels are frozen. What becomes worse is another alert of the same name, and the milder one ends as ``Alert/Ending/raised``.
struct AlertKind: Hashable, Sendable {
    let name: AlertName
    let severity: AlertSeverity

    init(_ name: AlertName, _ severity: AlertSeverity? = nil) { (self.name, self.severity) = (name, severity ?? name.severity) }

    /// Of a target. What is worse stands first: it begins before the milder one ends, and a group that both are in goes on.
    static let ofTargets = [
        AlertKind(.targetDown), AlertKind(.targetDegraded), certificateUrgent, certificateSoon, AlertKind(.targetNotProbed),
    ]
    static let certificateSoon = AlertKind(.certificateExpiring)
    static let certificateUrgent = AlertKind(.certificateExpiring, .critical)

    /// What a status is told as.
    ///
    /// - Parameter isDownKnown: an alert says that it is down.
    static func wanted(
        _ status: Status, _ cause: Cause?, isUnprobeable: Bool, isDownKnown: Bool, alertsDegraded: Bool
    ) -> [AlertKind] {
        if isUnprobeable { return [AlertKind(.targetNotProbed)] }
        // What flaps is up by chance: its outage goes on until it no longer does.
        if cause == .flapping, isDownKnown { return [AlertKind(.targetDown)] }
        switch status {
        case .down: return [AlertKind(.targetDown)]
        // What is wrong with the certificate is an alert of its own.
        case .degraded where alertsDegraded && cause != .certificateExpiring: return [AlertKind(.targetDegraded)]
        default: return []
        }
    }

    /// What a certificate is told as.
    static func wanted(_ notice: CertificateNotice) -> [AlertKind] {
        switch notice.grade {
        case .fine: []
        case .soon: [certificateSoon]
        case .urgent, .expired: [certificateUrgent]
        }
    }

    /// The key of the alert of this kind about a subject.
    func key(_ subjectKey: String) -> String {
        severity == name.severity ? "\(name.rawValue) \(subjectKey)" : "\(name.rawValue) \(severity.rawValue) \(subjectKey)"
    }
}

/// One thing that is wrong, from when it is announced until everyone has heard that it is over.
package struct Alert: Hashable, Sendable, Codable {
    /// What an alert is about: a target, a client's list, or the daemon as a whole.
    package enum Subject: Hashable, Sendable {
        case target(TargetIdentity)
        case client(String)
        case daemon
    }

    package enum Ending: String, Codable, Hashable, Sendable {
        case recovered, removed, disabled
        /// It has become worse: another alert says so.
        case raised
    }

    package let name: AlertName
    /// Whom it is about, without the name: an alert's key is unique while it fires.
    package let subjectKey: String
    /// Frozen for its life: in Alertmanager they are its identity.
    package let labels: [String: String]
    package var annotations: [String: String]
    let startedAtMilliseconds: Int64
    /// Unique while it fires: of ``kind`` and ``subjectKey``.
    package let key: String
    /// Which of the alerts of this key it is: the next one has begun at another time.
    var outage: String { "\(key) \(startedAtMilliseconds)" }
    private(set) var endedAtMilliseconds: Int64?
    package private(set) var ending: Ending?

    package init(
        _ name: AlertName, _ subject: Subject, labels: [String: String], annotations: [String: String], startedAt: Timestamp
    ) {
        self.name = name
        subjectKey = Self.key(of: subject)
        self.labels = labels
        self.annotations = annotations
        startedAtMilliseconds = startedAt.milliseconds
        key = Self.kind(name, labels).key(subjectKey)
    }

    static let (flappingAnnotation, expiredAnnotation, doubtAnnotation) = ("flapping", "expired", "during_vantage_doubt")

    /// Its certificate has expired.
    var isOfExpired: Bool { annotations[Self.expiredAnnotation] != nil }

    /// Goes up and down so often that neither is told.
    var isFlapping: Bool { annotations[Self.flappingAnnotation] != nil }
    package var startedAt: Timestamp { Timestamp(milliseconds: startedAtMilliseconds) }
    /// That it is about; nil when it isn't about a target.
    var target: TargetIdentity? {
        guard let texts = Text.value([String].self, subjectKey), texts.count == 2 else { return nil }
        return TargetIdentity(clientID: texts[0], key: texts[1])
    }
    package var endedAt: Timestamp? { endedAtMilliseconds.map(Timestamp.init(milliseconds:)) }
    package var isFiring: Bool { endedAtMilliseconds == nil }

    /// Whether it says what has to be told at once of one that is known: it has begun to flap, or the certificate has expired.
    func isNews(to known: Alert) -> Bool {
        isFlapping && !known.isFlapping || isOfExpired && !known.isOfExpired
    }

    mutating func end(_ ending: Ending, at moment: Timestamp) {
        endedAtMilliseconds = max(moment.milliseconds, startedAtMilliseconds)
        self.ending = ending
    }

    var kind: AlertKind { Self.kind(name, labels) }

    private static func kind(_ name: AlertName, _ labels: [String: String]) -> AlertKind {
        AlertKind(name, labels["severity"].flatMap(AlertSeverity.init))
    }

    /// As JSON, so that no client's id can be taken for part of a target's; in ASCII, because texts that differ by Unicode's normalization
    /// alone are the same key of a dictionary otherwise, and ids are compared by their bytes.
    static func key(of subject: Subject) -> String {
        switch subject {
        case .target(let identity): json([identity.clientID, identity.key])
        case .client(let id): json([id])
        case .daemon: "[]"
        }
    }

    /// What an encoder writes, which takes longer: a key is made for each result of a target that is down.
    private static func json(_ texts: [String]) -> String {
        let isPlain = texts.allSatisfy { $0.utf8.allSatisfy { (0x20...0x7e).contains($0) && $0 != 0x22 && $0 != 0x5c } }
        return isPlain ? "[\"" + texts.joined(separator: "\",\"") + "\"]" : asciiText(Text.json(texts))
    }
}

extension Alert {
    private enum CodingKeys: String, CodingKey {
        case name, subjectKey, labels, annotations, startedAtMilliseconds, endedAtMilliseconds, ending
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decode(AlertName.self, forKey: .name)
        // An earlier version wrote it as it is.
        subjectKey = asciiText(try container.decode(String.self, forKey: .subjectKey))
        labels = try container.decode([String: String].self, forKey: .labels)
        annotations = try container.decode([String: String].self, forKey: .annotations)
        startedAtMilliseconds = try container.decode(Int64.self, forKey: .startedAtMilliseconds)
        key = Self.kind(name, labels).key(subjectKey)
        endedAtMilliseconds = try container.decodeIfPresent(Int64.self, forKey: .endedAtMilliseconds)
        ending = try container.decodeIfPresent(Ending.self, forKey: .ending)
    }
}

/// With each scalar past ASCII as `\uXXXX` (its UTF-16, as in JSON): another text for texts of other bytes, whatever Unicode holds for equal.
func asciiText(_ text: String) -> String {
    guard text.utf8.contains(where: { $0 > 0x7f }) else { return text }
    return text.utf16.reduce(into: "") { ascii, unit in
        if unit < 0x80 {
            ascii.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
        } else {
            ascii += Hex.jsonEscape(unit)
        }
    }
}

/// JSON in and out: keys sorted, so that the same value is the same text.
enum Text {
    static func json(_ value: some Encodable, keys: JSONEncoder.KeyEncodingStrategy = .useDefaultKeys) -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = keys
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Of strings and whole numbers, which always can be written.
        return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
    }

    /// nil for what an earlier version wrote otherwise: better forgotten than in the way.
    static func value<Value: Decodable>(_ type: Value.Type, _ text: String) -> Value? {
        try? JSONDecoder().decode(type, from: Data(text.utf8))
    }
}
