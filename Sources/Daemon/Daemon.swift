// Daemon: the only room that knows the others. It assembles them, starts and stops them, reloads the configuration, and logs the events
// that they report as values.
// What lives here: the assembly, the roster (lists and settings → what is watched), the sync's rhythm, reload, readiness, the log's form.
// What doesn't: any rule of its own about targets, results or pages.
// The command line makes one from settings and runs it until a signal comes.

import Alerting
package import Connections
import Curl
import Exposition
import Glibc
import Health
import History
package import Logging
import Probing
import Scheduling
import ServiceLifecycle
package import Settings
import Synchronization
import TargetsAPI
import TargetsServer
import UnixSignals
import Web

package final class Daemon: Sendable {
    /// What the daemon needs to know of its surroundings.
    package struct Context: Sendable {
        /// Read again at a reload; nil when the settings came from elsewhere, and then there is no reload.
        package var configurationPath: String?
        package var surroundings: Surroundings
        package var version: String
        package var logger: Logger
        package var logLevel: LogLevel
        /// Told once each listener takes connections.
        package var onListening: @Sendable (Listener, _ port: Int) async -> Void

        package init(
            configurationPath: String? = nil, surroundings: Surroundings, version: String, logger: Logger, logLevel: LogLevel,
            onListening: @escaping @Sendable (Listener, Int) async -> Void = { _, _ in }
        ) {
            self.configurationPath = configurationPath
            self.surroundings = surroundings
            self.version = version
            self.logger = logger
            self.logLevel = logLevel
            self.onListening = onListening
        }
    }

    package enum Listener: Hashable, Sendable { case pages, targetsAPI }

    /// How long the services may take to end. What the history may wait for a lock comes on top: five seconds in all.
    static let shutdownLimit = Duration.milliseconds(1500)

    let context: Context
    let history: History
    let metrics: DaemonMetrics
    let series: TargetSeries
    let scheduler: Scheduler<EngineClock>
    let watch: Watch
    let roster: Roster
    let alerter: Alerter
    let maintenance = MaintenanceBook()
    let sync: SyncService
    let reloader: Reloader
    /// Those of the start.
    let settings: Settings
    let probes: TransferEngine
    private let requests: TransferEngine
    let shares: DescriptorShares
    private let store: TargetStore?
    private let lock: InstanceLock?
    /// Of the embedded Targets API's database.
    private let targetsLock: InstanceLock?
    let startedAt = Timestamp.now()
    private let group = Mutex<ServiceGroup?>(nil)
    /// Who is told how it is; nil when nobody asked.
    let manager: ServiceManager?
    let isListening = Mutex(false)
    let access: WebAccess
    /// Reloads, and looks at the web configuration.
    let turns = Turns()

    var logger: Logger { context.logger }

    /// How the sync reaches the clients under these settings.
    func plan(_ settings: Settings) -> SyncService.Plan { SyncService.Plan(settings, engine: requests) }

    /// Opens the history and the embedded API's database, and watches what is remembered.
    ///
    /// - Throws: when one of them can't be opened, or the system has no threads left.
    package init(settings: Settings, context: Context) throws {
        giveMemoryBack()
        self.settings = settings
        self.context = context
        let logger = context.logger
        let metrics = DaemonMetrics(build: ["version": context.version], loadedAt: .now(), syncFailures: APIError.reasonLabels)
        let watch = Watch()
        let lock = try InstanceLock(besides: settings.history.path)
        targetsLock = try settings.targetsServer.flatMap { try InstanceLock(besides: $0.database) }
        var options = HistoryOptions(settings)
        options.onEvent = { event in
            report(event, logger: logger, metrics: metrics)
            guard case .setAside = event else { return }
            watch.forgetWhatIsWritten()
            lock?.claim()
        }
        access = try WebAccess(context.surroundings, settings.webConfigFile)
        let history = try History.open(path: settings.history.path, options: options)
        let series = TargetSeries(
            perTarget: .init(settings.metrics.perTarget), withClientID: settings.targetsAPI.clients.count > 1)
        // The sync has an engine of its own: a list of 48 MB must not stand between a due time and a socket.
        shares = shareOutDescriptors(settings, logger)
        probes = try TransferEngine(
            name: ThreadPriorities.probes, maxLookups: shares.lookups, maxIdleConnections: shares.idleConnections)
        requests = try TransferEngine(maxLookups: 4)
        let scheduler = Scheduler(
            clock: EngineClock(probes), origin: ContinuousClock.boot(), executor: probes.executor,
            maxInFlight: shares.probes, fastBudget: settings.limits.fastBudget)
        alerter = Alerter(settings, context, history, maintenance, hasTLS: access.security.hasTLS)
        let roster = Roster(
            settings: settings, watch: watch, scheduler: scheduler, history: history, alerter: alerter, maintenance: maintenance,
            series: series, metrics: metrics, logger: logger)
        let (remembered, judges, documents) = (try history.rememberedLists(), try history.judges(), try history.documents())
        watch.vantage(tell: alerter.trust(_:)) { judge in
            judge.ownNetworks = ownNetworks()
            judge.hasCanaries = settings.vantage.canaries.count >= VantageJudge.canariesMin
        }
        roster.restore(lists: remembered, judges: judges)
        alerter.restore(
            documents, judges: judges.filter { watch.watches($0.key) }, at: .now, wall: .now(),
            patience: { watch.patience(of: $0, settings) })
        let sync = SyncService(
            plan: .init(settings, engine: requests), remembered: remembered, metrics: metrics, logger: logger,
            // What is deleted in the daemon's own API was meant.
            isAtStake: { !roster.settings.readsItsOwnServer && watch.isAtStake($0) },
            onSynced: { _ = history.append([SyncMemory.document($0, at: $1)]) },
            apply: { clientID, list in roster.replace(list, clientID: clientID) },
            onRejected: { roster.setRejected($0) })
        SyncMemory.restore(documents, to: metrics)
        self.sync = sync
        // What is changed there is news for us: who runs both at once waits for no interval.
        store = try settings.targetsServer.map { section in
            try TargetStore(path: section.database, onChange: { news(of: $0, roster, sync) })
        }
        reloader = Reloader(atStart: settings)
        manager = ServiceManager(environment: context.surroundings.environment)
        metrics.observe(history, scheduler, alerter)
        (self.lock, self.history, self.metrics, self.series) = (lock, history, metrics, series)
        (self.scheduler, self.watch, self.roster) = (scheduler, watch, roster)
    }

    /// Runs until a signal (SIGTERM or SIGINT), ``shutDown()``, or the task's cancellation. When it returns the last batch is committed.
    ///
    /// - Parameter handlesSignals: false for a daemon that lives inside another program, such as a test.
    package func run(handlesSignals: Bool = true) async throws {
        let services = serviceGroup(handlesSignals: handlesSignals)
        group.withLock { $0 = services }
        do {
            try await services.run()
        } catch {
            // What failed first is what is told; the log has the rest.
            do { try await end() } catch {}
            throw error
        }
        try await end()
    }

    /// Ends a daemon that runs: probes in flight are cancelled and the last batch is committed.
    package func shutDown() {
        let running = group.withLock { $0 }
        Task { await running?.triggerGracefulShutdown() }
    }

    /// Services start in this order and stop in the opposite one: probing ends first, and the history last.
    private func serviceGroup(handlesSignals: Bool) -> ServiceGroup {
        let (serverListens, announce) = AsyncStream.makeStream(of: Void.self)
        var services: [any Service] = [RunsUntilShutdown("history") { await self.history.run(clock: ContinuousClock()) }]
        if let store, let section = settings.targetsServer {
            let server = targetsServer(section, store) { announce.finish() }
            services.append(Listening(setting: "targets_server.listen", address: section.listen) { try await server.run() })
        } else {
            announce.finish()
        }
        services.append(RunsUntilShutdown("control") { await self.listenForCommands() })
        services.append(RunsUntilShutdown("web configuration") { await self.followWebConfiguration() })
        services.append(Listening(setting: "listen", address: settings.listen) { try await self.webServer().run() })
        services.append(
            RunsUntilShutdown("sync") {
                // The first sync may be with our own server.
                for await _ in serverListens {}
                await self.sync.run(clock: ContinuousClock())
            })
        services.append(RunsUntilShutdown("alerting") { await self.sendAlerts() })
        services.append(
            RunsUntilShutdown("vantage") {
                await VantageService(self, canaries: self.settings.vantage.canaries, engine: self.requests).run()
            })
        services.append(RunsUntilShutdown("probing") { await self.probe() })
        if let manager {
            services.append(RunsUntilShutdown("service manager") { await ServiceReport(self, manager: manager).run() })
        }
        // In a program that has other work, its threads are not ours to slow down.
        if handlesSignals {
            services.append(RunsUntilShutdown("priorities") { await ThreadPriorities.keep(clock: ContinuousClock()) })
        }
        if handlesSignals && context.configurationPath != nil {
            services.append(RunsUntilShutdown("reload") { await self.reloadOnHangup() })
        }
        var configuration = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: handlesSignals ? [.sigterm, .sigint] : [],
            logger: Logger(label: "services") { _ in SwiftLogNoOpLogHandler() })
        configuration.maximumGracefulShutdownDuration = Self.shutdownLimit
        return ServiceGroup(configuration: configuration)
    }

    private func end() async throws {
        await probes.shutDown()
        await requests.shutDown()
        let isDurable = await history.close()
        do { try store?.close() } catch {
            logger.warning("the WAL of the targets database stays beside it until the next start; copy both or neither: \(error)")
        }
        lock?.release()
        targetsLock?.release()
        guard isDurable else {
            let lost = history.statistics
            let sentence =
                "\(counted(lost.queued, "result is", "results are")) lost: \(lost.trouble.map { "\($0)" } ?? "the history can't be written")"
            logger.error("stopped; \(sentence)")
            throw LostResults(description: sentence)
        }
        logger.info("stopped")
    }

    private func probe() async {
        let loop = ProbeLoop(
            daemon: self, prober: Prober(transfer: probes.transfer(_:), wallClock: { .now() }, secondLooksMax: shares.secondLooks)
        )
        logger.info("probing", metadata: ["targets": "\(watch.count)", "vantage": "\(settings.vantage.name)"])
        await scheduler.run { identity, due, isRecheck in
            await loop.probe(identity, due: due, isRecheck: isRecheck)
        }
    }

    private func sendAlerts() async {
        let transport = alertTransport(userAgent: settings.probe.userAgent, over: requests)
        await alerter.run(
            over: transport, wall: { .now() }, isAlive: { await self.whatIsNotReady().isEmpty },
            statuses: { self.watch.statuses })
    }

    var syncInterval: Duration { roster.settings.targetsAPI.syncInterval }
}

