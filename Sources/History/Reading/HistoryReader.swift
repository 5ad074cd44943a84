internal import GRDB
package import Health

/// Reads the history, while the daemon writes it or when it doesn't run. Every call is one short transaction, so that a reader never
/// keeps the WAL from being folded in. Blocks: for commands, not for the probe's way.
package final class HistoryReader: Sendable {
    package let path: String
    private let queue: DatabaseQueue

    /// Opens a database that exists; never creates or changes one.
    package static func open(path: String) throws(HistoryError) -> HistoryReader {
        guard try HistoryFile.examine(path) == .ours else { throw HistoryError(.missing, path: path) }
        do {
            var configuration = Configuration()
            configuration.readonly = true
            configuration.label = "rangefinder.history.reader"
            configuration.busyMode = .timeout(5)
            let isImmutable = HistoryFile.mustBeImmutable(path)
            let queue = try DatabaseQueue(
                path: isImmutable ? HistoryFile.immutableURI(path) : HistoryFile.sqlitePath(path), configuration: configuration)
            try queue.read { try Schema.refuseOtherVersions($0, path: path, isReader: true) }
            return HistoryReader(path: path, queue: queue)
        } catch {
            throw HistoryError(error, path: path)
        }
    }

    private init(path: String, queue: DatabaseQueue) {
        self.path = path
        self.queue = queue
    }

    /// Every target of the remembered lists, by name, with what the daemon believes of it.
    package func statuses() throws(HistoryError) -> [TargetStatusRow] {
        try read { db in
            let lastProbes = try LastProbes.read(db)
            return try TargetStatusRow.all(db, lastProbes: lastProbes)
        }
    }

    /// The remembered list of every client.
    package func rememberedLists() throws(HistoryError) -> [String: [Target]] {
        try read { try RememberedLists.all($0) }
    }

    /// The newest incidents, open ones included, newest first.
    package func incidents(limit: Int = 100) throws(HistoryError) -> [IncidentRow] {
        try read { try IncidentRow.newest($0, limit: limit) }
    }

    private func read<Value>(_ body: (Database) throws -> Value) throws(HistoryError) -> Value {
        do { return try queue.read(body) } catch { throw HistoryError(error, path: path) }
    }
}
