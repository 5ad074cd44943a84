import Curl
import Health
import Probing
import LockOrder

/// Every target that is watched, with its policy and its judge. Probes get their orders here, and results are judged here.
///
/// The lock stands between a due time and the socket. So it is held for one target's worth of work, or for ``scanStep`` targets of a scan, and
/// nothing of others runs under it: what has changed is returned, and ``TargetFollowers`` tells it afterwards.
final class TargetRegistry: Sendable {
    /// How many targets a scan looks at before others get the lock.
    static let scanStep = 512
    private static let witnessesLookedAt = 10_000

    private let state = OrderedMutex(TargetTable())

    // MARK: Figures

    var count: Int { state.withLock { $0.entries.count } }
    /// How many targets can't be probed because of a bad record or our own policy.
    var unprobeableCount: Int { state.withLock { $0.unprobeable } }
    /// How many targets there are of each status.
    var statuses: [Status: Int] { state.withLock { $0.statuses } }
    /// Goes up when the history begins anew.
    var historyGeneration: Int { state.withLock { Int($0.historyGeneration) } }
    /// What the judge of the vantage holds.
    var standing: VantageJudge.Standing { state.withLock { $0.vantage.standing } }

    /// Whether a target is watched.
    func watches(_ identity: TargetIdentity) -> Bool { state.withLock { $0.entries[identity] != nil } }

    /// How a target is probed; nil when the target is not watched.
    func policy(of identity: TargetIdentity) -> ProbePolicy? { state.withLock { $0.entries[identity]?.policy.value } }

    /// What a page shows of one target; nil when the target is not watched.
    func view(of identity: TargetIdentity) -> TargetView? {
        state.withLock { state in
            state.entries[identity].map {
                TargetView(
                    target: $0.target, url: $0.url, policy: $0.policy.value, judge: $0.judge, lastGood: $0.lastGood,
                    slot: Int($0.slot))
            }
        }
    }

    /// nil when the target is not watched.
    func slot(of identity: TargetIdentity) -> Int? { state.withLock { $0.entries[identity].map { Int($0.slot) } } }

    /// Whether a target is down, or fails and may be about to be.
    func isAtStake(_ identity: TargetIdentity) -> Bool {
        state.withLock { state in
            guard let judge = state.entries[identity]?.judge else { return false }
            return judge.incident != nil || judge.isUndecided
        }
    }

    // MARK: Scans

    /// Calls `body` with each target until it returns false, ``scanStep`` targets at a time under the lock.
    private func scan(_ body: (TargetTable, RegisteredTarget) -> Bool) {
        var next = 0
        var goesOn = true
        while goesOn {
            goesOn = state.withLock { state in
                let end = min(next + Self.scanStep, state.slots.count)
                for slot in next..<max(next, end) {
                    if let entry = state.slots[slot], !body(state, entry) { return false }
                }
                next = end
                return next < state.slots.count
            }
        }
    }

    /// How many targets have had none but void results for so many of their intervals: probed, but not watched. 0 as long as they are less than
    /// half of all targets: then a setting of those targets is wrong, such as their client key, and the log says so. Half of all is the daemon.
    func unseen(forIntervals intervals: Int, now: ContinuousClock.Instant) -> Int {
        guard state.withLock({ $0.areHalfVoid }) else { return 0 }
        var unseen = 0
        scan { state, entry in
            if let since = state.voidSince[entry.target.identity],
                since.duration(to: now) > entry.policy.value.interval * intervals
            {
                unseen += 1
            }
            return true
        }
        return 2 * unseen < count ? 0 : unseen
    }

    /// Some targets that are up, each on another host, and all hosts of these classes: whether they still answer says what a failure there is
    /// worth.
    func witnesses(of classes: Set<HostClass>, atMost count: Int) -> [TargetIdentity] {
        var (found, hosts): ([TargetIdentity], Set<HostTable.ID>) = ([], [])
        let slots = state.withLock { $0.slots.count }
        guard slots > 0 else { return [] }
        // The search begins at another target each time. Where nearly nothing is up, there is nobody to ask, and looking on is in vain.
        let (first, last) = (Int.random(in: 0..<slots), min(slots, Self.witnessesLookedAt))
        var looked = 0
        while looked < last, found.count < count {
            let range = looked..<min(looked + Self.scanStep, last)
            looked = range.upperBound
            state.withLock { state in
                for step in range where found.count < count {
                    guard let entry = state.slots[(first + step) % slots], let host = entry.host else { continue }
                    guard state.isWitness(entry, of: classes), hosts.insert(host).inserted else { continue }
                    found.append(entry.target.identity)
                }
            }
        }
        return found
    }

    /// The targets that have this status.
    func targets(_ status: Status) -> [TargetIdentity] {
        var found: [TargetIdentity] = []
        scan { _, entry in
            if entry.judge.status == status { found.append(entry.target.identity) }
            return true
        }
        return found
    }

