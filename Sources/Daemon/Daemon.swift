// Daemon: the only module that knows the others. It assembles them, starts and stops them, reloads the configuration, and logs the events
// that they report as values.
// What lives here: the assembly, the reconciler (lists and settings → what is watched), the sync's rhythm, reload, readiness, the log's form.
// What doesn't: any rule of its own about targets, results or pages.
// The command line makes one from settings and runs it until a signal comes.

package import ConnectionLimits
package import Logging
import ServiceLifecycle
package import Settings
import Synchronization

package final class Daemon: Sendable {
    /// What the daemon needs to know of its surroundings.
    package struct Context: Sendable {
        /// Read again at a reload; nil when the settings came from elsewhere, and then there is no reload.
        package var configurationPath: String?
        package var surroundings: ProcessEnvironment
        package var version: String
        package var logger: Logger
        package var logLevel: LogLevel
        /// The pages say that the history before the start is made up.
        package var isSample: Bool
        /// Told once each listener takes connections.
        package var onListening: @Sendable (Listener, _ port: Int) async -> Void

        package init(
            configurationPath: String? = nil, surroundings: ProcessEnvironment, version: String, logger: Logger,
            logLevel: LogLevel, isSample: Bool = false,
            onListening: @escaping @Sendable (Listener, Int) async -> Void = { _, _ in }
        ) {
            self.configurationPath = configurationPath
            self.surroundings = surroundings
            self.version = version
            self.logger = logger
            self.logLevel = logLevel
            self.isSample = isSample
            self.onListening = onListening
        }
    }

    package enum Listener: Hashable, Sendable { case pages, targetsAPI }

    let parts: Parts
    private let running = Mutex<(group: ServiceGroup?, isToEnd: Bool)>((nil, false))

    /// Opens the history and the embedded API's database, and watches what is remembered.
    ///
    /// - Throws: when one of them can't be opened, or the system has no threads left.
    package init(settings: Settings, context: Context) throws {
        giveMemoryBack()
        parts = try Parts(settings, context)
    }

    /// Runs until a signal (SIGTERM or SIGINT), ``shutDown()``, or the task's cancellation. When it returns the last batch is committed.
    ///
    /// - Parameter handlesSignals: false for a daemon that lives inside another program, such as a test.
    package func run(handlesSignals: Bool = true) async throws {
        let services = parts.serviceGroup(handlesSignals: handlesSignals)
        let isToEnd = running.withLock { running in
            running.group = services
            return running.isToEnd
        }
        if isToEnd { await services.triggerGracefulShutdown() }
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
    /// One that doesn't run yet ends when it is run.
    package func shutDown() async {
        let group = running.withLock { running in
            running.isToEnd = true
            return running.group
        }
        await group?.triggerGracefulShutdown()
    }

    private func end() async throws {
        await parts.engines.shutDown()
        try await parts.storage.close(parts.logger)
    }
}

/// Why a daemon that was well configured could not go on.
package struct ListenFailure: Error, CustomStringConvertible {
    package let description: String
    /// Where it was an address.
    package var trouble: ListenTrouble?
}