/// A change in the embedded API; where another API is read it is none.
extension DaemonMetrics {
    /// What is asked for when a page is made.
    fileprivate func observe(_ history: History, _ scheduler: Scheduler<EngineClock>, _ alerter: Alerter) {
        observeHistory { .init(history.statistics) }
        observeSchedule { .init(scheduler.counts) }
        observeAlerting { .init(alerter.counts) }
    }
}

private func news(of clientID: String, _ roster: Roster, _ sync: SyncService) {
    if roster.settings.readsItsOwnServer { Task { await sync.follow(clientID) } }
}

/// The last results could not be written before the daemon had to end.
package struct LostResults: Error, CustomStringConvertible {
    package let description: String
}

/// Why a daemon that was well configured could not go on.
package struct ListenFailure: Error, CustomStringConvertible {
    package let description: String
    /// Where it was an address.
    package var trouble: ListenTrouble?
}

/// A listener, whose trouble is told with the address and the key that changes it.
private struct Listening: Service {
    let setting: String
    let address: ListenAddress
    let body: @Sendable () async throws -> Void

    func run() async throws {
        do { try await endingInOrder(body) } catch let error as CancellationError { throw error } catch {
            let trouble = ListenTrouble(error, at: "\(address)")
            throw ListenFailure(description: trouble.sentence(change: "change \(setting)"), trouble: trouble)
        }
    }
}

/// A service that is simply cancelled when its group shuts down.
private struct RunsUntilShutdown: Service {
    let name: String
    let body: @Sendable () async throws -> Void

    init(_ name: String, _ body: @escaping @Sendable () async throws -> Void) {
        self.name = name
        self.body = body
    }

    func run() async throws {
        try await cancelWhenGracefulShutdown { try await body() }
    }
}
