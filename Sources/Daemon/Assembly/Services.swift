import Alerting
import ConnectionLimits
import Curl
import Exposition
import Health
import History
import Logging
import Probing
import Scheduling
import ServiceLifecycle
import Settings
import TargetsServer
import UnixSignals
import Web

/// The daemon's services, in the order in which they start. They stop in the opposite order: probing ends first, and the history last.
extension Parts {
    /// How long the services may take to end. What the history may wait for a lock comes on top: five seconds in all.
    private static let shutdownLimit = Duration.milliseconds(1500)

    func serviceGroup(handlesSignals: Bool) -> ServiceGroup {
        var services = ServiceList()
        services.add("history") { [history] in await history.run(clock: ContinuousClock()) }
        addListeners(to: &services)
        services.add("alerting") { await sendAlerts() }
        addChecks(to: &services, lowersThreads: handlesSignals)
        services.add("days of the pages") { [pageIndex, readers, registry, logger] in
            await DayFeed(index: pageIndex, readers: readers, logger: logger, slotOf: registry.slot(of:)).run()
        }
        services.add("probing") { await probe() }
        if let manager {
            services.add(
                "service manager",
                ServiceReport(
                    manager: manager, status: status, scheduler: scheduler, registry: registry,
                    settings: { [reconciler] in reconciler.settings }
                ).run)
        }
        if handlesSignals && context.configurationPath != nil {
            services.add("reload", ReloadOnHangup(reloader: reloader, turns: turns))
        }
        var configuration = ServiceGroupConfiguration(
            services: services.configurations, gracefulShutdownSignals: handlesSignals ? signalsThatEnd : [], logger: logger)
        configuration.maximumGracefulShutdownDuration = Self.shutdownLimit
        return ServiceGroup(configuration: configuration)
    }

    /// Without a file to reload a hangup is what it says: the terminal has gone.
    private var signalsThatEnd: [UnixSignal] {
        context.configurationPath == nil ? [.sigterm, .sigint, .sighup] : [.sigterm, .sigint]
    }

    private func addListeners(to services: inout ServiceList) {
        let listeners = Listeners(
            settings: settings, context: context, shares: engines.shares, access: access, isListening: status.isListening,
            served: served)
        let (serverListens, announce) = AsyncStream.makeStream(of: Void.self)
        if let store = storage.targets, let section = settings.targetsServer {
            let server = listeners.targetsServer(section, store) { announce.finish() }
            services.add(
                "targets server", Listening(setting: "targets_server.listen", address: section.listen) { try await server.run() })
            services.add(
                "changes of the targets server", OwnChanges(changes: storage.changes, reconciler: reconciler, sync: sync))
        } else {
            announce.finish()
        }
        services.add("control") { await listeners.listenForCommands() }
        services.add("web configuration") { [access, turns, logger] in await access.reloadOnChange(turns, logger) }
        services.add("pages", Listening(setting: "listen", address: settings.listen) { try await listeners.pages().run() })
        services.add("sync") { [sync] in
            // The first sync may be with our own server.
            for await _ in serverListens {}
            await sync.run(clock: ContinuousClock())
        }
        services.add("changes of the targets file") { [settings, fileWatch, sync] in
            fileWatch.follow(settings.targetsFile)
            for await _ in fileWatch.changes { await sync.poll(WatchedFile.clientID) }
        }
    }

    private var served: WebServer.Daemon {
        let (metrics, series, sync, registry, reloader, readiness) = (metrics, series, sync, registry, reloader, readiness)
        let turns = turns
        let (maker, formToken) = (pageMaker, formToken)
        let handWork = HandWork(reconciler: reconciler, history: history, readers: readers, logger: logger)
        return WebServer.Daemon(
            page: { format, selection in
                MetricsPage(format: format, selection: selection, targets: series, daemon: metrics)
            },
            readiness: { await readiness.problems() },
            reload: { accept in await turns.take { await reloader.reload(accept: accept) } },
            sync: { accept in
                let troubles = accept ? await sync.acceptHeld() : await sync.syncNow()
                return troubles.isEmpty
                    ? .done("\(counted(registry.count, "target is", "targets are")) watched")
                    : .failed(troubles.joined(separator: "\n"))
            }, pages: maker.source,
            byHand: { await handWork.carryOut($0) }, formToken: formToken)
    }

