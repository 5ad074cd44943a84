import Alerting
import Exposition
import Health
import History

/// The alerts about the daemon itself that follow from its lists and its history: `SyncStale`, `SyncHeld`, `HistoryDropping`.
struct DaemonAlerts: Sendable {
    /// A list that has not been taken over for so long is stale; longer where it is asked for seldom.
    private static let staleAfter: Duration = .seconds(600)
    /// After so long without another the history no longer drops results.
    private static let calmAfter: Duration = .seconds(600)
    /// A lock of another program that passes sooner is nobody's alert.
    private static let stuckAfter: Duration = .seconds(10)

    let alerter: Alerter
    let metrics: DaemonMetrics
    let history: History
    let registry: TargetRegistry
    let startedAt: Timestamp
    let syncInterval: @Sendable () -> Duration

    /// What is known from one check to the next.
    struct Memory {
        var clientsSince: [String: Timestamp] = [:]
        var dropped = 0
        var droppedAt: ContinuousClock.Instant?
        var troubleSince: ContinuousClock.Instant?
        var wasStuck = false
        /// The history's first generation is known from the start.
        var generation = 1
    }

    func check(_ memory: inout Memory) {
        checkLists(&memory, at: .now())
        checkHistory(&memory, at: .now, .now())
    }

    private func checkLists(_ memory: inout Memory, at wall: Timestamp) {
        let limit = max(Self.staleAfter, syncInterval() * 5)
        let syncs = metrics.syncs
        alerter.keepClients(Set(syncs.map(\.clientID)), at: wall)
        for sync in syncs {
            // Where there was none, the first look counts as one: an API that never answered is stale in its time.
            let first = memory.clientsSince[sync.clientID] ?? wall
            memory.clientsSince[sync.clientID] = first
            let last = sync.lastSuccess > Timestamp(milliseconds: 0) ? sync.lastSuccess : first
            let isOfThisLife = sync.lastSuccess > startedAt
            // A daemon that was away has not asked yet.
            let isLate = wall - last > limit && (isOfThisLife || sync.hasFailed || wall - startedAt > limit)
            alerter.set(
                .syncStale, .client(sync.clientID), isFiring: isLate ? true : isOfThisLife ? false : nil,
                at: wall,
                summary: "The target list of client \(displayText(sync.clientID)) is stale",
                description:
                    "No list could be taken over since \(last). Targets that were added or changed since are not probed as they should be."
            )
            alerter.set(
                .syncHeld, .client(sync.clientID), isFiring: sync.hasAnswered ? sync.isHeld : nil, at: wall,
                summary: "A target list of client \(displayText(sync.clientID)) is held",
                description:
                    "The last list would remove too many targets (targets_api.shrink_guard). Accept it with `rangefinder sync --accept`."
            )
        }
    }

    /// Trouble of the history is an alert of its own and no doubt: what is seen is seen, and alerts go out from memory.
    private func checkHistory(_ memory: inout Memory, at now: ContinuousClock.Instant, _ wall: Timestamp) {
        let statistics = history.statistics
        let dropped = statistics.dropped
        if dropped > memory.dropped { (memory.dropped, memory.droppedAt) = (dropped, now) }
        if statistics.trouble == nil { memory.troubleSince = nil } else { memory.troubleSince = memory.troubleSince ?? now }
        let isStuck = memory.troubleSince.map { $0.duration(to: now) >= Self.stuckAfter } ?? false
        memory.wasStuck = memory.wasStuck || isStuck
        let isCalm = wall - startedAt > Self.calmAfter
        let isDropping =
            memory.droppedAt.map { $0.duration(to: now) < Self.calmAfter } ?? (isCalm || memory.wasStuck ? false : nil)
        let trouble = statistics.trouble.map { "\($0)" } ?? "it could not be written for a while"
        alerter.set(
            .historyDropping, isFiring: isStuck ? true : isDropping, at: wall,
            summary: dropped > 0 ? "Rangefinder loses history" : "Rangefinder can't write its history",
            description: dropped > 0
                ? "\(counted(dropped, "result")) could not be written, and \(dropped == 1 ? "is" : "are") lost: \(trouble)."
                : "Results wait in memory, and are lost when the daemon ends or has no more room for them: \(trouble).")
        let generation = registry.historyGeneration
        if generation != memory.generation { alerter.persistAgain(at: now, wall: wall) }
        memory.generation = generation
    }
}
