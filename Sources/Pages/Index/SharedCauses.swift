package import Health

/// What several targets that are down may have in common.
package enum SharedThing: Hashable, Sendable {
    case host(String)
    /// A certificate, by its fingerprint.
    case certificate(String)
    /// A block of addresses: /24 of IPv4, /48 of IPv6.
    case block(String)
    case regionAndReason(String, Reason)
    case region(String)
    case reason(Reason)

    /// Of two that explain as much, the one that says more comes first.
    var order: Int {
        switch self {
        case .host: 0
        case .certificate: 1
        case .block: 2
        case .regionAndReason: 3
        case .reason: 4
        case .region: 5
        }
    }
}

/// Groups members by what explains the most of them, then the rest of them in the same way.
///
/// What all targets of a host share explains nothing as long as most of that host is up. So a group weighs as much as it has members, times the
/// share of such targets that is down.
package struct SharedCauses<Member> {
    package struct Group {
        /// nil: the members share nothing.
        package var thing: SharedThing?
        package var members: [Member]
    }

    package private(set) var groups: [Group] = []

    /// - Parameters:
    ///   - things: of each member, as many as there are.
    ///   - share: which part of all targets that are like that is down, from 0 to 1.
    ///   - groupsMax: so many groups at most, and one of the rest.
    package init(
        _ members: [Member], groupsMax: Int = 20, share: (SharedThing) -> Double = { _ in 1 }, things: (Member) -> [SharedThing]
    ) {
        let known = members.map(things)
        var holders: [SharedThing: [Int]] = [:]
        for (index, things) in known.enumerated() { for thing in things { holders[thing, default: []].append(index) } }
        var counts = holders.mapValues(\.count).filter { $0.value > 1 }
        let shares = Dictionary(uniqueKeysWithValues: counts.keys.map { ($0, share($0)) })
        var isLeft = [Bool](repeating: true, count: members.count)
        while groups.count < groupsMax, let best = counts.max(by: { Self.isLess($0, $1, shares) }), best.value > 1 {
            let indices = (holders[best.key] ?? []).filter { isLeft[$0] }
            for index in indices {
                isLeft[index] = false
                for thing in known[index] { if let count = counts[thing] { counts[thing] = count > 1 ? count - 1 : nil } }
            }
            groups.append(Group(thing: best.key, members: indices.map { members[$0] }))
        }
        let rest = members.indices.filter { isLeft[$0] }.map { members[$0] }
        if !rest.isEmpty { groups.append(Group(thing: nil, members: rest)) }
    }

    private static func isLess(
        _ one: (key: SharedThing, value: Int), _ other: (key: SharedThing, value: Int), _ shares: [SharedThing: Double]
    ) -> Bool {
        let (first, second) = (Double(one.value) * (shares[one.key] ?? 1), Double(other.value) * (shares[other.key] ?? 1))
        if first != second { return first < second }
        if one.key.order != other.key.order { return one.key.order > other.key.order }
        // Always the same of two that are alike.
        return one.key.value > other.key.value
    }
}

extension SharedThing {
    /// nil of this machine itself: what is on it has only that in common.
    static func sharedHost(_ host: String?) -> SharedThing? {
        guard let host, host != "localhost", IPAddress(host)?.isLoopback != true else { return nil }
        return .host(host)
    }

    static func sharedBlock(_ address: IPAddress?) -> SharedThing? {
        address.flatMap { $0.isLoopback ? nil : .block($0.block) }
    }
}

extension IPAddress {
    /// The block that an address is in, as in `203.0.113.0/24`.
    package var block: String {
        if isIPv4 {
            let parts = bytes.prefix(3).map { String($0) }
            return parts.joined(separator: ".") + ".0/24"
        }
        let groups = (0..<3).map { index in String(UInt16(bytes[2 * index]) << 8 | UInt16(bytes[2 * index + 1]), radix: 16) }
        return groups.joined(separator: ":") + "::/48"
    }
}
