/// The judge of this observer: whether what it sees can be a failure of its own.
///
/// It doubts itself
/// - when it has trouble of its own that ``note(troubles:at:)`` names;
/// - with at least two canaries, when all of them fail; when one answers, nothing else counts;
/// - without canaries when at least half of the hosts, at least five of them in at least three networks, turned bad within one interval and
///   no host turned good. It trusts itself again when half of those that turned bad answer again.
///
/// Half of the hosts take half an interval to fail, and the first targets can be confirmed before that. So it is *suspicious* as soon as three
/// hosts in three networks have begun to fail since anything at all answered: for an interval at most. With canaries it is never suspicious: an
/// outage is told when canaries that were asked after it began have answered (``vouchedUntil``).
package struct VantageJudge: Sendable {
    package static let (hostsMin, networksMin, canariesMin) = (5, 3, 2)
    /// So few hosts are enough for a suspicion, because a single answer ends it.
    private static let suspectsMin = 3

    package enum Cause: Hashable, Sendable {
        /// In words for people.
        case trouble(String)
        case canaries(Int)
        /// So many of so many hosts.
        case hosts(bad: Int, of: Int)

        package var sentence: String {
            switch self {
            case .trouble(let words): words
            case .canaries(let count): count == 1 ? "the canary fails" : "all \(count) canaries fail"
            case .hosts(let bad, let all): "\(bad) of \(counted(all, "host")) turned bad at once"
            }
        }
    }

    package struct Doubt: Hashable, Sendable {
        package var since: ContinuousClock.Instant
        package var cause: Cause
    }

    /// How long hosts may take to fail together: the interval of most targets.
    package var window: Duration
    package var hasCanaries = false
    package private(set) var doubt: Doubt?
    /// When the last doubt ended: what was seen by a probe that started before proves nothing.
    package private(set) var trustedSince: ContinuousClock.Instant?
    private var hosts = HostTable()
    private var hasAnswer = false
    /// Those that turned bad since one turned good, within the window.
    private var turned: [HostTable.ID: ContinuousClock.Instant] = [:]
    /// In a doubt because of hosts: those that turned bad and haven't answered since, and how many there were at most.
    private var affected: (now: Set<HostTable.ID>, most: Int) = ([], 0)
    /// Those of which a target turned bad since anything answered.
    private var silent: Set<HostTable.ID> = []
    private var suspiciousSince: ContinuousClock.Instant?
    /// When a target began to fail last, as long as no canary that was asked after that has answered.
    private var failedAt: ContinuousClock.Instant?
    private var troubles: [String] = []
    /// What the canaries answered last: when they were asked, and whether all failed.
    private var canaries: (askedAt: ContinuousClock.Instant, allFailed: Bool, count: Int)?
    private var answeredFor = Timestamp(milliseconds: 0)

    package init(window: Duration) { self.window = window }

    /// Whether "no doubt" means anything yet: something has answered since the start, or the canaries were asked.
    package var isSettled: Bool { hasCanaries ? canaries != nil : hasAnswer }

    package var isSuspicious: Bool { doubt == nil && suspiciousSince != nil }

    /// Canaries speak for what began to fail until then, by the wall clock; nil without canaries.
    package var vouchedUntil: Timestamp? { hasCanaries ? answeredFor : nil }
    /// Something began to fail after the canaries were asked last.
    package var wantsCanaries: Bool { hasCanaries && failedAt != nil }

    // MARK: What it is told

    /// A target is watched. Returns its host's place, by which its results are told.
    package mutating func add(host: String, isBad: Bool) -> HostTable.ID { hosts.add(host, isBad: isBad) }

    package mutating func remove(host: HostTable.ID, isBad: Bool) {
        guard hosts.remove(host, isBad: isBad) else { return }
        turned[host] = nil
        silent.remove(host)
        affected.now.remove(host)
    }

    /// One result that counted.
    ///
    /// - Parameters:
    ///   - wasBad: the target's result before it.
    ///   - address: what was connected to, if anything was.
    package mutating func follow(
        host: HostTable.ID, wasBad: Bool, isBad: Bool, address: @autoclosure () -> String?, at now: ContinuousClock.Instant
    ) {
        if !isBad {
            (silent, hasAnswer) = ([], true)
            if !hosts.knowsNetwork(of: host) { hosts.note(address: address(), of: host) }
            if suspiciousSince != nil { weigh(at: now) }
        }
        guard wasBad != isBad else { return }
        if isBad {
            silent.insert(host)
            failedAt = now
        }
        guard let turn = hosts.count(host, isBad: isBad) else { return suspect(at: now) }
        if turn == .bad {
            turned[host] = now
            if isDoubtOfHosts { affected.now.insert(host) }
            affected.most = max(affected.most, affected.now.count)
        } else {
            turned = [:]
            affected.now.remove(host)
        }
        weigh(at: now)
    }

    /// What is wrong with the daemon itself, in words; nothing when nothing is.
    package mutating func note(troubles: [String], at now: ContinuousClock.Instant) {
        self.troubles = troubles
        weigh(at: now)
    }

    /// The canaries were asked, all of them at once.
    ///
    /// - Parameter wall: when, by the wall clock.
    package mutating func note(canariesAskedAt askedAt: ContinuousClock.Instant, _ wall: Timestamp, failed: Int, of count: Int) {
        // Of two rounds at a time the later one knows better.
        guard canaries.map({ askedAt >= $0.askedAt }) ?? true else { return }
        canaries = (askedAt, failed == count && count >= Self.canariesMin, count)
        if failed < count { answeredFor = wall }
        if let failed = failedAt, askedAt >= failed { failedAt = nil }
    }

    /// Time passes.
    package mutating func weigh(at now: ContinuousClock.Instant) {
        if !turned.isEmpty { turned = turned.filter { $1.duration(to: now) <= window } }
        // A host may turn without a turn of a target: by targets that come and go.
        if isDoubtOfHosts { affected.now = affected.now.filter { hosts.isBad($0) } }
        suspect(at: now)
        switch (doubt, causeOfDoubt) {
        case (nil, let cause?): begin(cause, at: now)
        case (.some, nil):
            (doubt, suspiciousSince, trustedSince) = (nil, nil, now)
            affected = ([], 0)
        case (.some, let cause?): doubt?.cause = cause
        case (nil, nil): break
        }
    }

    // MARK: What it makes of it

    private mutating func begin(_ cause: Cause, at now: ContinuousClock.Instant) {
        doubt = Doubt(since: now, cause: cause)
        // Not those that failed before: they may fail for ever.
        if case .hosts = cause { affected = (Set(turned.keys), turned.count) }
    }

    private var isDoubtOfHosts: Bool { if case .hosts? = doubt?.cause { true } else { false } }

    private var causeOfDoubt: Cause? {
        if let first = troubles.first { return .trouble(first) }
        if hasCanaries {
            guard let canaries, canaries.allFailed else { return nil }
            return .canaries(canaries.count)
        }
        if isDoubtOfHosts {
            return 2 * affected.now.count > affected.most ? .hosts(bad: affected.now.count, of: hosts.count) : nil
        }
        guard isMany(turned.keys, least: Self.hostsMin), 2 * turned.count >= hosts.count else { return nil }
        return .hosts(bad: turned.count, of: hosts.count)
    }

    private func isMany(_ some: some Collection<HostTable.ID>, least: Int) -> Bool {
        some.count >= least && hosts.networks(of: some) >= Self.networksMin
    }

    private mutating func suspect(at now: ContinuousClock.Instant) {
        guard !hasCanaries else { return suspiciousSince = nil }
        // Of so few hosts that there can be no doubt nothing is suspected either.
        guard hosts.count >= Self.hostsMin, isMany(silent, least: Self.suspectsMin) else { return suspiciousSince = nil }
        let since = suspiciousSince ?? now
        // By then half of the hosts would have failed.
        let isOver = since.duration(to: now) > window
        suspiciousSince = isOver ? nil : since
        if isOver { silent = [] }
    }
}

