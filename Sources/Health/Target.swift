// Health: the words that every module uses, as values, and the judge that turns results into statuses.
// What lives here: targets, policies, results, reasons, statuses, incidents, secrets, times, and text made safe to show.
// What doesn't: I/O, clocks, Foundation, anything that can block or fail for a reason outside its arguments.
// Results come in from Probing; judgements go on to History, Exposition and Alerting: Daemon carries them there.
// The terms are defined in docs/glossary.md.

/// What makes a target the same target: the client that owns it and its `sKey`, which is `{targetId}` in the API's routes.
///
/// A new name or URL does not change the identity.
package struct TargetIdentity: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Shared by all copies: an identity is the key of a table in every module, and a hundred thousand of them add up.
    private final class Storage: Sendable {
        let clientID: String
        let key: String
        let stableHash: UInt64

        init(_ clientID: String, _ key: String) {
            self.clientID = clientID
            self.key = key
            stableHash = hashOf(clientID, key)
        }
    }

    private let storage: Storage

    package init(clientID: String, key: String) { storage = Storage(clientID, key) }

    package var clientID: String { storage.clientID }
    package var key: String { storage.key }
    /// The same in every process and on every machine; ``Health/stableHash(_:)`` says how it is made.
    fileprivate var stableHash: UInt64 { storage.stableHash }

    package static func == (a: Self, b: Self) -> Bool {
        a.storage === b.storage
            || a.stableHash == b.stableHash && a.key == b.key && a.clientID == b.clientID
    }

    /// Seeded, as all hashing in Swift is: the stable hash alone would let whoever chooses the keys fill one bucket.
    package func hash(into hasher: inout Hasher) { hasher.combine(storage.stableHash) }

    package var description: String { "\(displayText(clientID))/\(displayText(key))" }

    package static func < (a: Self, b: Self) -> Bool {
        (a.clientID, a.key) < (b.clientID, b.key)
    }
}

/// One record of the Targets API, in the form the daemon works with.
package struct Target: Hashable, Sendable {
    /// The API's access rule for a target; carried along, it does not change how a target is probed. One that isn't known here is kept as the
    /// text that it is, at most ``ruleEffectLimit`` bytes.
    package struct RuleEffect: RawRepresentable, Hashable, Sendable {
        package static let allow = RuleEffect(rawValue: "allow")
        package static let deny = RuleEffect(rawValue: "deny")

        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        package var isKnown: Bool { self == .allow || self == .deny }
    }

    package var identity: TargetIdentity
    /// Foreign text, at most ``nameLimit`` bytes of UTF-8.
    package var name: String
    /// Foreign text, at most ``urlLimit`` bytes; not known to be a URL until Probing has read it.
    package var baseURL: String
    package var testPath: String
    package var region: String
    package var ruleEffect: RuleEffect
    /// The probe settings that stand beside it in a targets file, as YAML in one line. They name the files of secrets, and hold none.
    package var probe: String?

    package init(
        identity: TargetIdentity,
        name: String,
        baseURL: String,
        testPath: String,
        region: String,
        ruleEffect: RuleEffect = .allow,
        probe: String? = nil
    ) {
        self.identity = identity
        self.name = name
        self.baseURL = baseURL
        self.testPath = testPath
        self.region = region
        self.ruleEffect = ruleEffect
        self.probe = probe
    }

    /// By bytes: Swift takes two spellings of a letter for one, and a URL doesn't.
    package static func == (a: Self, b: Self) -> Bool {
        a.identity == b.identity && a.ruleEffect == b.ruleEffect && a.name.hasSameBytes(as: b.name)
            && a.baseURL.hasSameBytes(as: b.baseURL) && a.testPath.hasSameBytes(as: b.testPath)
            && a.region.hasSameBytes(as: b.region) && (a.probe == nil) == (b.probe == nil)
            && (a.probe ?? "").hasSameBytes(as: b.probe ?? "")
    }

    /// The same target, kept as far as it goes in the memory that another form of it has already: a list of a hundred thousand comes again
    /// and again, and nearly all of it is as it was.
    package func sharing(_ known: Target) -> Target {
        guard self != known else { return known }
        var target = self
        if identity == known.identity { target.identity = known.identity }
        for text in [\Target.name, \.baseURL, \.testPath, \.region]
        where self[keyPath: text].hasSameBytes(as: known[keyPath: text]) {
            target[keyPath: text] = known[keyPath: text]
        }
        return target
    }

    /// The bounds of foreign text, in bytes of UTF-8. A record past one of them is rejected where it arrives.
    package static let nameLimit = 256
    package static let urlLimit = 2048
    package static let regionLimit = 64
    package static let keyLimit = 256
    package static let ruleEffectLimit = 64

    /// Whether a probe of `other` goes to the same place: what decides if streaks survive an update.
    package func probesSameURL(as other: Target) -> Bool {
        baseURL == other.baseURL && testPath == other.testPath
    }
}

/// A hash that is the same in every process and on every machine: places a target in its interval and in its shard.
///
/// FNV-1a of 64 bits (draft-eastlake-fnv-17), then the finalizer of SplitMix64 (Steele, Lea, Flood 2014), because FNV alone
/// leaves similar ids close together.
package func stableHash(_ identity: TargetIdentity) -> UInt64 { identity.stableHash }

/// The same of a host's name: places a host in a lane.
package func stableHash(ofHost host: String) -> UInt64 { hashOf("", host) }

/// Where in its interval a target is due: its stable hash's share of it, in the interval's unit.
package func stablePhase(of identity: TargetIdentity, interval: Int64) -> Int64 {
    Int64(identity.stableHash.multipliedFullWidth(by: UInt64(max(1, interval))).high)
}

private func hashOf(_ clientID: String, _ key: String) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    func mix(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    for byte in clientID.utf8 { mix(byte) }
    // Separates the two parts: UTF-8 has no 0xFF.
    mix(0xFF)
    for byte in key.utf8 { mix(byte) }
    hash = (hash ^ (hash >> 30)) &* 0xbf58_476d_1ce4_e5b9
    hash = (hash ^ (hash >> 27)) &* 0x94d0_49bb_1331_11eb
    return hash ^ (hash >> 31)
}

extension Sequence<Target> {
    /// Those of this id, or else of this name. Of names that only their spelling in Unicode tells apart the one that was typed is meant, if it
    /// is there.
    package func called(_ word: String) -> [Target] {
        let byID = filter { $0.identity.key == word }
        guard byID.isEmpty else { return byID }
        let named = filter { $0.name == word }
        let typed = named.filter { $0.name.hasSameBytes(as: word) }
        return typed.isEmpty ? named : typed
    }
}

extension String {
    /// Swift's own comparison takes two spellings of a letter for one (canonical equivalence, UAX #15).
    package func hasSameBytes(as other: String) -> Bool {
        guard utf8.count == other.utf8.count else { return false }
        return utf8.withContiguousStorageIfAvailable { own in
            other.utf8.withContiguousStorageIfAvailable { own.elementsEqual($0) } ?? own.elementsEqual(other.utf8)
        } ?? utf8.elementsEqual(other.utf8)
    }
}
