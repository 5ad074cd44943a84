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
        // By number, because everything may be down at once.
        var numbers: [SharedThing: Int] = [:]
        var candidates: [Candidate] = []
        let known = members.indices.map { member in
            things(members[member]).map { thing in
                let number = numbers[thing] ?? candidates.count
                if number == candidates.count {
                    numbers[thing] = number
                    candidates.append(Candidate(thing: thing))
                }
                candidates[number].holders.append(member)
                candidates[number].left += 1
                return number
            }
        }
        var open = candidates.indices.filter { candidates[$0].left > 1 }
        for number in open { candidates[number].share = share(candidates[number].thing) }
        var isLeft = [Bool](repeating: true, count: members.count)
        while groups.count < groupsMax, let best = open.max(by: { candidates[$0].isLess(than: candidates[$1]) }) {
            let indices = candidates[best].holders.filter { isLeft[$0] }
            for index in indices {
                isLeft[index] = false
                for number in known[index] { candidates[number].left -= 1 }
            }
            open.removeAll { candidates[$0].left < 2 }
            groups.append(Group(thing: candidates[best].thing, members: indices.map { members[$0] }))
        }
        let rest = members.indices.filter { isLeft[$0] }.map { members[$0] }
        if !rest.isEmpty { groups.append(Group(thing: nil, members: rest)) }
    }

    private struct Candidate {
        let thing: SharedThing
        /// The members that have it.
        var holders: [Int] = []
        /// How many of them are in no group yet.
        var left = 0
        var share = 1.0

        func isLess(than other: Self) -> Bool {
            let (first, second) = (Double(left) * share, Double(other.left) * other.share)
            if first != second { return first < second }
            if thing.order != other.thing.order { return thing.order > other.thing.order }
            // Always the same of two that are alike.
            return thing.value > other.thing.value
        }
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
