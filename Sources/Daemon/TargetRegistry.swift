import Alerting
import Curl
import Health
import Probing
import Synchronization

/// A policy that many targets share: held once, not once a target.
final class SharedPolicy: Sendable {
    let value: ProbePolicy
    init(_ value: ProbePolicy) { self.value = value }
}

/// What is watched: every target with its policy and its judge. Probes take their orders here, and results are judged here.
///
/// The lock is held for one target's worth of work at a time, because it stands between a due time and the socket.
final class TargetRegistry: Sendable {
    /// On the heap, because a table of a hundred thousand large values is mostly room to grow.
    final class Entry {
        var target: Target
        var policy: SharedPolicy
        var judge: Judge
        /// The history knows it as it is.
        var isJudgeWritten = false
        /// Its last result failed, as far as its host was told.
        var isHostToldBad = false
        /// Known from its first result on.
        var host: HostTable.ID?
        /// How long the last good result took, in microseconds.
        var lastGood: UInt32 = 0
        /// Goes up with each probe.
        var turn: UInt64 = 0
        /// Another one when the target is probed elsewhere: a result of the old place counts for nothing.
        var place: UInt64 = 0
        /// What a second look of this interval found.
        var otherAddresses: OtherAddresses?
        /// The reconciliation that last wanted it.
        var wanted: UInt64 = 0

        init(target: Target, policy: SharedPolicy, judge: Judge, place: UInt64) {
            self.target = target
            self.policy = policy
            self.judge = judge
            self.place = place
        }
    }

    private struct State {
        var entries: [TargetIdentity: Entry] = [:]
        var egress = EgressRule()
        var unprobeable = 0
        var statuses: [Status: Int] = [:]
        var vantage = VantageJudge()
        /// Goes up when the history begins anew.
        var historyGeneration = 0
        /// Since when a target has had none but void results. Of a daemon that is well it is empty.
        var voidSince: [TargetIdentity: ContinuousClock.Instant] = [:]
        /// The last place given out: no two are the same, not even of a target that went and came back.
        var places: UInt64 = 0

        mutating func apply(_ result: ProbeResult, startedAt: ContinuousClock.Instant?) {
            switch result.void {
            case nil: if !voidSince.isEmpty { voidSince[result.target] = nil }
            // The target was changed: that says nothing of us.
            case .cancelled: break
            case .tainted, .proberFault: voidSince[result.target] = voidSince[result.target] ?? startedAt
            }
        }

        /// A result that counted is told to the judge of the vantage, by its host.
        mutating func apply(_ result: ProbeResult, _ entry: Entry, at now: ContinuousClock.Instant) {
            guard result.void == nil, !entry.judge.isUnprobeable else { return }
            guard let host = entry.host ?? host(of: entry) else { return }
            entry.host = host
            let isBad = !result.outcome.isSuccess
            vantage.observe(
                host: host, wasBad: entry.isHostToldBad, isBad: isBad, interval: entry.policy.value.interval,
                address: result.facts.address, at: now)
            entry.isHostToldBad = isBad
            if result.outcome == .good { entry.lastGood = UInt32(clamping: result.duration.wholeMicroseconds) }
        }

        private mutating func host(of entry: Entry) -> HostTable.ID? {
            guard let url = try? testURL(of: entry.target, join: entry.policy.value.pathJoin) else { return nil }
            return vantage.add(host: url.host, isBad: entry.isHostToldBad, interval: entry.policy.value.interval)
        }

        mutating func leaveHost(_ entry: Entry) {
            if let host = entry.host { vantage.remove(host: host, isBad: entry.isHostToldBad) }
            (entry.host, entry.isHostToldBad) = (nil, false)
        }

        mutating func nextPlace() -> UInt64 {
            places &+= 1
            return places
        }
    }

