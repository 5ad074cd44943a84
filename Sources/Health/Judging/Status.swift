/// What the daemon believes of a target. The raw value's order is `rangefinder_target_status_code`.
package enum Status: String, Hashable, Sendable, CaseIterable {
    case unknown, up, degraded, down

    package var code: Int {
        switch self {
        case .unknown: 0
        case .up: 1
        case .degraded: 2
        case .down: 3
        }
    }

    package init?(code: Int) {
        guard let status = Status.allCases.first(where: { $0.code == code }) else { return nil }
        self = status
    }
}

/// An outage that was confirmed. (target, ``startedAt``) identifies it.
package struct Incident: Hashable, Sendable {
    package enum Closing: String, Hashable, Sendable {
        case recovered
        /// The target left the list, or can no longer be probed. Never shown as a recovery.
        case removed
    }

    package var target: TargetIdentity
    /// The start of the first bad probe.
    package var startedAt: Timestamp
    /// The end of the probe that confirmed it.
    package var confirmedAt: Timestamp
    /// The start of the first good or poor probe of the run that confirmed recovery, or when the target was removed.
    package var endedAt: Timestamp?
    /// The reason of the probe that confirmed it.
    package var reason: Reason
    package var httpStatus: Int?
    package var failedProbes: Int
    package var closedAs: Closing?

    package init(
        target: TargetIdentity, startedAt: Timestamp, confirmedAt: Timestamp, endedAt: Timestamp? = nil,
        reason: Reason, httpStatus: Int? = nil, failedProbes: Int, closedAs: Closing? = nil
    ) {
        self.target = target
        self.startedAt = startedAt
        self.confirmedAt = confirmedAt
        self.endedAt = endedAt
        self.reason = reason
        self.httpStatus = httpStatus
        self.failedProbes = failedProbes
        self.closedAs = closedAs
    }
}

/// One change of a status: the record that history, metrics, log and alerts all follow.
package struct Transition: Hashable, Sendable {
    package var target: TargetIdentity
    package var from: Status
    package var to: Status
    package var at: Timestamp
    package var reason: Reason?
    package var cause: Cause?
    package var sentence: String

    package init(
        target: TargetIdentity, from: Status, to: Status, at: Timestamp, reason: Reason?, cause: Cause?,
        sentence: String
    ) {
        self.target = target
        self.from = from
        self.to = to
        self.at = at
        self.reason = reason
        self.cause = cause
        self.sentence = sentence
    }
}
