package import Health

/// What is known of one target in one span of time.
package struct RollupItem: Hashable, Sendable {
    package var start: Timestamp
    package var length: Duration
    private var rollup: Rollup
    /// nil where it isn't known. In steps of less than an hour the time is counted from results, and results are kept for less time than
    /// minutes.
    package let time: StateTime?

    /// How long the target was believed to be in each state. The rest of the span is unknown.
    package struct StateTime: Hashable, Sendable {
        package var up: Duration
        package var degraded: Duration
        package var down: Duration
        package var maintenance: Duration

        /// (up + degraded) / (up + degraded + down); nil when nothing is known.
        package var availability: Double? {
            let known = up + degraded + down
            return known > .zero ? (up + degraded) / known : nil
        }
    }

    init(start: Int64, length: Int64, _ rollup: Rollup, hasTime: Bool) {
        self.start = Timestamp(milliseconds: start)
        self.length = .milliseconds(length)
        self.rollup = rollup
        let time = rollup.time
        self.time =
            hasTime
            ? StateTime(
                up: .milliseconds(time.up), degraded: .milliseconds(time.degraded), down: .milliseconds(time.down),
                maintenance: .milliseconds(time.maintenance)) : nil
    }

    /// Results that counted.
    package var probes: Int { rollup.counts.probes }
    package var failures: Int { rollup.counts.failures }
    package var voids: Int { rollup.counts.voids }
    /// Failures by ``Reason``'s word.
    package var reasons: [String: Int] { rollup.counts.reasons }
    package var least: Duration? { rollup.counts.least.map { .microseconds($0) } }
    package var most: Duration? { rollup.counts.most.map { .microseconds($0) } }
    package var mean: Duration? {
        let count = rollup.counts.probes - rollup.counts.failures
        return count > 0 ? .microseconds(rollup.counts.sum / Int64(count)) : nil
    }

    /// A percentile of the durations of probes that succeeded, within 0.8 %; nil when no probe succeeded.
    ///
    /// - Parameter share: 0.99 for the 99th percentile.
    package func percentile(_ share: Double) -> Duration? { rollup.percentile(share).map { .microseconds($0) } }

    /// A percentile of one part of these durations.
    package func percentile(_ share: Double, of phase: Phase) -> Duration? {
        rollup.phases[keyPath: phase.keyPath].percentile(share).map { .microseconds($0) }
    }
}

extension Phase {
    fileprivate var keyPath: KeyPath<PhaseDistributions, Distribution> {
        switch self {
        case .dns: \.dns
        case .connect: \.connect
        case .tls: \.tls
        case .processing: \.processing
        case .transfer: \.transfer
        }
    }
}
