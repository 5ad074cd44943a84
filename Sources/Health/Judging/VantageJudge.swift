/// The judge of this observer: whether what it sees can be a failure of its own.
///
/// It doubts itself
/// - when it has trouble of its own that ``note(troubles:at:)`` names;
/// - with at least two canaries, when all of them fail; when one answers, nothing else counts;
/// - without canaries, for the hosts of one class (``HostClass``): when at least half of them, at least five in at least three networks, turned
///   bad and none turned good. A host that turned bad counts for as long as the interval of its target, or until something of its class answers
///   when that is later; one that never answered counts only until something does. It trusts itself again when half of those that turned bad
///   answer again;
/// - in the same way for all hosts together, as long as nothing of any class answers: what is cut off whole may have few hosts of each class. A
///   class of which a host answers then is doubted no longer for the others' sake.
///
/// Half of the hosts take half an interval to fail, and the first targets can be confirmed before that. So it is *suspicious* of a class in
/// which a doubt can arise from a first failure until anything of it answers, or half of its hosts have had their turn. Others are asked all the
/// time: where one target fails, an answer comes before that is confirmed. With canaries it is never suspicious: an outage is told when canaries
/// that were asked after it began have answered (``Trust/vouchedUntil``).
package struct VantageJudge: Sendable {
    package static let canariesMin = 2

    package enum Cause: Hashable, Sendable {
        /// In words for people.
        case trouble(String)
        case canaries(Int)
        /// So many of so many hosts of a class.
        case hosts(bad: Int, of: Int, HostClass = .outside)

        package var sentence: String {
            switch self {
            case .trouble(let words): words
            case .canaries(let count): count == 1 ? "the canary fails" : "all \(count) canaries fail"
            case .hosts(let bad, let all, .outside): "\(bad) of \(counted(all, "host")) turned bad at once"
            case .hosts(let bad, let all, .inside(let block)):
                "\(bad) of \(counted(all, "host")) in \(block) turned bad at once"
            }
        }
    }

    package struct Doubt: Hashable, Sendable {
        package var since: ContinuousClock.Instant
        package var cause: Cause
    }

    /// What is held of hosts of one class.
    package struct Trust: Hashable, Sendable {
        package var isDoubtful: Bool
        package var isSuspicious: Bool
        /// When the last doubt ended: what was seen by a probe that started before proves nothing.
        package var trustedSince: ContinuousClock.Instant?
        /// Canaries speak for what began to fail until then, by the wall clock; nil without canaries.
        package var vouchedUntil: Timestamp?

        package init(
            isDoubtful: Bool = false, isSuspicious: Bool = false, trustedSince: ContinuousClock.Instant? = nil,
            vouchedUntil: Timestamp? = nil
        ) {
            (self.isDoubtful, self.isSuspicious) = (isDoubtful, isSuspicious)
            (self.trustedSince, self.vouchedUntil) = (trustedSince, vouchedUntil)
        }
    }

    /// What is held of everything: what others follow.
    package struct Standing: Sendable {
        /// Goes up with each conclusion: of two the one with the higher number is what holds.
        package fileprivate(set) var revision: UInt64 = 0
        /// The one that concerns all, or else that of the class with most hosts that turned bad.
        package fileprivate(set) var doubt: Doubt?
        /// Whether "no doubt" means anything yet: something has answered since the start, or the canaries were asked.
        package fileprivate(set) var isSettled = false
        /// Something began to fail after the canaries were asked last.
        package fileprivate(set) var wantsCanaries = false
        /// When the last doubt about anything ended.
        package fileprivate(set) var trustedSince: ContinuousClock.Instant?
        fileprivate var everywhere = Trust()
        /// Of which something else is held than of everything.
        fileprivate var classes: [HostClass: Trust] = [:]
        /// When each suspicion began.
        package fileprivate(set) var suspicions: [HostClass: ContinuousClock.Instant] = [:]

        package init() {}

        package func trust(_ hostClass: HostClass) -> Trust { classes.isEmpty ? everywhere : classes[hostClass] ?? everywhere }
    }

    package var hasCanaries = false { didSet { conclude() } }
    /// Networks in which this machine has an address.
    package var ownNetworks: Set<CIDR> = []
    package private(set) var standing = Standing()
    private var hosts = HostTable()
    /// The first is ``HostClass/outside``.
    private var classes = [ClassJudge(.outside)]
    /// Of the hosts of all classes.
    private var all = ClassJudge(.outside, isOfAll: true)
    /// Classes, by their indices, of which a host has answered since a doubt about all began; and when the first did.
    private var freed: [Int: ContinuousClock.Instant] = [:]
    private var hasAnswer = false
    /// The doubt that troubles or canaries cause.
    private var general: (doubt: Doubt?, trustedSince: ContinuousClock.Instant?)
    /// When a target began to fail last, as long as no canary that was asked after that has answered.
    private var failedAt: ContinuousClock.Instant?
    private var troubles: [String] = []
    /// What the canaries answered last: when they were asked, and whether all failed.
    private var canaries: (askedAt: ContinuousClock.Instant, allFailed: Bool, count: Int)?
    private var answeredFor = Timestamp(milliseconds: 0)

    package init() {}

    /// Of which class a host is, as far as is known by now.
    package func hostClass(of host: HostTable.ID) -> HostClass { classes[hosts.classIndex(of: host)].hostClass }

    // MARK: What it is told

    /// A target is watched. Returns its host's id, by which its results are told.
    ///
    /// - Parameters:
    ///   - isBad: its last result.
    ///   - interval: how often it is probed.
    package mutating func add(host: String, isBad: Bool, interval: Duration) -> HostTable.ID {
        let (id, isNew, turn) = hosts.add(host, isBad: isBad, interval: interval)
        guard isNew else {
            changed(id, turn)
            return id
        }
        classes[0].add(interval: interval, network: nil)
        all.add(interval: interval, network: nil)
        if let address = IPAddress(host) { learn(address, of: id) }
        return id
    }

    package mutating func remove(host: HostTable.ID, isBad: Bool) {
        let (classIndex, interval, network) = (hosts.classIndex(of: host), hosts.interval(of: host), hosts.network(of: host))
        let (isGone, turn) = hosts.remove(host, isBad: isBad)
        guard isGone else { return changed(host, turn) }
        classes[classIndex].remove(host, interval: interval, network: network)
        all.remove(host, interval: interval, network: network)
    }

    private mutating func changed(_ host: HostTable.ID, _ turn: HostTable.Turn?) {
        guard let turn else { return }
        classes[hosts.classIndex(of: host)].hostChanged(turn, host)
        all.hostChanged(turn, host)
    }

    /// A host is judged in the class of the first address that answered.
    private mutating func learn(_ address: IPAddress, of host: HostTable.ID) {
        let hostClass = HostClass(address, ownNetworks: ownNetworks)
        let old = hosts.classIndex(of: host)
        let classIndex = classes.firstIndex { $0.hostClass == hostClass } ?? classes.count
        if classIndex == classes.count { classes.append(ClassJudge(hostClass)) }
        let (interval, network) = (hosts.interval(of: host), hostClass.network(of: address))
        classes[old].remove(host, interval: interval, network: nil)
        hosts.note(network: network, classIndex: classIndex, of: host)
        classes[classIndex].add(interval: interval, network: network)
        all.learn(network)
    }

    /// One result that counted.
    ///
    /// - Parameters:
    ///   - wasBad: the target's result before it.
    ///   - interval: how often the target is probed.
    ///   - address: what was connected to, if anything was.
    package mutating func observe(
        host: HostTable.ID, wasBad: Bool, isBad: Bool, interval: Duration, address: @autoclosure () -> String?,
        at now: ContinuousClock.Instant
    ) {
        if !isBad {
            hasAnswer = true
            if hosts.network(of: host) == nil, let address = address().flatMap({ IPAddress($0) }) { learn(address, of: host) }
        }
        let classIndex = hosts.classIndex(of: host)
        let known = hosts.interval(of: host)
        if known != interval {
            hosts.note(interval: interval, of: host)
            classes[classIndex].change(interval: known, to: interval)
            all.change(interval: known, to: interval)
        }
        if !isBad {
            classes[classIndex].answered(at: now)
            all.answered(at: now)
            if all.doubtSince != nil, freed[classIndex] == nil {
                freed[classIndex] = now
                conclude()
            }
        }
        guard wasBad != isBad else {
            // It may have ended a suspicion.
            let isNews = classes[classIndex].suspiciousSince != nil || all.suspiciousSince != nil || !standing.isSettled
            if !isBad, isNews { weigh(classIndex, at: now) }
            return
        }
        if isBad {
            classes[classIndex].targetTurnedBad(host)
            all.targetTurnedBad(host)
            failedAt = now
        }
        if let turn = hosts.count(host, isBad: isBad) {
            let network = hosts.network(of: host)
            classes[classIndex].hostTurned(turn, host, interval: interval, network: network, at: now)
            all.hostTurned(turn, host, interval: interval, network: network, at: now)
        }
        weigh(classIndex, at: now)
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
        conclude()
    }

    // MARK: What it makes of it

    /// Time passes.
    package mutating func weigh(at now: ContinuousClock.Instant) {
        for classIndex in classes.indices {
            classes[classIndex].expire(at: now)
            classes[classIndex].weigh(isAsked: !hasCanaries, at: now)
        }
        all.expire(at: now)
        all.weigh(isAsked: !hasCanaries, at: now)
        switch (general.doubt, generalCause) {
        case (nil, let cause?): general.doubt = Doubt(since: now, cause: cause)
        case (.some, nil): general = (nil, now)
        case (.some, let cause?): general.doubt?.cause = cause
        case (nil, nil): break
        }
        conclude()
    }

    private mutating func weigh(_ classIndex: Int, at now: ContinuousClock.Instant) {
        classes[classIndex].weigh(isAsked: !hasCanaries, at: now)
        all.weigh(isAsked: !hasCanaries, at: now)
        conclude()
    }

    private var generalCause: Cause? {
        if let first = troubles.first { return .trouble(first) }
        guard hasCanaries, let canaries, canaries.allFailed else { return nil }
        return .canaries(canaries.count)
    }

    private mutating func conclude() {
        var new = Standing()
        new.revision = standing.revision + 1
        let worst = classes.filter { $0.doubtSince != nil }.max { $0.bad < $1.bad }
        new.doubt = general.doubt ?? doubt(of: all) ?? worst.flatMap(doubt)
        new.isSettled = hasCanaries ? canaries != nil : hasAnswer
        new.wantsCanaries = hasCanaries && failedAt != nil
        if all.doubtSince == nil { freed = [:] }
        new.everywhere = Trust(
            isDoubtful: general.doubt != nil || all.doubtSince != nil, isSuspicious: all.suspiciousSince != nil,
            trustedSince: Self.latest(general.trustedSince, all.trustedSince), vouchedUntil: hasCanaries ? answeredFor : nil)
        if new.everywhere.isDoubtful { new.everywhere.isSuspicious = false }
        for (classIndex, one) in classes.enumerated() {
            let freedAt = freed[classIndex]
            let hasOwn = one.doubtSince != nil || one.suspiciousSince != nil || one.trustedSince != nil
            guard hasOwn || freedAt != nil else { continue }
            var trust = new.everywhere
            if freedAt != nil { trust.isDoubtful = general.doubt != nil }
            trust.isDoubtful = trust.isDoubtful || one.doubtSince != nil
            trust.isSuspicious = !trust.isDoubtful && (trust.isSuspicious || one.suspiciousSince != nil)
            trust.trustedSince = Self.latest(Self.latest(trust.trustedSince, one.trustedSince), freedAt)
            new.classes[one.hostClass] = trust
        }
        for one in classes where new.trust(one.hostClass).isSuspicious {
            new.suspicions[one.hostClass] = one.suspiciousSince ?? all.suspiciousSince
        }
        new.trustedSince = new.classes.values.reduce(new.everywhere.trustedSince) { Self.latest($0, $1.trustedSince) }
        standing = new
    }

    private func doubt(of one: ClassJudge) -> Doubt? {
        one.doubtSince.map { Doubt(since: $0, cause: .hosts(bad: one.bad, of: one.hosts, one.hostClass)) }
    }

    private static func latest(_ one: ContinuousClock.Instant?, _ other: ContinuousClock.Instant?) -> ContinuousClock.Instant? {
        [one, other].compactMap(\.self).max()
    }
}
