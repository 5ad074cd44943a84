import Alerting
import Curl
import Exposition
import Health
import Logging
import Settings
import Synchronization
import UnixSignals
import Web

/// What a reload can't change of the settings that the daemon started with, and what became of the last one.
final class Reloader: Sendable {
    private let atStart: Settings
    /// Of the last reload, that it was refused only for what would be lost by it.
    private let wantsAcceptance = Mutex(false)

    init(atStart: Settings) { self.atStart = atStart }

    /// The keys of new settings that differ from those of the start and wait for a restart.
    func keysThatWait(in new: Settings) -> [String] {
        Self.keysForRestart.filter { $0.differs(atStart, new) }.map(\.name)
    }

    func note(wantsAcceptance isWanted: Bool) { wantsAcceptance.withLock { $0 = isWanted } }

    /// What the service's status says of a reload that failed.
    var trouble: String {
        wantsAcceptance.withLock(\.self)
            ? "the last reload was refused, because it would leave nothing that is watched; `rangefinder reload --accept` takes it"
            : "the last reload failed, and the settings before it are in force"
    }

    private struct Key {
        var name: String
        var differs: @Sendable (Settings, Settings) -> Bool

        init<Value: Equatable & SendableMetatype>(_ name: String, _ value: @escaping @Sendable (Settings) -> Value) {
            self.name = name
            differs = { value($0) != value($1) }
        }
    }

    private static let keysForRestart = [
        Key("vantage") { $0.vantage }, Key("listen") { $0.listen }, Key("listen_names") { $0.listenNames },
        Key("admin") { $0.admin }, Key("targets_server") { $0.targetsServer }, Key("limits") { $0.limits },
        Key("history") { $0.history }, Key("log.format") { $0.log.format }, Key("core_dumps") { $0.coreDumps },
    ]
}

extension Daemon {
    /// Reads the configuration again, checks it whole, and takes it; a bad one changes nothing.
    ///
    /// - Parameter accept: also one that leaves no client, or no target of those that are watched. Without it a file that was emptied or
    ///   cut off would end the watching.
    func reload(accept: Bool = false) async -> WebServer.ActionResult {
        await turns.take { await self.reloading { await self.readAgain(accept: accept) } }
    }

    private func readAgain(accept: Bool) async -> WebServer.ActionResult {
        guard let path = context.configurationPath else { return .failed("there is no configuration file to reload") }
        let reading = Settings.load(path: path, surroundings: context.surroundings, mustWatch: !accept)
        let said = reading.diagnostics.map { $0.text(file: path) }
        guard let settings = reading.settings else {
            let isOnlyEmpty = Settings.load(path: path, surroundings: context.surroundings).settings != nil
            return refused(said, canBeAccepted: isOnlyEmpty)
        }
        if !accept, let loss = roster.loss(under: settings) {
            return refused(said + ["\(displayText(path)): \(loss)"], canBeAccepted: true)
        }
        for line in said { logger.warning("reload: \(line)") }
        let access = access.take(settings.webConfigFile, accept: accept)
        guard access.troubles.isEmpty else { return refused(access.troubles, canBeAccepted: access.canBeAccepted) }
        await take(settings)
        metrics.configurationReloaded(.now())
        self.access.sayIfOpen(logger)
        let waiting = reloader.keysThatWait(in: settings)
        logger.notice("reloaded", metadata: ["targets": "\(watch.count)"])
        guard !waiting.isEmpty else { return .done("reloaded") }
        let sentence = "changed but not in force before a restart: \(waiting.joined(separator: ", "))"
        logger.warning("reload: \(sentence)")
        return .done("reloaded; \(sentence)")
    }

    private func refused(_ troubles: [String], canBeAccepted: Bool) -> WebServer.ActionResult {
        reloader.note(wantsAcceptance: canBeAccepted)
        metrics.configurationReloaded(nil)
        for line in troubles { logger.error("reload: \(line)") }
        let hint = canBeAccepted ? "; if this is meant, `rangefinder reload --accept` takes it" : ""
        logger.error("reload failed; the daemon goes on with the settings it had\(hint)")
        return .failed((troubles + ["the daemon goes on with the settings it had\(hint)"]).joined(separator: "\n"))
    }

    func take(_ settings: Settings) async {
        context.logLevel.current = .init(settings.log.level)
        series.configure(
            perTarget: .init(settings.metrics.perTarget), withClientID: settings.targetsAPI.clients.count > 1)
        let roster = roster
        // What was connected to under another rule must not be reused under this one.
        if roster.settings.egress != settings.egress { probes.closeKeptConnections() }
        // The whole of `vantage` waits for a restart.
        alerter.replace(
            AlertingOptions(
                settings, vantage: self.settings.vantage, hasTLS: access.security.hasTLS, hostName: context.surroundings.hostName),
            at: .now, wall: .now())
        // Afterwards, so that none falls between; and not under its lock, which is taken under that of Watch.
        if settings.alerting.degraded { alerter.expect(watch.targets(.degraded)) }
        await sync.replace(plan(settings)) { roster.replace(settings) }
    }

    func reloadOnHangup() async {
        for await _ in await UnixSignalsSequence(trapping: .sighup) { _ = await reload() }
    }
}
