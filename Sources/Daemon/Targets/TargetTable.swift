import Curl
import Health
import Probing

/// The targets that are watched, what is counted of them, and the judge of the vantage. ``TargetRegistry`` keeps it behind its lock.
struct TargetTable {
    var entries: [TargetIdentity: RegisteredTarget] = [:]
    /// The same targets, in an order that a scan can go on in after others had the lock. A target keeps its slot.
    var slots: [RegisteredTarget?] = []
    var freeSlots: [Int32] = []
    var egress = EgressRule()
    var unprobeable = 0
    var statuses: [Status: Int] = [:]
    var vantage = VantageJudge()
    /// Goes up when the history begins anew.
    var historyGeneration: UInt32 = 1
    /// Since when a target has had none but void results. A daemon that is well has none.
    var voidSince: [TargetIdentity: ContinuousClock.Instant] = [:]
    var registrations: Registration = 0
    var changes = ChangeOrder()
    /// As in ``Judge/judge(_:policy:intervalsTolerated:)``.
    var intervalsTolerated = Judge.intervalsTolerated

    // MARK: Targets that come, change and go

    mutating func add(_ target: Target, url: URLParts?, _ policy: SharedPolicy, judge: Judge) -> RegisteredTarget {
        let slot = freeSlots.popLast() ?? Int32(slots.count)
        let entry = RegisteredTarget(
            target: target, url: url, policy: policy, judge: judge, registration: nextRegistration(), slot: slot)
        if Int(slot) == slots.count { slots.append(entry) } else { slots[Int(slot)] = entry }
        entries[target.identity] = entry
        statuses[judge.status, default: 0] += 1
        if judge.isUnprobeable { unprobeable += 1 }
        return entry
    }

    /// Returns whether the target is probed at another URL from now on.
    mutating func update(_ target: Target, url: URLParts?, _ policy: SharedPolicy) -> Bool {
        guard let entry = entries[target.identity] else { return false }
        let isMoved =
            !entry.target.probesSameURL(as: target) || entry.policy.value.pathJoin != policy.value.pathJoin
        (entry.target, entry.url, entry.policy) = (target, url, policy)
        guard isMoved else { return false }
        entry.move(nextRegistration())
        leaveHost(entry)
        return true
    }

    mutating func remove(_ identity: TargetIdentity) -> RegisteredTarget? {
        guard let entry = entries.removeValue(forKey: identity) else { return nil }
        slots[Int(entry.slot)] = nil
        freeSlots.append(entry.slot)
        if entry.judge.isUnprobeable { unprobeable -= 1 }
        statuses[entry.judge.status, default: 0] -= 1
        voidSince[identity] = nil
        leaveHost(entry)
        return entry
    }

    // MARK: Results

    var areHalfVoid: Bool { 2 * voidSince.count >= entries.count && !voidSince.isEmpty }

    mutating func nextRegistration() -> Registration {
        registrations &+= 1
        return registrations
    }

    func isWitness(_ entry: RegisteredTarget, of classes: Set<HostClass>) -> Bool {
        guard entry.judge.status == .up, !entry.isHostToldBad, let host = entry.host else { return false }
        return classes.contains(vantage.hostClass(of: host))
    }

    mutating func judge(
        _ report: ProbeReport, _ entry: RegisteredTarget, _ registration: Registration, at now: ContinuousClock.Instant
    ) -> JudgedResult {
        var result = report.result
        if registration == entry.registration { entry.otherAddresses = report.otherAddresses } else { result.void = .cancelled }
        noteVoid(result, startedAt: report.startedAt)
        let before = entry.judge
        let judgement = entry.judge.judge(result, policy: entry.policy.value, intervalsTolerated: intervalsTolerated)
        let judge = entry.judge
        if judge.status != before.status {
            statuses[before.status, default: 0] -= 1
            statuses[judge.status, default: 0] += 1
        }
        unprobeable += (judge.isUnprobeable ? 1 : 0) - (before.isUnprobeable ? 1 : 0)
        let isJudgeNews = entry.judgeIsWrittenIn != historyGeneration || !judge.isLike(before)
        entry.judgeIsWrittenIn = historyGeneration
        tellVantage(result, entry, at: now)
        return JudgedResult(
            result: result, judgement: judgement, judge: judge, isJudgeNews: isJudgeNews, target: entry.target, slot: entry.slot,
            url: entry.url,
            policy: entry.policy, intervalsTolerated: intervalsTolerated,
            changesUnprobeable: judge.isUnprobeable != before.isUnprobeable,
            changesCause: judge.cause != before.cause, startedAt: report.startedAt,
            hostClass: entry.host.map { vantage.hostClass(of: $0) } ?? .outside, lastGood: entry.lastGood,
            evidence: report.evidence, otherAddresses: entry.otherAddresses)
    }

    private mutating func noteVoid(_ result: ProbeResult, startedAt: ContinuousClock.Instant?) {
        switch result.void {
        case nil: if !voidSince.isEmpty { voidSince[result.target] = nil }
        // The target was changed, which says nothing of the daemon.
        case .cancelled: break
        case .tainted, .proberFault: voidSince[result.target] = voidSince[result.target] ?? startedAt
        }
    }

    /// The judge of the vantage is told of a result that counted, by the target's host.
    private mutating func tellVantage(_ result: ProbeResult, _ entry: RegisteredTarget, at now: ContinuousClock.Instant) {
        guard result.void == nil, !entry.judge.isUnprobeable else { return }
        guard let host = entry.host ?? addHost(of: entry) else { return }
        entry.host = host
        let isBad = !result.outcome.isSuccess
        vantage.observe(
            host: host, wasBad: entry.isHostToldBad, isBad: isBad, interval: entry.policy.value.interval,
            address: result.facts.address, at: now)
        entry.isHostToldBad = isBad
        if result.outcome == .good { entry.lastGood = LastGood(result) }
    }

    private mutating func addHost(of entry: RegisteredTarget) -> HostTable.ID? {
        guard let url = entry.url else { return nil }
        return vantage.add(host: url.host, isBad: entry.isHostToldBad, interval: entry.policy.value.interval)
    }

    mutating func leaveHost(_ entry: RegisteredTarget) {
        if let host = entry.host { vantage.remove(host: host, isBad: entry.isHostToldBad) }
        (entry.host, entry.isHostToldBad) = (nil, false)
    }
}
