/// What hosts to which one way leads make of that way: a doubt, a suspicion, or neither. The rules stand at ``VantageJudge``.
struct ClassJudge: Sendable {
    static let (hostsMin, networksMin) = (5, 3)

    let hostClass: HostClass
    /// One of all hosts: any answer refutes it.
    private let isOfAll: Bool
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
    private var turned = TurnedHosts()
    /// In a doubt: those that turned bad and haven't answered since, how many there were at most, and which of them never answered.
    private var affected: (now: Set<HostTable.ID>, most: Int, strangers: Set<HostTable.ID>) = ([], 0, [])
    /// Those of which a target turned bad since anything answered.
    private var silent: Set<HostTable.ID> = []

    init(_ hostClass: HostClass, isOfAll: Bool = false) { (self.hostClass, self.isOfAll) = (hostClass, isOfAll) }

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
        takeOne(of: interval)
        if let network { networks.takeOne(network) } else { strangers -= 1 }
        turned.remove(host)
        silent.remove(host)
        if affected.now.remove(host) != nil { affected.most -= 1 }
        affected.strangers.remove(host)
    }

    /// A host's first address is known by now.
    mutating func learn(_ network: CIDR) {
        strangers -= 1
        networks[network, default: 0] += 1
    }

    mutating func change(interval old: Duration, to new: Duration) {
        takeOne(of: old)
        intervals[new, default: 0] += 1
    }

    private mutating func takeOne(of interval: Duration) {
        let left = (intervals[interval] ?? 0) - 1
        intervals[interval] = left > 0 ? left : nil
    }

    mutating func answered(at now: ContinuousClock.Instant) {
        (silent, answeredAt) = ([], now)
        if isOfAll { turned.removeAll() } else { turned.removeStrangers() }
        guard !affected.strangers.isEmpty else { return }
        affected.now.subtract(affected.strangers)
        affected.most -= affected.strangers.count
        affected.strangers = []
    }

    mutating func targetTurnedBad(_ host: HostTable.ID) { silent.insert(host) }

    mutating func hostTurned(
        _ turn: HostTable.Turn, _ host: HostTable.ID, interval: Duration, network: CIDR?, at now: ContinuousClock.Instant
    ) {
        guard turn == .bad else {
            turned.removeAll()
            affected.now.remove(host)
            affected.strangers.remove(host)
            return
        }
        turned.add(host, at: now, lasts: interval, network: network)
        guard doubtSince != nil, affected.now.insert(host).inserted else { return }
        if network == nil { affected.strangers.insert(host) }
        affected.most = max(affected.most, affected.now.count)
    }

    /// A host is no longer bad though none of its targets has answered: by targets that came or went. That is no answer.
    mutating func hostChanged(_ turn: HostTable.Turn, _ host: HostTable.ID) {
        if turn == .good { affected.now.remove(host) }
    }

    // MARK: What it makes of it

    /// Time passes.
    mutating func expire(at now: ContinuousClock.Instant) { turned.expire(at: now, answeredAt: answeredAt) }

    /// - Parameter isAsked: false where others decide: then there is no doubt and no suspicion of its own.
    mutating func weigh(isAsked: Bool, at now: ContinuousClock.Instant) {
        suspect(isAsked: isAsked, at: now)
        switch (doubtSince != nil, isAsked && isInDoubt) {
        case (false, true):
            doubtSince = now
            // Not those that failed before: they may fail for ever.
            affected = (turned.hosts, turned.count, turned.strangers)
        case (true, false):
            (doubtSince, suspiciousSince, trustedSince) = (nil, nil, now)
            affected = ([], 0, [])
        default: break
        }
    }

    private var isInDoubt: Bool {
        if doubtSince != nil { return 2 * affected.now.count > affected.most }
        return turned.count >= Self.hostsMin && 2 * turned.count >= hosts && turned.areSpread(over: Self.networksMin)
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
