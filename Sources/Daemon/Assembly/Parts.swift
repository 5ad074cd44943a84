import Alerting
import Curl
import Exposition
import Health
import History
import Logging
import Pages
import Scheduling
import Settings
import TargetsAPI
import Web

/// The composition root: everything that the services of a daemon are made of, built in the order in which one needs the other.
///
/// No service gets all of this. ``serviceGroup(handlesSignals:)`` hands each what it needs.
struct Parts: Sendable {
    let context: Daemon.Context
    /// Those of the start.
    let settings: Settings
    let startedAt = Timestamp.now()
    let metrics: DaemonMetrics
    let access: WebAccess
    let storage: Storage
    let engines: Engines
    let series: TargetSeries
    let scheduler: Scheduler<EngineClock>
    let registry = TargetRegistry()
    let maintenance = MaintenanceBook()
    let attention = Attention()
    let pageIndex: PageIndex
    let renderer: PageRenderer
    let readers: HistoryReaders
    let alerter: Alerter
    let followers: TargetFollowers
    let reconciler: TargetReconciler
    let sync: SyncService
    let fileWatch: TargetsFileWatch
    let status: DaemonStatus
    let reloader: Reloader
    /// What a form has to send back, for the life of the process.
    let formToken = Hex.text((0..<16).map { _ in UInt8.random(in: .min ... .max) })
    /// Reloads, and looks at the web configuration: one at a time.
    let turns = AsyncSerialQueue()
    /// Who is told how the daemon is; nil when nobody asked.
    let manager: ServiceManager?

    var logger: Logger { context.logger }
    var history: History { storage.history }
    var readiness: ReadinessCheck { ReadinessCheck(history: history, sync: sync, scheduler: scheduler, registry: registry) }

    /// Opens the databases, and watches what is remembered.
    init(_ settings: Settings, _ context: Daemon.Context) throws {
        let (logger, registry, maintenance, attention) = (context.logger, registry, maintenance, attention)
        let metrics = DaemonMetrics(build: ["version": context.version], loadedAt: .now(), syncFailures: APIError.reasonLabels)
        (self.context, self.settings, self.metrics) = (context, settings, metrics)
        let pageIndex = PageIndex(today: Timestamp.now().milliseconds.flooredQuotient(by: 86_400_000))
        self.pageIndex = pageIndex
        renderer = try PageRenderer()
        let readers = HistoryReaders(path: settings.history.path)
        self.readers = readers
        access = try WebAccess(context.surroundings, settings.webConfigFile)
        storage = try Storage(
            settings,
            onEvent: { event in
                report(event, logger: logger, metrics: metrics)
                if case .committed = event { return }
                attention.raise()
            },
            onReplaced: { isNew in
                readers.forget(isNew: isNew)
                if isNew { registry.forgetWhatIsWritten() }
            })
        let history = storage.history
        engines = try Engines(settings, logger)
        series = TargetSeries(
            perTarget: .init(settings.metrics.perTarget), withClientID: settings.clientIDs.count > 1)
        scheduler = Scheduler(
            threads: engines.lanes, origin: ContinuousClock.boot(), maxInFlight: engines.shares.probes,
            fastBudget: settings.limits.fastBudget)
        alerter = Alerter(settings, context, history, maintenance, hasTLS: access.security.hasTLS)
        followers = TargetFollowers(
            registry: registry, history: history, alerter: alerter, maintenance: maintenance, series: series, metrics: metrics,
            logger: logger, attention: attention, pages: pageIndex)
        let reconciler = TargetReconciler(
            settings: settings, registry: registry, scheduler: scheduler, history: history, followers: followers,
            maintenance: maintenance, series: series, metrics: metrics, logger: logger, attention: attention,
            pages: pageIndex)
        self.reconciler = reconciler
        storage.afterSetAside { reconciler.rewrite() }
        let remembered = try history.persistedLists()
        let fileWatch = TargetsFileWatch(logger)
        self.fileWatch = fileWatch
        let file = TargetsFileSource(settings, context.surroundings) { fileWatch.renew() }
        sync = SyncService(
            plan: .init(settings, engine: engines.requests, file: file), remembered: remembered, metrics: metrics, logger: logger,
            registry: registry, reconciler: reconciler, history: history)
        let outcome = ReloadOutcome()
        status = DaemonStatus(registry: registry, sync: sync, metrics: metrics, reload: outcome)
        manager = ServiceManager(environment: context.surroundings.environment)
        reloader = Reloader(
            context: context, atStart: settings, registry: registry, reconciler: reconciler, alerter: alerter, series: series,
            metrics: metrics, access: access, sync: sync, fileWatch: fileWatch, engines: engines, manager: manager,
            status: status, outcome: outcome)
        try restore(remembered)
        metrics.observe(history, scheduler, alerter)
    }

    /// What an earlier life knew.
    private func restore(_ lists: [String: [Target]]) throws {
        let (judges, documents) = (try history.judges(), try history.documents())
        let networks = ownNetworks()
        alerter.trust(
            registry.judgeVantage { judge in
                judge.ownNetworks = networks
                judge.hasCanaries = settings.vantage.canaries.count >= VantageJudge.canariesMin
            })
        HandWork.restore(documents, to: reconciler)
        reconciler.restore(lists: lists, judges: judges, since: try history.statusesSince())
        alerter.restore(
            documents, judges: judges.filter { registry.watches($0.key) }, at: .now, wall: .now(),
            patience: { registry.patience(of: $0, settings) })
        SyncMemory.restore(documents, to: metrics)
    }
}

extension SyncService {
    fileprivate init(
        plan: Plan, remembered: [String: [Target]], metrics: DaemonMetrics, logger: Logger, registry: TargetRegistry,
        reconciler: TargetReconciler, history: History
    ) {
        self.init(
            // What was typed now is meant, whatever was typed the last time.
            plan: plan, remembered: reconciler.settings.typed == nil ? remembered : [:], metrics: metrics, logger: logger,
            // What is deleted in the daemon's own API was meant.
            isAtStake: { !reconciler.settings.readsItsOwnServer && registry.isAtStake($0) },
            onSynced: {
                _ = history.append([SyncMemory.document($0, at: $1)])
                reconciler.readFaultyAgain()
            },
            apply: { clientID, list in reconciler.replace(list, clientID: clientID) },
            onRejected: { reconciler.setRejected($0) })
    }
}

extension DaemonMetrics {
    /// What is asked for when a page is made.
    fileprivate func observe(_ history: History, _ scheduler: Scheduler<EngineClock>, _ alerter: Alerter) {
        observeHistory { .init(history.statistics) }
        observeSchedule { .init(scheduler.counts) }
        observeAlerting { .init(alerter.counts) }
    }
}