    /// The targets that the reconciliation didn't want.
    func unwanted(round: UInt64) -> [TargetIdentity] {
        var found: [TargetIdentity] = []
        scan { _, entry in
            if entry.wanted != round { found.append(entry.target.identity) }
            return true
        }
        return found
    }

    /// Every target with its slot, for the index of the pages.
    var slots: [(slot: Int, target: Target, host: String?, judge: Judge)] {
        var found: [(slot: Int, target: Target, host: String?, judge: Judge)] = []
        scan { _, entry in
            found.append((Int(entry.slot), entry.target, entry.url?.host, entry.judge))
            return true
        }
        return found
    }

    // MARK: Targets that come, change and go

    /// For how many of its intervals a target may have no result: an overloaded daemon tolerates more.
    func tolerate(intervals: Int) { state.withLock { $0.intervalsTolerated = intervals } }

    func setEgress(_ rule: EgressRule) { state.withLock { $0.egress = rule } }

    /// The history has begun anew and knows none of the judges: each is written with its target's next result.
    func forgetWhatIsWritten() { state.withLock { $0.historyGeneration += 1 } }

    /// Watches a target from now on.
    ///
    /// - Parameter url: what a probe of the target asks for; nil when the record allows none.
    func add(_ target: Target, url: URLParts?, _ policy: SharedPolicy, judge: Judge, round: UInt64 = 0) {
        state.withLock { state in
            let entry = state.add(target, url: url, policy, judge: judge)
            entry.wanted = round
        }
    }

    /// What a reconciliation finds of a target that it wants.
    enum Known { case unchanged(url: URLParts?), changed, absent }

    /// Marks a target as wanted by a reconciliation, and says whether it is watched in this form.
    func want(_ target: Target, _ policy: SharedPolicy, round: UInt64) -> Known {
        state.withLock { state in
            guard let entry = state.entries[target.identity] else { return Known.absent }
            entry.wanted = round
            return entry.target == target && entry.policy === policy ? .unchanged(url: entry.url) : .changed
        }
    }

    /// Gives a watched target a new form. `moved` is true when the target is probed at another URL from now on, and `change` is what the caller
    /// is to tell of that.
    func update(_ target: Target, url: URLParts?, _ policy: SharedPolicy, at now: Timestamp) -> (
        moved: Bool, change: TargetChange?
    ) {
        state.withLock { state -> (moved: Bool, change: TargetChange?) in
            guard state.update(target, url: url, policy) else { return (false, nil) }
            return (true, state.changes.begin(.moved(target.identity, at: now)))
        }
    }

    /// Watches a target no longer. Returns what the caller is to tell of that.
    func remove(_ identity: TargetIdentity, at now: Timestamp) -> TargetChange? {
        state.withLock { state -> TargetChange? in
            guard let entry = state.remove(identity) else { return nil }
            return state.changes.begin(.removed(identity, slot: entry.slot, entry.judge.removed(at: now), at: now))
        }
    }

    // MARK: Probes and results

    /// The next probe of a target, and the registration for ``judge(_:of:)``. nil when the target is no longer watched.
    ///
    /// - Parameter isRecheck: false begins a new interval, and with it the other addresses may be checked again.
    func order(_ identity: TargetIdentity, due: ContinuousClock.Instant, isRecheck: Bool)
        -> (order: ProbeOrder, registration: Registration)?
    {
        state.withLock { state in
            guard let entry = state.entries[identity] else { return nil }
            return (entry.nextOrder(state.egress, due: due, isRecheck: isRecheck), entry.registration)
        }
    }

    /// Judges a result. nil when its target is no longer watched: the result is dropped. A result of an older registration is void.
    ///
    /// `change` is what the caller is to tell; nil when another thread tells it behind an earlier change.
    func judge(_ report: ProbeReport, of registration: Registration, at now: ContinuousClock.Instant = .now)
        -> (judged: JudgedResult, change: TargetChange?)?
    {
        state.withLock { state -> (judged: JudgedResult, change: TargetChange?)? in
            guard let entry = state.entries[report.result.target] else { return nil }
            let judged = state.judge(report, entry, registration, at: now)
            return (judged, state.changes.begin(.judged(judged)))
        }
    }

    /// One change of a target has been told. Returns the next one that the caller is to tell; nil when it is done.
    func next(after target: TargetIdentity) -> TargetChange? { state.withLock { $0.changes.next(after: target) } }

    // MARK: The vantage

    /// Calls `body` with the judge of the vantage, and returns what it holds then. Of two answers the one with the higher revision holds.
    @discardableResult
    func judgeVantage(_ body: (inout VantageJudge) -> Void) -> VantageJudge.Standing {
        state.withLock { state in
            body(&state.vantage)
            return state.vantage.standing
        }
    }
}

/// One target as it was at one moment.
struct TargetView: Sendable {
    var target: Target
    /// nil when the record allows none.
    var url: URLParts?
    var policy: ProbePolicy
    var judge: Judge
    var lastGood: LastGood?
    var slot: Int
}
