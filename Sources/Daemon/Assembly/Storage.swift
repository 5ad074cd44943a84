import Dispatch
import Health
import History
import LockOrder
import Logging
import Settings
import TargetsServer

/// What is durable: the history, and the database of the embedded Targets API, each with the lock that keeps a second daemon away.
struct Storage: Sendable {
    let history: History
    /// nil without an embedded Targets API.
    let targets: TargetStore?
    /// Clients whose targets have changed in ``targets``.
    let changes: AsyncStream<String>
    private let rewriting = Rewriting()
    private let historyLock: InstanceLock?
    private let targetsLock: InstanceLock?

    /// - Parameters:
    ///   - onEvent: gets what happens to the history.
    ///   - onReplaced: the database was opened anew; `isNew` when it was set aside, and the history has begun anew.
    /// - Throws: when a database can't be opened, or another process has it.
    init(
        _ settings: Settings, onEvent: @escaping @Sendable (HistoryEvent) -> Void,
        onReplaced: @escaping @Sendable (_ isNew: Bool) -> Void
    ) throws {
        let lock = try InstanceLock(besides: settings.history.path)
        historyLock = lock
        targetsLock = try settings.targetsServer.flatMap { try InstanceLock(besides: $0.database) }
        var options = HistoryOptions(settings)
        let rewriting = rewriting
        options.onEvent = { event in
            onEvent(event)
            switch event {
            case .setAside:
                onReplaced(true)
                lock?.claim()
                // Aside, because it waits for a reconciliation, and this is the history's writer.
                if let rewrite = rewriting.body.withLock({ $0 }) { DispatchQueue.global(qos: .utility).async(execute: rewrite) }
            case .reopened: onReplaced(false)
            default: break
            }
        }
        history = try History.open(path: settings.history.path, options: options)
        let (changes, news) = AsyncStream.makeStream(of: String.self)
        self.changes = changes
        targets = try settings.targetsServer.map { section in
            try TargetStore(path: section.database, onChange: { news.yield($0) })
        }
    }

    /// What is to be written again when the history has begun anew.
    func afterSetAside(_ body: @escaping @Sendable () -> Void) { rewriting.body.withLock { $0 = body } }

    /// Commits what waits and closes both databases. The services have ended by then.
    ///
    /// - Throws: ``LostResults`` when results could not be written.
    func close(_ logger: Logger) async throws {
        let isDurable = await history.close()
        do { try targets?.close() } catch {
            logger.warning("the WAL of the targets database stays beside it until the next start; copy both or neither: \(error)")
        }
        historyLock?.release()
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
}

/// The last results could not be written before the daemon had to end.
package struct LostResults: Error, CustomStringConvertible {
    package let description: String
}

/// Known only after the history is open.
private final class Rewriting: Sendable {
    let body = OrderedMutex<(@Sendable () -> Void)?>(nil)
}
