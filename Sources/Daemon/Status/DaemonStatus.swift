import Exposition
import Health

/// How the daemon is, for the service manager.
struct DaemonStatus: Sendable {
    let registry: TargetRegistry
    let sync: SyncService
    let metrics: DaemonMetrics
    let reload: ReloadOutcome
    let isListening = ListeningFlag()

    /// It listens, and it knows what to watch: a list from before, or what the first sync ended with, well or badly.
    var hasStarted: Bool {
        get async {
            guard isListening.value else { return false }
            if await sync.knowsAList { return true }
            return await sync.hasSynced
        }
    }

    /// One line for `systemctl status`.
    var summary: String {
        get async {
            let isConfigured = metrics.isConfigurationGood
            return await watchedNow + (isConfigured ? "" : "; \(reload.trouble)")
        }
    }

    private var watchedNow: String {
        get async {
            let counts = registry.statuses
            guard registry.count > 0 else {
                let troubles = await sync.troubles
                guard await sync.hasSynced || !troubles.isEmpty else { return "no targets: the first sync is under way" }
                return "no targets: " + (troubles.first ?? "the list is empty, or regions and shard leave none")
            }
            let parts = [Status.up, .degraded, .down, .unknown].compactMap { status in
                counts[status].flatMap { $0 > 0 ? "\($0) \(status.rawValue)" : nil }
            }
            let doubt = registry.standing.doubt
            return "\(counted(registry.count, "target")): " + parts.joined(separator: ", ")
                + (doubt.map { "; the vantage is unhealthy: \($0.cause.sentence)" } ?? "")
        }
    }
}
