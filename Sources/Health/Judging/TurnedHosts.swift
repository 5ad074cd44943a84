/// Hosts that turned bad, with the networks that they are in.
struct TurnedHosts: Sendable {
    private struct Turn {
        var at: ContinuousClock.Instant
        /// The interval of the target that turned it.
        var lasts: Duration
        var network: CIDR?
    }

    /// Turns by a target of one interval, in the order of their time: the first of them ends first. A host that has turned again or is gone
    /// leaves its old line here, which is passed over.
    private struct Line {
        var entries: [(host: HostTable.ID, at: ContinuousClock.Instant)] = []
        /// How many of ``entries`` are done with; they are cleared away in bulk.
        var start = 0

        var first: (host: HostTable.ID, at: ContinuousClock.Instant)? {
            start < entries.count ? entries[start] : nil
        }

        mutating func removeFirst() {
            start += 1
            guard start > 1024, 2 * start > entries.count else { return }
            entries.removeFirst(start)
            start = 0
        }
    }

    private var turns: [HostTable.ID: Turn] = [:]
    /// By the length of an interval. So time that passes costs as much as has ended, and not as much as there is.
    private var lines: [Duration: Line] = [:]
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
        lines[lasts, default: Line()].entries.append((host, now))
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
    mutating func removeStrangers() {
        guard !strangers.isEmpty else { return }
        for host in strangers { remove(host) }
    }

    /// As long as nothing has answered since, what turned bad is part of the same silence, however seldom others are asked.
    mutating func expire(at now: ContinuousClock.Instant, answeredAt: ContinuousClock.Instant?) {
        guard let answeredAt else { return }
        for interval in Array(lines.keys) {
            while let first = lines[interval]?.first, first.at <= answeredAt, first.at.duration(to: now) > interval {
                lines[interval]?.removeFirst()
                if let turn = turns[first.host], turn.at == first.at, turn.lasts == interval { remove(first.host) }
            }
            if lines[interval]?.first == nil { lines[interval] = nil }
        }
    }
}

extension [CIDR: Int] {
    mutating func takeOne(_ network: CIDR) {
        let left = (self[network] ?? 0) - 1
        self[network] = left > 0 ? left : nil
    }
}