/// The hosts of all targets. Many targets may share one: a provider that fails is one host, and it is bad when more than half of its targets
/// failed last.
package struct HostTable: Sendable {
    package typealias ID = Int32

    private struct Host {
        let name: String
        var targets: Int32 = 0
        var bad: Int32 = 0
        var network: UInt64?
        var isBad: Bool { 2 * bad > targets }
    }

    enum Turn { case good, bad }

    /// By the bytes of a host's name.
    private var ids: [[UInt8]: ID] = [:]
    private var hosts: [Host?] = []
    private var free: [ID] = []

    var count: Int { ids.count }

    mutating func add(_ name: String, isBad: Bool) -> ID {
        let id = ids[Array(name.utf8)] ?? free.popLast() ?? ID(hosts.count)
        if id == hosts.count { hosts.append(nil) }
        ids[Array(name.utf8)] = id
        var host = hosts[Int(id)] ?? Host(name: name)
        host.targets += 1
        host.bad += isBad ? 1 : 0
        hosts[Int(id)] = host
        return id
    }

    /// Returns whether that was its last target.
    mutating func remove(_ id: ID, isBad: Bool) -> Bool {
        guard var host = hosts[Int(id)] else { return false }
        host.targets -= 1
        host.bad -= isBad ? 1 : 0
        guard host.targets <= 0 else {
            hosts[Int(id)] = host
            return false
        }
        ids[Array(host.name.utf8)] = nil
        hosts[Int(id)] = nil
        free.append(id)
        return true
    }

    /// One of its targets has turned. Returns what that made of the host; nil when it is as it was.
    mutating func count(_ id: ID, isBad: Bool) -> Turn? {
        guard var host = hosts[Int(id)] else { return nil }
        let before = host.isBad
        host.bad += isBad ? 1 : -1
        hosts[Int(id)] = host
        return before == host.isBad ? nil : host.isBad ? .bad : .good
    }

    func isBad(_ id: ID) -> Bool { hosts[Int(id)]?.isBad ?? false }

    func knowsNetwork(of id: ID) -> Bool { hosts[Int(id)]?.network != nil }

    mutating func note(address: String?, of id: ID) {
        guard let address = address.flatMap({ IPAddress($0) }) else { return }
        hosts[Int(id)]?.network = Self.network(of: address)
    }

    private static func network(of address: IPAddress) -> UInt64 {
        address.bytes.prefix(address.isIPv4 ? 2 : 4).reduce(address.isIPv4 ? 1 : 2) { $0 << 8 | UInt64($1) }
    }

    /// How many networks (/16, and /32 of IPv6) they are in. Of a name that never answered no address is known, and it is taken for a network
    /// of its own: after a restart while nothing answers, names under one domain must not pass for one network.
    func networks(of some: some Collection<ID>) -> Int {
        let networks = some.compactMap { hosts[Int($0)] }.map { host in
            host.network ?? IPAddress(host.name).map(Self.network(of:)) ?? UInt64(bitPattern: Int64(host.name.hashValue))
        }
        return Set(networks).count
    }
}
