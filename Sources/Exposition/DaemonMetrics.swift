package import Health
import LockOrder

/// The daemon's own metrics: counted as things happen, cheap enough to be called for every probe.
package final class DaemonMetrics: Sendable {
    package enum TargetState: String, Hashable, Sendable, CaseIterable {
        case active, disabled, filtered, rejected, unprobeable
    }

    /// What History tells when a page is made.
    package struct HistoryReading: Hashable, Sendable {
        package var samples: Int
        package var droppedSamples: Int
        package var sizeBytes: Int64
        package var walBytes: Int64

        package init(samples: Int, droppedSamples: Int, sizeBytes: Int64, walBytes: Int64) {
            self.samples = samples
            self.droppedSamples = droppedSamples
            self.sizeBytes = sizeBytes
            self.walBytes = walBytes
        }
    }

    /// What Scheduling has counted since the start.
    package struct ScheduleReading: Hashable, Sendable {
        /// Due times for which no probe had started when the next one came, though none of that target's was in flight.
        package var missed: Int
        /// Due times that fell while the target's probe was in flight.
        package var skippedInFlight: Int
        /// Fast re-checks that had to wait because the budget was spent.
        package var rechecksDeferred: Int
        /// Due times and re-checks that an overloaded lane passed over.
        package var overloadExceptions: Int

        package init(missed: Int, skippedInFlight: Int, rechecksDeferred: Int, overloadExceptions: Int) {
            self.missed = missed
            self.skippedInFlight = skippedInFlight
            self.rechecksDeferred = rechecksDeferred
            self.overloadExceptions = overloadExceptions
        }
    }

    /// What Alerting tells when a page is made.
    package struct AlertingReading: Hashable, Sendable {
        package var sent: Int
        package var failed: Int
        package var queued: Int
        /// By reason: why a detection bound was not promised.
        package var exceptions: [String: Int]
        /// By channel: messages that it refused for good.
        package var setAside: [String: Int]

        package init(sent: Int, failed: Int, queued: Int, exceptions: [String: Int], setAside: [String: Int] = [:]) {
            (self.sent, self.failed, self.queued, self.exceptions) = (sent, failed, queued, exceptions)
            self.setAside = setAside
        }
    }

    /// What is known of one client's list.
    package struct SyncReading: Hashable, Sendable {
        package var clientID: String
        /// 0 when there was none.
        package var lastSuccess: Timestamp
        package var isHeld: Bool
        /// Whether there has been an answer in this life, held or not.
        package var hasAnswered: Bool
        /// Whether there has been a failure in this life, and no success after it.
        package var hasFailed: Bool
    }

    struct Sync: Sendable {
        /// 0 while there was none: an API that never answered is stale, too.
        var lastSuccess = Timestamp(milliseconds: 0)
        var failures: WordCounts
        var isHeld = false
        var hasAnswered = false
        var hasFailed = false
    }

    struct State: Sendable {
        var inFlight = 0
        var latency = Histogram.probeLatency
        var lateness = Histogram.probeLateness
        var selfDelay = Histogram.probeSelfDelay
        var tainted = 0
        var failures: [Reason: Int] = [:]
        var syncs: [String: Sync] = [:]
        var targets: [TargetState: Int] = [:]
        var commits = Histogram.commit
        var history: (@Sendable () -> HistoryReading)?
        var schedule: (@Sendable () -> ScheduleReading)?
        var alerting: (@Sendable () -> AlertingReading)?
        var isOverloaded = false
        /// Lane by lane, from 0 to 1.
        var laneBusyRatios: [Double] = []
        var isVantageHealthy = true
        /// Void results of targets between two statuses: each puts off what the bound promises.
        var voidsWhileUndecided = 0
        var isConfigurationGood = true
        var lastReload: Timestamp
    }

    private let state: OrderedMutex<State>
    /// The labels of `rangefinder_build_info`.
    let build: [(name: String, value: String)]

    /// A counter that appears with its first failure would hide that failure from `increase()`: each word begins at 0.
    private let syncFailures: WordCounts

    /// `build`: the labels of `rangefinder_build_info`, as in `["version": "0.1.0"]`. `loadedAt`: when the configuration
    /// was read. `syncFailures`: all words of ``syncFailed(clientID:reason:)``.
    package init(build: KeyValuePairs<String, String>, loadedAt: Timestamp, syncFailures: [String] = []) {
        self.build = build.map { ($0.key, $0.value) }
        self.syncFailures = WordCounts(syncFailures)
        state = OrderedMutex(State(lastReload: loadedAt))
    }

    /// A copy, so that text is made without holding anyone up.
    func current() -> State { state.withLock { $0 } }

    // MARK: Probes

    package func probeStarted() { state.withLock { $0.inFlight += 1 } }

    /// Once for every ``probeStarted()``. `outcome` is the judge's.
    ///
    /// - Parameter isUndecided: the target is between two statuses.
    package func probeEnded(_ result: ProbeResult, _ outcome: Outcome, isUndecided: Bool = false) {
        state.withLock { state in
            if isUndecided, result.void != nil { state.voidsWhileUndecided += 1 }
            state.inFlight -= 1
            if result.void != .cancelled {
                state.lateness.observe(result.lateness)
                state.selfDelay.observe(result.selfDelay)
            }
            if result.void == .tainted { state.tainted += 1 }
            if result.void == nil { state.latency.observe(result.duration) }
            // A prober fault is void and no target's failure, but it must be seen.
            if let reason = result.void == nil ? outcome.reason : result.void == .proberFault ? .proberFault : nil {
                state.failures[reason, default: 0] += 1
            }
        }
    }

    /// Once for a ``probeStarted()`` whose result counts for nobody: its target is gone, or the daemon stops.
    package func probeEnded() { state.withLock { $0.inFlight -= 1 } }

    // MARK: Sync

    /// The clients that are configured. The lines of others vanish.
    package func setClients(_ clientIDs: [String]) {
        state.withLock { state in
            let known = state.syncs
            state.syncs = [:]
            for id in clientIDs { state.syncs[id] = known[id] ?? Sync(failures: syncFailures) }
        }
    }

    /// - Parameter moment: of this life or of an earlier one.
    package func syncSucceeded(clientID: String, at moment: Timestamp) {
        state.withLock { state in
            state.syncs[clientID]?.lastSuccess = moment
            state.syncs[clientID]?.hasFailed = false
        }
    }

    /// `reason`: one word of a small set.
    package func syncFailed(clientID: String, reason: String) {
        state.withLock { state in
            state.syncs[clientID]?.failures.count(reason)
            state.syncs[clientID]?.hasFailed = true
        }
    }

    /// Whether a client's answer is held back, waiting for more that agree or for an operator.
    package func setSyncHeld(_ isHeld: Bool, clientID: String) {
        state.withLock { state in
            state.syncs[clientID]?.isHeld = isHeld
            state.syncs[clientID]?.hasAnswered = true
        }
    }

    package func setTargets(_ counts: [TargetState: Int]) { state.withLock { $0.targets = counts } }

    // MARK: The rest

    /// Asked whenever a page is made; it must not block.
    package func observeHistory(_ reading: @escaping @Sendable () -> HistoryReading) {
        state.withLock { $0.history = reading }
    }

    /// Asked whenever a page is made; it must not block.
    package func observeSchedule(_ reading: @escaping @Sendable () -> ScheduleReading) {
        state.withLock { $0.schedule = reading }
    }

    /// Asked whenever a page is made; it must not block.
    package func observeAlerting(_ reading: @escaping @Sendable () -> AlertingReading) {
        state.withLock { $0.alerting = reading }
    }

    /// - Parameters:
    ///   - busyRatios: the share of the last seconds in which the thread of each lane did not wait, from 0 to 1.
    ///   - isOverloaded: a lane passes due times over.
    package func setLanes(busyRatios: [Double], isOverloaded: Bool) {
        state.withLock { ($0.laneBusyRatios, $0.isOverloaded) = (busyRatios, isOverloaded) }
    }

    package var laneBusyRatios: [Double] { state.withLock { $0.laneBusyRatios } }

    package func setVantageHealthy(_ isHealthy: Bool) { state.withLock { $0.isVantageHealthy = isHealthy } }

    package var syncs: [SyncReading] {
        state.withLock { state in
            state.syncs.map {
                SyncReading(
                    clientID: $0, lastSuccess: $1.lastSuccess, isHeld: $1.isHeld, hasAnswered: $1.hasAnswered,
                    hasFailed: $1.hasFailed)
            }
        }
    }

    /// What `/daemon` shows of these figures.
    package struct Reading: Hashable, Sendable {
        /// The bounds that half and 99 % of something kept since the start.
        package struct Spread: Hashable, Sendable {
            package var p50: Duration?
            package var p99: Duration?
        }

        package var inFlight: Int
        package var tainted: Int
        package var lateness: Spread
        package var selfDelay: Spread
        package var commits: Spread
        package var voidsWhileUndecided: Int
        package var lastReload: Timestamp
    }

    package var reading: Reading {
        let state = current()
        let spread = { (histogram: Histogram) in
            Reading.Spread(p50: histogram.bound(of: 0.5), p99: histogram.bound(of: 0.99))
        }
        return Reading(
            inFlight: state.inFlight, tainted: state.tainted, lateness: spread(state.lateness),
            selfDelay: spread(state.selfDelay), commits: spread(state.commits), voidsWhileUndecided: state.voidsWhileUndecided,
            lastReload: state.lastReload)
    }

    package func historyCommitted(_ took: Duration) { state.withLock { $0.commits.observe(took) } }

    /// Whether the last reload was taken.
    package var isConfigurationGood: Bool { state.withLock { $0.isConfigurationGood } }

    /// A reload of the configuration: the moment when it succeeded, nil when it failed.
    package func configurationReloaded(_ success: Timestamp?) {
        state.withLock { state in
            state.isConfigurationGood = success != nil
            state.lastReload = success ?? state.lastReload
        }
    }
}

/// How often each of a few words was counted. Words past the bound are counted together as `other`.
struct WordCounts: Sendable {
    static let limit = 64

    private(set) var counts: [String: Int]

    init(_ words: [String] = []) { counts = Dictionary(words.prefix(Self.limit).map { ($0, 0) }) { first, _ in first } }

    mutating func count(_ word: String) {
        let isKnown = counts[word] != nil || counts.count < Self.limit
        counts[isKnown ? word : "other", default: 0] += 1
    }

    var sorted: [(word: String, count: Int)] { counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
}
