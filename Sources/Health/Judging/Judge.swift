/// The judge of one target: results in, status out. It alone decides a status.
///
/// - `unknown` → `up` or `degraded` on the first good or poor result; → `down` after `fall` bad in a row.
/// - `up`, `degraded` → `down` after `fall` bad in a row.
/// - `up` → `degraded` after `fall` in a row that are poor or bad and not all bad; at once for `certificate_expiring`.
/// - `degraded` → `up` after `rise` good in a row.
/// - `down` → after `rise` good or poor in a row: `up` if all of them are good, else `degraded`.
/// - A target that flaps is `degraded` where it would be `up` (``Flapping``).
///
/// Void results change no status and no streak. The whole value is durable state: History keeps it across restarts.
package struct Judge: Hashable, Sendable {
    package internal(set) var status: Status
    /// Why the status is `degraded`; nil for every other status.
    package var cause: Cause? { status == .degraded ? latestCause : nil }
    /// Of the latest poor result: the one that completes the run to `degraded` may itself be bad or good.
    private var latestCause: Cause?
    package internal(set) var hasBeenUp: Bool
    package internal(set) var streaks: Streaks
    package internal(set) var flapping: Flapping
    /// The open one, while there is one.
    package internal(set) var incident: Incident? {
        get { openIncident?.value }
        set { openIncident = newValue.map(OpenIncident.init) }
    }
    /// Apart, because nearly every judge has none, and there is one judge for each target.
    private var openIncident: OpenIncident?
    /// When the last result that counted started.
    package internal(set) var lastCountedAt: Timestamp?
    /// The last probe could not be made because of our policy or a bad record.
    package internal(set) var isUnprobeable: Bool

    package init(
        status: Status = .unknown, cause: Cause? = nil, hasBeenUp: Bool = false, streaks: Streaks = Streaks(),
        flapping: Flapping = Flapping(), incident: Incident? = nil, lastCountedAt: Timestamp? = nil, isUnprobeable: Bool = false
    ) {
        self.status = status
        latestCause = cause
        self.hasBeenUp = hasBeenUp
        self.streaks = streaks
        self.flapping = flapping
        openIncident = incident.map(OpenIncident.init)
        self.lastCountedAt = lastCountedAt
        self.isUnprobeable = isUnprobeable
    }

    /// Whether all is the same but when it last counted: what a restart has to know is then known already.
    package func isLike(_ other: Judge) -> Bool {
        status == other.status && streaks == other.streaks && flapping == other.flapping && incident == other.incident
            && latestCause == other.latestCause
            && hasBeenUp == other.hasBeenUp && isUnprobeable == other.isUnprobeable
    }

    /// For how many of its intervals a target may have no result, before its streaks are dropped and its time is `unknown`. An overloaded daemon
    /// tolerates more.
    package static let intervalsTolerated = 3

    package mutating func judge(
        _ result: ProbeResult, policy: ProbePolicy, intervalsTolerated: Int = Judge.intervalsTolerated
    ) -> Judgement {
        guard result.void == nil else {
            return Judgement(outcome: result.outcome, status: status, wantsRecheck: isUndecided)
        }
        if let last = lastCountedAt, result.startedAt - last > policy.interval * intervalsTolerated { forgetStreaks() }
        lastCountedAt = result.startedAt
        let outcome = sparingWhoNeverHadCredentials(result)
        if let reason = outcome.reason, reason.meansUnprobeable { return setAside(result, outcome) }
        isUnprobeable = false
        if let latest = streaks.latest { flapping.count(isChange: (latest == .bad) == outcome.isSuccess) }
        streaks.count(outcome, startedAt: result.startedAt, limit: max(policy.fall, policy.rise))

        let before = status
        status = nextStatus(after: outcome, policy: policy)
        hasBeenUp = hasBeenUp || status == .up
        latestCause = outcome == .good && status == .up ? nil : outcome.cause ?? latestCause
        if flapping.isOn, status == .degraded { latestCause = .flapping }
        let change = followIncident(result, outcome, from: before)
        let transition =
            before == status
            ? nil
            : Transition(
                target: result.target, from: before, to: status, at: result.endedAt, reason: outcome.reason, cause: cause,
                sentence: result.sentence)
        return Judgement(
            outcome: outcome, status: status, transition: transition, incident: change, wantsRecheck: isUndecided)
    }

    /// The target's URL changed: what was seen of the old one proves nothing about the new one. The status and an open incident stay
    /// until they are judged again.
    package mutating func urlChanged() { forgetStreaks() }

    private mutating func forgetStreaks() { (streaks, flapping) = (Streaks(), Flapping()) }

    /// The target left the list or is no longer probed. Returns its incident, closed, when one was open.
    package mutating func removed(at moment: Timestamp) -> Incident? {
        guard var closed = incident else { return nil }
        closed.endedAt = moment
        closed.closedAs = .removed
        incident = nil
        return closed
    }

    /// The latest streak contradicts the status and hasn't settled it: what fast re-checks are for.
    package var isUndecided: Bool {
        switch (status, streaks.latest) {
        case (_, nil): false
        case (.unknown, .bad?): !isUnprobeable
        case (.unknown, _): false
        case (.up, let latest): latest != .good
        // While it flaps, good results settle nothing, however soon they come.
        case (.degraded, let latest): latest != .poor && !(flapping.isOn && latest == .good)
        case (.down, let latest): latest != .bad
        }
    }

    /// First contact with a target that wants credentials is no outage: `degraded`, with a sentence that says what to set.
    private func sparingWhoNeverHadCredentials(_ result: ProbeResult) -> Outcome {
        let wantsCredentials = result.facts.httpStatus == 401 || result.facts.httpStatus == 403
        let isSpared = !hasBeenUp && wantsCredentials && result.outcome == .bad(.statusUnexpected)
        return isSpared ? .poor(.credentialsWanted) : result.outcome
    }

    private func nextStatus(after outcome: Outcome, policy: ProbePolicy) -> Status {
        if streaks.bad >= policy.fall { return .down }
        switch status {
        case .unknown:
            return outcome == .good ? upUnlessFlapping : outcome.isSuccess ? .degraded : .unknown
        case .up:
            let isWorn = outcome == .poor(.certificateExpiring) || streaks.notGood >= policy.fall
            return isWorn ? .degraded : upUnlessFlapping
        case .degraded:
            return streaks.good >= policy.rise ? upUnlessFlapping : .degraded
        case .down:
            guard streaks.answered >= policy.rise else { return .down }
            return streaks.good >= policy.rise ? upUnlessFlapping : .degraded
        }
    }

    private var upUnlessFlapping: Status { flapping.isOn ? .degraded : .up }

    private mutating func followIncident(
        _ result: ProbeResult, _ outcome: Outcome, from before: Status
    ) -> Judgement.IncidentChange? {
        if status == .down, before != .down, incident == nil {
            let opened = Incident(
                target: result.target, startedAt: streaks.badSince ?? result.startedAt, confirmedAt: result.endedAt,
                reason: outcome.reason ?? .statusUnexpected, httpStatus: result.facts.httpStatus,
                failedProbes: streaks.bad)
            incident = opened
            return .opened(opened)
        }
        guard var current = incident else { return nil }
        if status != .down && outcome.isSuccess {
            current.endedAt = streaks.answeredSince ?? result.startedAt
            current.closedAs = .recovered
            incident = nil
            return .closed(current)
        }
        guard !outcome.isSuccess else { return nil }
        current.failedProbes += 1
        incident = current
        return .updated(current)
    }

    private mutating func setAside(_ result: ProbeResult, _ outcome: Outcome) -> Judgement {
        let before = status
        status = .unknown
        latestCause = nil
        forgetStreaks()
        isUnprobeable = true
        let closed = removed(at: result.startedAt)
        let transition =
            before == .unknown
            ? nil
            : Transition(
                target: result.target, from: before, to: .unknown, at: result.endedAt, reason: outcome.reason, cause: nil,
                sentence: result.sentence)
        return Judgement(
            outcome: outcome, status: .unknown, transition: transition, incident: closed.map { .closed($0) },
            wantsRecheck: false)
    }
}

/// What the judge made of one result.
package struct Judgement: Hashable, Sendable {
    package enum IncidentChange: Hashable, Sendable {
        case opened(Incident)
        case updated(Incident)
        case closed(Incident)

        package var incident: Incident {
            switch self {
            case .opened(let incident), .updated(let incident), .closed(let incident): incident
            }
        }
    }

    /// As the probe saw it, but for what the judge knows better (`credentials_wanted`).
    package var outcome: Outcome
    /// The status after this result.
    package var status: Status
    package var transition: Transition?
    package var incident: IncidentChange?
    /// The next probe should come after the fast interval.
    package var wantsRecheck: Bool

    package init(
        outcome: Outcome, status: Status, transition: Transition? = nil, incident: IncidentChange? = nil, wantsRecheck: Bool
    ) {
        self.outcome = outcome
        self.status = status
        self.transition = transition
        self.incident = incident
        self.wantsRecheck = wantsRecheck
    }
}

/// An incident on the heap.
private final class OpenIncident: Hashable, Sendable {
    let value: Incident

    init(_ value: Incident) { self.value = value }

    static func == (a: OpenIncident, b: OpenIncident) -> Bool { a.value == b.value }
    func hash(into hasher: inout Hasher) { hasher.combine(value) }
}
