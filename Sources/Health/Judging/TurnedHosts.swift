/// Hosts that turned bad, with the networks that they are in.
struct TurnedHosts: Sendable {
    private struct Turn {
        var at: ContinuousClock.Instant
        /// The interval of the target that turned it.
        var lasts: Duration
        var network: CIDR?
    }

    private var turns: [HostTable.ID: Turn] = [:]
    private var networks: [CIDR: Int] = [:]
    /// Those that have never answered since the start: they may have been bad for years.
    private(set) var strangers: Set<HostTable.ID> = []

    var count: Int { turns.count }
    var hosts: Set<HostTable.ID> { Set(turns.keys) }

    /// Whether they are in so many networks. A name without a known address is taken for a network of its own: after a restart while nothing
    /// answers, names under one domain must not pass for one network.
    func areSpread(over count: Int) -> Bool { networks.count + strangers.count >= count }

    mutating func add(_ host: HostTable.ID, at now: ContinuousClock.Instant, lasts: Duration, network: CIDR?) {
        remove(host)
        turns[host] = Turn(at: now, lasts: lasts, network: network)
        if let network { networks[network, default: 0] += 1 } else { strangers.insert(host) }
    }

    mutating func remove(_ host: HostTable.ID) {
        guard let turn = turns.removeValue(forKey: host) else { return }
        strangers.remove(host)
        guard let network = turn.network else { return }
        networks.takeOne(network)
    }

    mutating func removeAll() { if !turns.isEmpty { self = TurnedHosts() } }

    /// Something has answered: what never has says nothing any more.
    mutating func removeStrangers() { for host in strangers { remove(host) } }

    /// As long as nothing has answered since, what turned bad is part of the same silence, however seldom others are asked.
    mutating func expire(at now: ContinuousClock.Instant, answeredAt: ContinuousClock.Instant?) {
        guard let answeredAt else { return }
        for (host, turn) in turns where turn.at <= answeredAt && turn.at.duration(to: now) > turn.lasts { remove(host) }
    }
}

extension [CIDR: Int] {
    mutating func takeOne(_ network: CIDR) {
        let left = (self[network] ?? 0) - 1
        self[network] = left > 0 ? left : nil
    }
}
