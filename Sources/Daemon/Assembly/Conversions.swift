import Curl
import Exposition
import Health
import History
package import Logging
import Scheduling
package import Settings
import TargetsAPI
import TargetsServer

// Where one module's value becomes another's: siblings don't know each other, so the daemon translates.

extension SyncService.Plan {
    /// - Parameter file: the list of a daemon that watches a file.
    init(_ settings: Settings, engine: TransferEngine, file: TargetsFileSource? = nil) {
        let section = settings.targetsAPI
        if let typed = settings.typed {
            self.init(clients: [TypedTargets(typed)], interval: section.syncInterval, shrinkGuard: section.shrinkGuard)
            return
        }
        if let file {
            self.init(clients: [file], interval: section.syncInterval, shrinkGuard: section.shrinkGuard)
            return
        }
        let transport = apiTransport(baseURL: section.baseURL, userAgent: settings.probe.userAgent, over: engine)
        self.init(
            clients: section.clients.map {
                TargetsClient(
                    clientID: $0.id, token: $0.token, maxList: section.maxList, timeout: section.timeout, transport: transport)
            },
            interval: section.syncInterval, shrinkGuard: section.shrinkGuard)
    }
}

extension TargetSeries.Detail {
    init(_ setting: Settings.Metrics.PerTarget) {
        self =
            switch setting {
            case .full: .full
            case .essential: .essential
            case .none: .none
            }
    }
}

extension Logger.Level {
    package init(_ setting: Settings.Log.Level) { self = Logger.Level(rawValue: setting.rawValue) ?? .info }
}

extension DaemonMetrics.HistoryReading {
    init(_ figures: HistoryStatistics) {
        self.init(
            samples: figures.samples, droppedSamples: figures.dropped, sizeBytes: figures.sizeBytes, walBytes: figures.walBytes)
    }
}

extension DaemonMetrics.ScheduleReading {
    init(_ counts: ScheduleCounts) {
        self.init(
            missed: counts.missed, skippedInFlight: counts.skippedInFlight, rechecksDeferred: counts.rechecksDeferred,
            overloadExceptions: counts.overloadExceptions)
    }
}

/// What History reports goes to the log and to `/metrics`.
func report(_ event: HistoryEvent, logger: Logger, metrics: DaemonMetrics) {
    switch event {
    case .committed(_, let duration): metrics.historyCommitted(duration)
    case .writeFailed(let error): logger.error("the history can't be written; results wait in memory: \(error)")
    case .writeRecovered(let waiting):
        logger.notice("the history can be written again", metadata: ["results_that_waited": "\(waiting)"])
    case .clockJumped(let jump):
        logger.warning("the wall clock jumped by \(jump.wholeMilliseconds / 1000) s; nothing is deleted by age for an hour")
    case .setAside(let name, let error):
        logger.error(
            "\(error): it is now \(displayText(name)), and a new one was begun; `rangefinder history check` says what can be saved"
        )
    case .reopened: logger.notice("the history's WAL was deleted; what it had is saved, and the history is open again")
    case .walIsLarge(let bytes, let readers):
        let who =
            readers.isEmpty
            ? "a reader that stays in a transaction (`fuser` names who has the file open)"
            : readers.map { displayText($0) }.joined(separator: ", ")
        logger.warning("the history's WAL has grown to \(bytes >> 20) MiB: \(who) keeps it from being folded in; end that")
    case .notClosed(let error):
        logger.warning("the history's WAL stays beside it until the next start reads it; copy both or neither: \(error)")
    case .compactionFailed(let error): logger.warning("results can't be moved to their rollups; commits go on: \(error)")
    case .sizeExceeded:
        logger.warning(
            "the history is larger than history.max_size: the oldest results go before their age; raise it or shorten keep_raw")
    case .retentionFailed(let error): logger.warning("old results can't be deleted; commits go on: \(error)")
    case .dropping: logger.error("the queue for the history is full; the oldest results are dropped")
    }
}

extension HistoryOptions {
    init(_ settings: Settings) {
        self.init(vantage: settings.vantage.name, now: { .now() })
        let section = settings.history
        keep = .init(raw: section.keepRaw, minutes: section.keepMinutes, hours: section.keepHours, days: section.keepDays)
        maxSize = section.maxSize.map { Int64($0) }
    }
}

extension AccessToken {
    init(_ token: Settings.TargetsServer.Token) {
        self.init(name: token.name, secret: token.secret, clientID: token.client, mayWrite: token.access == .write)
    }
}
