// Health: the words that every room uses, as values, and the judge that turns results into statuses.
// What lives here: targets, policies, results, reasons, statuses, incidents, secrets, times, and text made safe to show.
// What doesn't: I/O, clocks, Foundation, anything that can block or fail for a reason outside its arguments.
// Results come in from Probing; judgements go on to History, Exposition and (later) Alerting, wired by Daemon.
// The terms are defined in docs/glossary.md.

/// What makes a target the same target: the client that owns it and its `sKey`, which is `{targetId}` in the API's routes.
///
/// A new name or URL does not change the identity.
package struct TargetIdentity: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let clientID: String
    package let key: String

    package init(clientID: String, key: String) {
        self.clientID = clientID
        self.key = key
    }

    package var description: String { "\(displayText(clientID))/\(displayText(key))" }

    package static func < (a: Self, b: Self) -> Bool {
        (a.clientID, a.key) < (b.clientID, b.key)
    }
}

/// One record of the Targets API, in the form the daemon works with.
package struct Target: Hashable, Sendable {
    /// The API's access rule for a target; carried along, it does not change how a target is probed.
    package enum RuleEffect: String, Hashable, Sendable { case allow, deny }

    package var identity: TargetIdentity
    /// Foreign text, at most ``nameLimit`` bytes of UTF-8.
    package var name: String
    /// Foreign text, at most ``urlLimit`` bytes; not known to be a URL until Probing has read it.
    package var baseURL: String
    package var testPath: String
    package var region: String
    package var ruleEffect: RuleEffect

    package init(
        identity: TargetIdentity,
        name: String,
        baseURL: String,
        testPath: String,
        region: String,
        ruleEffect: RuleEffect = .allow
    ) {
        self.identity = identity
        self.name = name
        self.baseURL = baseURL
        self.testPath = testPath
        self.region = region
        self.ruleEffect = ruleEffect
    }

    /// The bounds of foreign text, in bytes of UTF-8. A record past one of them is rejected where it arrives.
    package static let nameLimit = 256
    package static let urlLimit = 2048
    package static let regionLimit = 64
    package static let keyLimit = 256

    /// Whether a probe of `other` goes to the same place: what decides if streaks survive an update.
    package func probesSamePlace(as other: Target) -> Bool {
        baseURL == other.baseURL && testPath == other.testPath
    }
}