    private var pageMaker: PageMaker {
        let banners = Banners(
            registry: registry, scheduler: scheduler, history: history, metrics: metrics, readiness: readiness, sync: sync,
            configurationPath: context.configurationPath, reconciler: reconciler)
        let facts = PageFacts(
            readers: readers, registry: registry, maintenance: maintenance, alerter: alerter, scheduler: scheduler,
            history: history, metrics: metrics, readiness: readiness, reload: status.reload, probesMax: engines.shares.probes,
            configurationPath: context.configurationPath, startedAt: startedAt, settings: { [reconciler] in reconciler.settings })
        return PageMaker(
            index: pageIndex, readers: readers, renderer: renderer, facts: facts, banners: BannerCache { await banners.all() },
            history: history, vantage: settings.vantage.name, version: context.version,
            formToken: settings.admin ? formToken : nil, isSample: context.isSample,
            windows: { [reconciler] in reconciler.adHocWindows },
            base: { [reconciler, access, context] in
                pagesBase(reconciler.settings, hasTLS: access.security.hasTLS, hostName: context.surroundings.hostName)
            }, logger: logger)
    }

    /// - Parameter lowersThreads: false in a program that has other work: its threads are not ours to slow down.
    private func addChecks(to services: inout ServiceList, lowersThreads: Bool) {
        let fastInterval = { @Sendable [reconciler] in reconciler.settings.probe.effectiveFastInterval }
        let checks = DaemonChecks(
            attention: attention,
            canaries: CanaryService(
                canaries: settings.vantage.canaries, registry: registry, alerter: alerter, engine: engines.requests,
                attention: attention, fastInterval: fastInterval),
            vantage: VantageMonitor(
                registry: registry, alerter: alerter, metrics: metrics, scheduler: scheduler, logger: logger,
                startedAt: startedAt,
                fastInterval: fastInterval),
            alerts: DaemonAlerts(
                alerter: alerter, metrics: metrics, history: history, registry: registry, startedAt: startedAt,
                syncInterval: { [reconciler] in reconciler.settings.targetsAPI.syncInterval }),
            lanes: LaneMonitor(scheduler: scheduler, registry: registry, alerter: alerter, metrics: metrics, logger: logger),
            flags: SeriesFlags(maintenance: maintenance, alerter: alerter, series: series, reconciler: reconciler),
            threads: lowersThreads ? ThreadPriorities() : nil)
        services.add("checks", checks.run)
    }

    private func probe() async {
        let loop = ProbeLoop(
            registry: registry, followers: followers, metrics: metrics,
            probers: engines.probes.map { engine in
                Prober(
                    transfer: engine.transfer(_:), wallClock: { .now() },
                    alternateChecksMax: max(1, engines.shares.alternateChecks / engines.probes.count))
            })
        logger.info("probing", metadata: ["targets": "\(registry.count)", "vantage": "\(settings.vantage.name)"])
        await scheduler.run { identity, due, isRecheck, lane in
            await loop.probe(identity, due: due, isRecheck: isRecheck, lane: lane)
        }
    }

    private func sendAlerts() async {
        let transport = alertTransport(userAgent: settings.probe.userAgent, over: engines.requests)
        await alerter.run(
            over: transport, wall: { .now() }, isAlive: { [readiness] in await readiness.problems().isEmpty },
            statuses: { [registry] in registry.statuses })
    }
}

/// Services with the names under which the group's log has them.
private struct ServiceList {
    private(set) var configurations: [ServiceGroupConfiguration.ServiceConfiguration] = []

    mutating func add(_ name: String, _ service: some Service) {
        configurations.append(.init(service: service, serviceName: name))
    }

    /// One that is cancelled when the group shuts down.
    mutating func add(_ name: String, _ body: @escaping @Sendable () async throws -> Void) {
        add(name, ClosureService { try await cancelWhenGracefulShutdown(body) })
    }
}

/// A change in the embedded API is news for a daemon that reads it: who runs both at once waits for no interval.
private struct OwnChanges: Service {
    let changes: AsyncStream<String>
    let reconciler: TargetReconciler
    let sync: SyncService

    func run() async throws {
        await withDiscardingTaskGroup { group in
            for await clientID in changes.cancelOnGracefulShutdown() where reconciler.settings.readsItsOwnServer {
                // Of many changes that come together the sync makes one.
                group.addTask { await sync.poll(clientID) }
            }
            group.cancelAll()
        }
    }
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
