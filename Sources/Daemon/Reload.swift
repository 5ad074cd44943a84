import Alerting
import Curl
import Exposition
import Health
import Logging
import ServiceLifecycle
import Settings
import Synchronization
import UnixSignals
import Web

/// What became of the last reload, for the service's status.
final class ReloadOutcome: Sendable {
    /// It was refused only for what would be lost by it.
    private let wantsAcceptance = Mutex(false)

    func note(wantsAcceptance isWanted: Bool) { wantsAcceptance.withLock { $0 = isWanted } }

    /// Why the last reload failed.
    var trouble: String {
        wantsAcceptance.withLock(\.self)
            ? "the last reload was refused, because it would leave nothing that is watched; `rangefinder reload --accept` takes it"
            : "the last reload failed, and the settings before it are in force"
    }
}

/// Puts another configuration in force while the daemon runs. One reload at a time: see ``AsyncSerialQueue``.
struct Reloader: Sendable {
    let context: Daemon.Context
    let atStart: Settings
    let registry: TargetRegistry
    let reconciler: TargetReconciler
    let alerter: Alerter
    let series: TargetSeries
    let metrics: DaemonMetrics
    let access: WebAccess
    let sync: SyncService
    let fileWatch: TargetsFileWatch
    let engines: Engines
    let manager: ServiceManager?
    let status: DaemonStatus
    let outcome: ReloadOutcome

    private var logger: Logger { context.logger }

    /// Reads the configuration again, checks it whole, and takes it; a bad one changes nothing.
    ///
    /// - Parameter accept: also one that leaves no client, or no target of those that are watched. Without it a file that was emptied or
    ///   cut off would end the watching.
    func reload(accept: Bool = false) async -> WebServer.ActionResult {
        await reloading { await readAgain(accept: accept) }
    }

    /// Tells the service manager that `body` is a reload.
    private func reloading<Value>(_ body: () async -> Value) async -> Value {
        // Before it is ready the end of a reload would pass for that.
        guard let manager, await status.hasStarted else { return await body() }
        manager.tell(.reloading(since: ServiceManager.monotonicMicroseconds()))
        let value = await body()
        // One that is lost would leave the service reloading for good.
        for _ in 0..<50 {
            if manager.tell(.ready) { break }
            try? await Task.sleep(for: .milliseconds(100))
        }
        return value
    }

    private func readAgain(accept: Bool) async -> WebServer.ActionResult {
        guard let path = context.configurationPath else { return .failed("there is no configuration file to reload") }
        let reading = Settings.load(path: path, surroundings: context.surroundings, mustWatch: !accept)
        let said = reading.diagnostics.map { $0.text(file: path) }
        guard let settings = reading.settings else {
            let isOnlyEmpty = Settings.load(path: path, surroundings: context.surroundings).settings != nil
            return refused(said, canBeAccepted: isOnlyEmpty)
        }
        if !accept, let loss = reconciler.loss(under: settings) {
            return refused(said + ["\(displayText(path)): \(loss)"], canBeAccepted: true)
        }
        for line in said { logger.warning("reload: \(line)") }
        let taking = access.take(settings.webConfigFile, accept: accept)
        guard taking.troubles.isEmpty else { return refused(taking.troubles, canBeAccepted: taking.canBeAccepted) }
        await take(settings)
        metrics.configurationReloaded(.now())
        access.sayIfOpen(logger)
        logger.notice("reloaded", metadata: ["targets": "\(registry.count)"])
        var sentences: [String] = []
        let waiting = settings.keysForRestart(since: atStart)
        if !waiting.isEmpty {
            sentences.append("changed but not in force before a restart: \(waiting.joined(separator: ", "))")
            logger.warning("reload: \(sentences[0])")
        }
        // The sync that follows logs it. Who asked for the reload is told as well.
        if let path = settings.targetsFile, let reading = settings.readTargetsFile(context.surroundings), reading.file == nil {
            sentences.append("the targets file is not taken: \(reading.mistakes(in: path))")
        }
        return .done((["reloaded"] + sentences).joined(separator: "; "))
    }

    private func refused(_ troubles: [String], canBeAccepted: Bool) -> WebServer.ActionResult {
        outcome.note(wantsAcceptance: canBeAccepted)
        metrics.configurationReloaded(nil)
        for line in troubles { logger.error("reload: \(line)") }
        let hint = canBeAccepted ? "; if this is meant, `rangefinder reload --accept` takes it" : ""
        logger.error("reload failed; the daemon goes on with the settings it had\(hint)")
        return .failed((troubles + ["the daemon goes on with the settings it had\(hint)"]).joined(separator: "\n"))
    }

    func take(_ settings: Settings) async {
        context.logLevel.current = .init(settings.log.level)
        series.configure(
            perTarget: .init(settings.metrics.perTarget), withClientID: settings.clientIDs.count > 1)
        let reconciler = reconciler
        // What was connected to under another rule must not be reused under this one.
        if reconciler.settings.egress != settings.egress { engines.closeKeptConnections() }
        // The whole of `vantage` waits for a restart.
        alerter.replace(
            AlertingOptions(
                settings, vantage: atStart.vantage, hasTLS: access.security.hasTLS, hostName: context.surroundings.hostName),
            at: .now, wall: .now())
        // After the alerter has the new settings, so that no target falls between.
        if settings.alerting.degraded { alerter.expect(registry.targets(.degraded)) }
        let file = TargetsFileSource(settings, context.surroundings) { [fileWatch] in fileWatch.renew() }
        await sync.replace(SyncService.Plan(settings, engine: engines.requests, file: file)) { reconciler.replace(settings) }
        fileWatch.follow(settings.targetsFile)
    }
}

/// Reloads at each SIGHUP.
struct ReloadOnHangup: Service {
    let reloader: Reloader
    let turns: AsyncSerialQueue

    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in await UnixSignalsSequence(trapping: .sighup) {
                await turns.take { _ = await reloader.reload() }
            }
        }
    }
}
