/// The judge over results that are stored: what it would have said with other settings.
///
/// Stored are the probes that were made. Where this judge would have wanted a re-check that wasn't, nobody knows what that would have seen:
/// nothing is invented, and the moment of confirmation is a range.
package struct Replay: Sendable {
    /// An outage that would have been confirmed.
    package struct Alert: Hashable, Sendable {
        /// When the first bad probe started.
        package var began: Timestamp
        /// Had every re-check been made and had failed at once. No later than ``latest``.
        package var earliest: Timestamp
        /// When the stored results confirm it.
        package var latest: Timestamp
        /// nil: it hadn't by the last result.
        package var ended: Timestamp?
        package var reason: Reason
    }

    private var judge = Judge()
    private let policy: ProbePolicy
    /// Of the run of bad results that the last one belongs to: its length, and when the next of them could have ended.
    private var run: (count: Int, start: Timestamp, end: Timestamp)?
    package private(set) var alerts: [Alert] = []
    /// Changes of the status, but for the first.
    package private(set) var changes = 0
    package private(set) var results = 0

    package init(policy: ProbePolicy) { self.policy = policy }

    /// The next result, in the order of their commits.
    package mutating func apply(_ result: ProbeResult) {
        let judgement = judge.judge(result, policy: policy)
        guard result.void == nil else { return }
        results += 1
        apply(run: judgement.outcome, result)
        if let transition = judgement.transition, transition.from != .unknown { changes += 1 }
        switch judgement.incident {
        case .opened(let incident)?:
            let earliest = min(run?.end ?? incident.confirmedAt, incident.confirmedAt)
            alerts.append(
                Alert(
                    began: incident.startedAt, earliest: max(earliest, incident.startedAt), latest: incident.confirmedAt,
                    reason: incident.reason))
        case .closed(let incident)?: if !alerts.isEmpty { alerts[alerts.count - 1].ended = incident.endedAt }
        case .updated?, nil: break
        }
    }

    /// A bad result that came no later than the re-check was due is taken as it is; one that came later could have come when that was due.
    private mutating func apply(run outcome: Outcome, _ result: ProbeResult) {
        guard !outcome.isSuccess else { return run = nil }
        guard let before = run else { return run = (1, result.startedAt, result.endedAt) }
        let due = max(before.start + policy.effectiveFastInterval, before.end)
        let couldHaveEnded = due + (result.startedAt <= due ? result.duration : .zero)
        run = (before.count + 1, min(result.startedAt, due), min(result.endedAt, max(couldHaveEnded, due)))
    }
}
