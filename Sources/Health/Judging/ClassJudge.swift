/// What the hosts of one class make of our way to them: a doubt, a suspicion, or neither. The rules stand at ``VantageJudge``.
struct ClassJudge: Sendable {
    static let (hostsMin, networksMin) = (5, 3)

    /// A host that turned bad.
    private struct Turned {
        var at: ContinuousClock.Instant
        /// The interval of the target that turned it.
        var lasts: Duration
    }

    let hostClass: HostClass
    private(set) var doubtSince: ContinuousClock.Instant?
    /// When the last doubt ended: what was seen by a probe that started before proves nothing.
    private(set) var trustedSince: ContinuousClock.Instant?
    private(set) var suspiciousSince: ContinuousClock.Instant?
    private(set) var hosts = 0
    /// How many hosts have which interval.
    private var intervals: [Duration: Int] = [:]
    /// How many are in which network, and of how many none is known.
    private var networks: [CIDR: Int] = [:]
    private var strangers = 0
    private var answeredAt: ContinuousClock.Instant?
    /// Those that turned bad since one turned good.
    private var turned: [HostTable.ID: Turned] = [:]
    /// In a doubt: those that turned bad and haven't answered since, and how many there were at most.
    private var affected: (now: Set<HostTable.ID>, most: Int) = ([], 0)
    /// Those of which a target turned bad since anything answered.
    private var silent: Set<HostTable.ID> = []

    init(_ hostClass: HostClass) { self.hostClass = hostClass }

    /// So many hosts are bad at once, in a doubt.
    var bad: Int { affected.now.count }

    // MARK: What it is told

    mutating func add(interval: Duration, network: CIDR?) {
        hosts += 1
        intervals[interval, default: 0] += 1
        if let network { networks[network, default: 0] += 1 } else { strangers += 1 }
    }

    mutating func remove(_ host: HostTable.ID, interval: Duration, network: CIDR?) {
        hosts -= 1
        Self.takeOne(from: &intervals, interval)
        if let network { Self.takeOne(from: &networks, network) } else { strangers -= 1 }
        turned[host] = nil
        silent.remove(host)
        affected.now.remove(host)
    }

    mutating func change(interval old: Duration, to new: Duration) {
        Self.takeOne(from: &intervals, old)
        intervals[new, default: 0] += 1
    }

    private static func takeOne<Key: Hashable>(from counts: inout [Key: Int], _ key: Key) {
        let left = (counts[key] ?? 0) - 1
        counts[key] = left > 0 ? left : nil
    }

    mutating func answered(at now: ContinuousClock.Instant) { (silent, answeredAt) = ([], now) }

    mutating func targetTurnedBad(_ host: HostTable.ID) { silent.insert(host) }

    mutating func hostTurned(_ turn: HostTable.Turn, _ host: HostTable.ID, interval: Duration, at now: ContinuousClock.Instant) {
        if turn == .bad {
            turned[host] = Turned(at: now, lasts: interval)
            if doubtSince != nil { affected.now.insert(host) }
            affected.most = max(affected.most, affected.now.count)
        } else {
            turned = [:]
            affected.now.remove(host)
        }
    }

    // MARK: What it makes of it

    /// Time passes.
    mutating func expire(_ table: HostTable, at now: ContinuousClock.Instant) {
        // As long as nothing has answered since, what turned bad is part of the same silence, however seldom others are asked.
        turned = turned.filter { _, one in
            one.at.duration(to: now) <= one.lasts || answeredAt.map { one.at > $0 } ?? true
        }
        // A host may turn without a turn of a target: by targets that come and go.
        affected.now = affected.now.filter { table.isBad($0) }
    }

    /// - Parameter isAsked: false where others decide: then there is no doubt and no suspicion of its own.
    mutating func weigh(_ table: HostTable, isAsked: Bool, at now: ContinuousClock.Instant) {
        suspect(isAsked: isAsked, at: now)
        switch (doubtSince != nil, isAsked && isInDoubt(table)) {
        case (false, true):
            doubtSince = now
            // Not those that failed before: they may fail for ever.
            affected = (Set(turned.keys), turned.count)
        case (true, false):
            (doubtSince, suspiciousSince, trustedSince) = (nil, nil, now)
            affected = ([], 0)
        default: break
        }
    }

    private func isInDoubt(_ table: HostTable) -> Bool {
        if doubtSince != nil { return 2 * affected.now.count > affected.most }
        return turned.count >= Self.hostsMin && 2 * turned.count >= hosts
            && table.areSpread(turned.keys, over: Self.networksMin)
    }

    private mutating func suspect(isAsked: Bool, at now: ContinuousClock.Instant) {
        // Of so few hosts that there can be no doubt nothing is suspected either.
        let canBeDoubted = hosts >= Self.hostsMin && networks.count + strangers >= Self.networksMin
        guard isAsked, canBeDoubted, !silent.isEmpty else { return suspiciousSince = nil }
        let since = suspiciousSince ?? now
        let isOver = since.duration(to: now) > timeForHalf
        suspiciousSince = isOver ? nil : since
        if isOver { silent = [] }
    }

    /// After so long half of the hosts have had their turn, and a doubt would be there.
    private var timeForHalf: Duration {
        var left = hosts / 2 + 1
        for (interval, count) in intervals.sorted(by: { $0.key < $1.key }) {
            left -= count
            if left <= 0 { return interval }
        }
        return .zero
    }
}
