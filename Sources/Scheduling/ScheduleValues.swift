package import Health

/// What scheduling needs to know of a target's policy.
package struct ProbeInterval: Hashable, Sendable {
    package var interval: Duration
    package var fastInterval: Duration
    /// A probe that would start later than this after its due time is passed over.
    package var latenessMax: Duration

    package init(interval: Duration, fastInterval: Duration, latenessMax: Duration = .milliseconds(800)) {
        self.interval = interval
        self.fastInterval = fastInterval
        self.latenessMax = latenessMax
    }
}

/// Leave to start one probe. `generation` tells a target from an earlier one of the same identity.
package struct ProbeStart: Hashable, Sendable {
    package var target: TargetIdentity
    /// Since the schedule's origin.
    package var due: Duration
    package var isRecheck: Bool
    let slot: Int
    let generation: UInt32
}

/// Counts of what did not go to plan, since start.
package struct ScheduleCounts: Hashable, Sendable {
    /// Due times for which no probe had started when the next one came, though none of that target's was in flight.
    package var missed = 0
    /// Due times that fell while the target's probe was in flight.
    package var skippedInFlight = 0
    /// Re-checks that wait for the normal due time because the budget was spent.
    package var rechecksDeferred = 0
    /// Due times and re-checks that an overloaded lane passed over: the detection bounds of their targets don't hold meanwhile.
    package var overloadExceptions = 0
}

extension Duration {
    /// Saturates at ±292 years.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? (seconds < 0 ? .min : .max) : scaled &+ attoseconds / 1_000_000_000
    }
}
