import Exposition
import Health
import Logging
import Settings
import Synchronization
import UnixSignals
import Web

/// The settings that run, and what a reload can't change of them.
final class Reloader: Sendable {
    private let running: Mutex<Settings>

    init(running: Settings) { self.running = Mutex(running) }

    /// Takes new settings. Returns the keys that differ and wait for a restart.
    func replace(with new: Settings) -> [String] {
        running.withLock { running in
            let waiting = Self.keysForRestart.filter { $0.differs(running, new) }.map(\.name)
            running = new
            return waiting
        }
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
        Key("history") { $0.history }, Key("log.format") { $0.log.format },
    ]
}

extension Daemon {
    /// Reads the configuration again, checks it whole, and takes it; a bad one changes nothing.
    func reload() async -> WebServer.ActionResult {
        guard let path = context.configurationPath else { return .failed("there is no configuration file to reload") }
        let reading = Settings.load(path: path, surroundings: context.surroundings)
        let said = reading.diagnostics.map { $0.text(file: path) }
        guard let settings = reading.settings else {
            metrics.configurationReloaded(nil)
            for line in said { logger.error("reload: \(line)") }
            logger.error("reload failed; the daemon goes on with the settings it had")
            return .failed((said + ["the daemon goes on with the settings it had"]).joined(separator: "\n"))
        }
        for line in said { logger.warning("reload: \(line)") }
        await take(settings)
        metrics.configurationReloaded(.now())
        let waiting = reloader.replace(with: settings)
        logger.notice("reloaded", metadata: ["targets": "\(watch.count)"])
        guard !waiting.isEmpty else { return .done("reloaded") }
        let sentence = "changed but not in force before a restart: \(waiting.joined(separator: ", "))"
        logger.warning("reload: \(sentence)")
        return .done("reloaded; \(sentence)")
    }

    private func take(_ settings: Settings) async {
        context.logLevel.current = .init(settings.log.level)
        series.configure(
            perTarget: .init(settings.metrics.perTarget), withClientID: settings.targetsAPI.clients.count > 1)
        roster.replace(settings)
        await sync.replace(plan(settings))
    }

    func reloadOnHangup() async {
        for await _ in await UnixSignalsSequence(trapping: .sighup) { _ = await reload() }
    }
}
