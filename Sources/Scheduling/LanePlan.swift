package import Health

/// Which lane each target belongs to.
///
/// The targets of one host stay together, because they share kept connections: the hash of the host says in which lane. A host with more than
/// 1/(2 × lanes) of the planned starts is spread: the hash of each target's identity says where the target is. Where the hashes leave the lanes
/// uneven, hosts move from the fullest lane to the emptiest; a host that is too large to move is spread, too. A plan changes as little of the plan
/// before it as it can.
package struct LanePlan: Sendable {
    /// What the fullest lane may have over the emptiest.
    static let unevennessMax = 1.05

    package let laneCount: Int
    /// By the hash of the host: hosts that are not in the lane that their hash says.
    private var moved: [UInt64: UInt8] = [:]
    private var spread: Set<UInt64> = []

    package init(lanes: Int) { laneCount = max(1, lanes) }

    /// - Parameter host: nil for a target without a URL.
    package func lane(of target: TargetIdentity, host: String?) -> Int {
        guard laneCount > 1 else { return 0 }
        guard let host else { return laneOfIdentity(target) }
        let hash = stableHash(ofHost: host)
        return spread.contains(hash) ? laneOfIdentity(target) : lane(of: hash)
    }

    private func laneOfIdentity(_ target: TargetIdentity) -> Int { share(of: stableHash(target) &* 0x9e37_79b9_7f4a_7c15) }

    private func lane(of host: UInt64) -> Int { moved[host].map(Int.init) ?? share(of: host) }

    private func share(of hash: UInt64) -> Int { Int(hash.multipliedFullWidth(by: UInt64(laneCount)).high) }

    /// Plans anew for these hosts. Returns whether a host that stays has another lane.
    ///
    /// - Parameter hosts: the host and the interval of each target that has a URL.
    package mutating func replan(_ hosts: some Sequence<(host: String, interval: Duration)>) -> Bool {
        guard laneCount > 1 else { return false }
        var loads: [UInt64: Double] = [:]
        for (host, interval) in hosts { loads[stableHash(ofHost: host), default: 0] += 1 / max(interval.inSeconds, 0.001) }
        let before = (moved, spread)
        let limit = loads.values.reduce(0, +) / Double(2 * laneCount)
        spread = Set(loads.filter { $0.value > limit || before.1.contains($0.key) && $0.value > limit / 2 }.keys)
        moved = moved.filter { loads[$0.key] != nil && !spread.contains($0.key) }
        even(loads)
        return moved != before.0 || spread != before.1
    }

    private mutating func even(_ loads: [UInt64: Double]) {
        var lanes = Array(repeating: [(host: UInt64, load: Double)](), count: laneCount)
        for (host, load) in loads where !spread.contains(host) { lanes[lane(of: host)].append((host, load)) }
        // The largest hosts last, and always in the same order.
        for index in lanes.indices { lanes[index].sort { ($0.load, $0.host) < ($1.load, $1.host) } }
        var totals = lanes.map { $0.reduce(0) { $0 + $1.load } }
        var spreadLoad = loads.reduce(0) { $0 + (spread.contains($1.key) ? $1.value : 0) } / Double(laneCount)
        while let fullest = totals.indices.max(by: { totals[$0] < totals[$1] }),
            let emptiest = totals.indices.min(by: { totals[$0] < totals[$1] }),
            totals[fullest] + spreadLoad > (totals[emptiest] + spreadLoad) * Self.unevennessMax, !lanes[fullest].isEmpty
        {
            let gap = totals[fullest] - totals[emptiest]
            // More than half of the gap would only turn it round.
            let fitting = lanes[fullest].lastIndex { $0.load <= gap / 2 }
            let (host, load) = lanes[fullest].remove(at: fitting ?? lanes[fullest].count - 1)
            totals[fullest] -= load
            if fitting == nil {
                spread.insert(host)
                moved[host] = nil
                spreadLoad += load / Double(laneCount)
                continue
            }
            totals[emptiest] += load
            moved[host] = share(of: host) == emptiest ? nil : UInt8(emptiest)
            let place = lanes[emptiest].firstIndex { ($0.load, $0.host) > (load, host) } ?? lanes[emptiest].count
            lanes[emptiest].insert((host, load), at: place)
        }
    }
}