    private static let witnessesLookedAt = 10_000

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.entries.count } }
    /// How many targets can't be probed because of a bad record or our own policy.
    var unprobeableCount: Int { state.withLock { $0.unprobeable } }

    /// How many targets there are of each status.
    var statuses: [Status: Int] { state.withLock { $0.statuses } }

    /// How many targets have had none but void results for so many of their intervals: probed, but not watched. 0 while that is less than
    /// half of all: then a setting of those targets is wrong, such as their client key, and the log says so; half of them is the daemon.
    func unseen(forIntervals intervals: Int, now: ContinuousClock.Instant) -> Int {
        state.withLock { state in
            let unseen = state.voidSince.count { target, since in
                state.entries[target].map { since.duration(to: now) > $0.policy.value.interval * intervals } ?? false
            }
            return 2 * unseen < state.entries.count ? 0 : unseen
        }
    }

    func setEgress(_ rule: EgressRule) { state.withLock { $0.egress = rule } }

    func add(_ target: Target, _ policy: SharedPolicy, judge: Judge, round: UInt64 = 0) {
        state.withLock { state in
            let entry = Entry(target: target, policy: policy, judge: judge, place: state.nextPlace())
            entry.wanted = round
            state.entries[target.identity] = entry
            state.statuses[judge.status, default: 0] += 1
            if judge.isUnprobeable { state.unprobeable += 1 }
        }
    }

    /// What a reconciliation finds of a target that it wants.
    enum Known { case unchanged, changed, absent }

    /// Marks a target as wanted by a reconciliation, and says whether it is watched in this form.
    func want(_ target: Target, _ policy: SharedPolicy, round: UInt64) -> Known {
        state.withLock { state in
            guard let entry = state.entries[target.identity] else { return .absent }
            entry.wanted = round
            return entry.target == target && entry.policy === policy ? .unchanged : .changed
        }
    }

    /// The history has begun anew and knows none of the judges: each is written with its next result.
    func forgetWhatIsWritten() {
        state.withLock { state in
            state.historyGeneration += 1
            for entry in state.entries.values { entry.isJudgeWritten = false }
        }
    }

    var historyGeneration: Int { state.withLock { $0.historyGeneration } }

    /// Some targets that are up, on hosts of these classes: whether they still answer says what a failure there is worth.
    func witnesses(of classes: Set<HostClass>, atMost count: Int) -> [TargetIdentity] {
        state.withLock { state in
            var found: [TargetIdentity] = []
            // Others wait for this lock, and where nearly nothing is up there is nobody to ask. From another place each time.
            let first = Int.random(in: 0...max(0, state.entries.count - Self.witnessesLookedAt))
            for (identity, entry) in state.entries.dropFirst(first).prefix(Self.witnessesLookedAt)
            where entry.judge.status == .up && !entry.isHostToldBad {
                guard found.count < count else { break }
                if let host = entry.host, classes.contains(state.vantage.hostClass(of: host)) { found.append(identity) }
            }
            return found
        }
    }

    /// Whether a target is watched.
    func watches(_ identity: TargetIdentity) -> Bool { state.withLock { $0.entries[identity] != nil } }

    /// Those whose status it is.
    func targets(_ status: Status) -> [TargetIdentity] {
        state.withLock { $0.entries.compactMap { $1.judge.status == status ? $0 : nil } }
    }

    /// Whether a target is down, or fails and may be about to be.
    func isAtStake(_ identity: TargetIdentity) -> Bool {
        state.withLock { state in
            guard let judge = state.entries[identity]?.judge else { return false }
            return judge.incident != nil || judge.isUndecided
        }
    }

    /// How often a target is probed; nil when it is no longer watched.
    func policy(of identity: TargetIdentity) -> ProbePolicy? { state.withLock { $0.entries[identity]?.policy.value } }

    /// Those that the reconciliation didn't want.
    func unwanted(round: UInt64) -> [TargetIdentity] {
        state.withLock { $0.entries.compactMap { $1.wanted == round ? nil : $0 } }
    }

    /// Gives a watched target a new form. Returns true when it is probed elsewhere now.
    func update(_ target: Target, _ policy: SharedPolicy) -> Bool {
        state.withLock { state in
            guard let entry = state.entries[target.identity] else { return false }
            let isElsewhere =
                !entry.target.probesSameURL(as: target) || entry.policy.value.pathJoin != policy.value.pathJoin
            (entry.target, entry.policy) = (target, policy)
            if isElsewhere {
                entry.place = state.nextPlace()
                entry.judge.urlChanged()
                entry.isJudgeWritten = false
                entry.otherAddresses = nil
                state.leaveHost(entry)
            }
            return isElsewhere
        }
    }

    /// Watches a target no longer. Returns its incident, closed as removed, when one was open.
    func remove(_ identity: TargetIdentity, at now: Timestamp) -> Incident? {
        state.withLock { state in
            guard let entry = state.entries.removeValue(forKey: identity) else { return nil }
            if entry.judge.isUnprobeable { state.unprobeable -= 1 }
            state.statuses[entry.judge.status, default: 0] -= 1
            state.voidSince[identity] = nil
            state.leaveHost(entry)
            return entry.judge.removed(at: now)
        }
    }

    /// The next probe of a target, or nil when it is no longer watched.
    ///
    /// - Parameter isRecheck: false begins a new interval, and with it a second look is due again.
    func order(_ identity: TargetIdentity, due: ContinuousClock.Instant, isRecheck: Bool) -> (order: ProbeOrder, place: UInt64)? {
        state.withLock { state in
            guard let entry = state.entries[identity]?.takeTurn(isRecheck: isRecheck) else { return nil }
            let order = ProbeOrder(
                target: entry.target, policy: entry.policy.value, egress: state.egress, due: due, turn: entry.turn,
                otherAddresses: entry.otherAddresses)
            return (order, entry.place)
        }
    }

    struct Judged {
        var result: ProbeResult
        var judgement: Judgement
        var judge: Judge
        /// The judge has changed, and not only by when it last counted.
        var isJudgeNews: Bool
        var target: Target
        /// How often it is probed.
        var interval: Duration
        var certificate: CertificateNotice?
        /// The number of targets that can't be probed has changed.
        var changesUnprobeable: Bool
        var changesCause: Bool
        var startedAt: ContinuousClock.Instant
        /// What the vantage is worth now.
        var standing: VantageJudge.Standing
        /// Of its host.
        var hostClass: HostClass

        /// Whether an alert may begin or end by it.
        var concernsAlerts: Bool {
            result.void == nil
                && (judgement.transition != nil || judgement.incident != nil || changesUnprobeable || changesCause
                    || certificate.map { $0.grade != .fine } ?? false)
        }

        /// What its alerts say of it.
        var describe: @Sendable () -> TargetReport.Description
    }

    /// What the judge of the vantage holds.
    var standing: VantageJudge.Standing { state.withLock { $0.vantage.standing } }

    /// Calls `body` with the judge of the vantage, and says what it holds then.
    ///
    /// - Parameter tell: called before another thread can change it: what is said last is what is so.
    @discardableResult
    func vantage(tell: (VantageJudge.Standing) -> Void, _ body: (inout VantageJudge) -> Void) -> VantageJudge.Standing {
        state.withLock { state in
            body(&state.vantage)
            tell(state.vantage.standing)
            return state.vantage.standing
        }
    }

    /// Judges a result that was ordered at `place`. nil when its target is no longer watched.
    ///
    /// - Parameter persist: called before another thread can remove the target, so that nothing of it is remembered afterwards.
    func judge(_ report: ProbeReport, place: UInt64, persist: (Judged) -> Void) -> Judged? {
        state.withLock { state in
            var result = report.result
            guard let entry = state.entries[result.target] else { return nil }
            if place != entry.place { result.void = .cancelled } else { entry.otherAddresses = report.otherAddresses }
            state.apply(result, startedAt: report.startedAt)
            let before = entry.judge
            let judgement = entry.judge.judge(result, policy: entry.policy.value)
            if entry.judge.status != before.status {
                state.statuses[before.status, default: 0] -= 1
                state.statuses[entry.judge.status, default: 0] += 1
            }
            let isUnprobeable = entry.judge.isUnprobeable
            state.unprobeable += (isUnprobeable ? 1 : 0) - (before.isUnprobeable ? 1 : 0)
            let isJudgeNews = !entry.isJudgeWritten || !entry.judge.isLike(before)
            entry.isJudgeWritten = true
            state.apply(result, entry, at: .now)
            let judged = Judged(
                result: result, judgement: judgement, judge: entry.judge, isJudgeNews: isJudgeNews, target: entry.target,
                interval: entry.policy.value.interval,
                certificate: CertificateNotice(result, days: entry.policy.value.certificateDays),
                changesUnprobeable: isUnprobeable != before.isUnprobeable,
                changesCause: entry.judge.cause != before.cause, startedAt: report.startedAt ?? .now,
                standing: state.vantage.standing, hostClass: entry.host.map { state.vantage.hostClass(of: $0) } ?? .outside,
                describe: {
                    [target = entry.target, policy = entry.policy, lastGood = entry.lastGood, others = entry.otherAddresses] in
                    TargetReport.Description(target, policy.value, lastGood: lastGood, others: others)
                })
            persist(judged)
            return judged
        }
    }
}

extension TargetRegistry.Entry {
    fileprivate func takeTurn(isRecheck: Bool) -> TargetRegistry.Entry {
        turn &+= 1
        if !isRecheck { otherAddresses = nil }
        return self
    }
}
