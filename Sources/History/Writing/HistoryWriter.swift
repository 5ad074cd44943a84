internal import DatabaseFiles
internal import GRDB
internal import Health
internal import LockOrder

/// Commits what waits in the inbox, lets maintenance at the database between commits, and replaces a database that can't be used any more.
final class HistoryWriter: Sendable {
    private let path: String
    private let options: HistoryOptions
    private let inbox: Inbox
    /// Another database once this one was replaced.
    private let database: OrderedMutex<OpenHistory>
    private let state: OrderedMutex<State>
    private let figures = OrderedMutex(HistoryStatistics())

    private enum Condition {
        case open
        /// The database is replaced before it is written to again.
        case unusable(HistoryError)
        case closed
    }

    private struct State {
        /// What was taken from the inbox and isn't committed.
        var held: Batch
        var condition = Condition.open
        /// Reported, and not over since.
        var isDropping = false
        var hasLargeWAL = false

        /// A database that met damage isn't written to any more. A file that was ours when it was opened and isn't now is damaged, too.
        mutating func note(_ error: HistoryError) {
            if case .closed = condition { return }
            switch error.code {
            case .database(.damaged), .notOurs:
                condition = .unusable(
                    HistoryError(.database(.damaged), path: error.path, detail: error.detail, cause: error.cause))
            case .walGone: condition = .unusable(error)
            default: break
            }
        }
    }

    init(_ database: OpenHistory, path: String, inbox: Inbox, options: HistoryOptions) {
        (self.path, self.inbox, self.options) = (path, inbox, options)
        self.database = OrderedMutex(database)
        state = OrderedMutex(State(held: Batch(limit: options.queueLimit)), rank: .historyWriter)
        updateSizes()
    }

    var queue: DatabaseQueue { current.queue }

    private var current: OpenHistory { database.withLock { $0 } }

    /// Of everything that was taken from the inbox.
    var statistics: HistoryStatistics { figures.withLock { $0 } }

    // MARK: Commits

    /// A step of work at the database between two commits.
    struct Maintenance: Sendable {
        /// Returns whether there is more to do.
        let step: @Sendable (OpenHistory, Database) throws -> Bool
        /// Gets the error of a step that failed.
        let onFailure: @Sendable (OpenHistory, HistoryError) -> Void
    }

    /// Commits everything appended so far, and takes one step of maintenance after it. Returns whether all of it is durable and the step has left
    /// nothing to do.
    func commit(before maintenance: Maintenance) async -> Bool {
        await onDatabase { writer, database, db in
            let isDurable = writer.state.withLock { writer.commit(database, db, &$0) }
            guard writer.isUsable else { return false }
            // The step compares the files with what the commit has seen.
            _ = database.changeOfFiles(db)
            let hasMore = writer.maintain(maintenance, database, db)
            return isDurable && !hasMore && writer.isUsable
        }
    }

    /// Commits everything appended so far. Returns whether all of it is durable.
    func commit() async -> Bool {
        await onDatabase { writer, database, db in writer.state.withLock { writer.commit(database, db, &$0) } }
    }

    private func commit(_ database: OpenHistory, _ db: Database, _ state: inout State) -> Bool {
        state.held.append(inbox.removeAll())
        noteDropped(&state)
        let wasWritable = statistics.isWritable
        // After a failure even an empty transaction is tried, so that the trouble's end is seen.
        guard !state.held.isEmpty || !wasWritable || database.changeOfFiles(db) != nil else { return true }
        if case .closed = state.condition { return state.held.isEmpty }
        let (count, ticket) = (state.held.rows.count, state.held.ticket)
        let clock = ContinuousClock()
        let start = clock.now
        let refused: Int
        do {
            refused = try database.commit(state.held, chunkLength: options.chunkLength, db)
        } catch {
            let error = HistoryError(error, path: path)
            state.note(error)
            note(error, queued: count)
            return false
        }
        let duration = start.duration(to: clock.now)
        state.held = Batch(limit: options.queueLimit)
        state.isDropping = false
        updateFigures { figures in
            figures.samples += count - refused
            figures.ticket = max(figures.ticket, ticket)
            figures.dropped += refused
            (figures.queued, figures.trouble) = (0, nil)
        }
        noteWAL(updateSizes(), &state)
        if !wasWritable { options.onEvent(.writeRecovered(waiting: count)) }
        options.onEvent(.committed(rows: count, duration: duration))
        return true
    }

    // MARK: Maintenance

    /// Runs one step of maintenance between two commits. Returns what the step returns, or false when the step fails or the writer is closed.
    func maintain(_ maintenance: Maintenance) async -> Bool {
        await onDatabase { writer, database, db in writer.maintain(maintenance, database, db) }
    }

    private func maintain(_ maintenance: Maintenance, _ database: OpenHistory, _ db: Database) -> Bool {
        if case .closed = state.withLock({ $0.condition }) { return false }
        do { return try maintenance.step(database, db) } catch {
            let error = HistoryError(error, path: path)
            state.withLock { $0.note(error) }
            maintenance.onFailure(database, error)
            return false
        }
    }

    /// Whether the database can be written to, as far as is known.
    private var isUsable: Bool { if case .open = state.withLock({ $0.condition }) { true } else { false } }

    // MARK: The end

    /// Commits the last batch, folds the WAL into the database and closes it. Idempotent. Returns whether everything was durable in the end.
    func close() async -> Bool {
        inbox.close()
        let before = current
        var isDurable = await commit()
        // Another database may have taken the place of one that couldn't be written to. The new one gets what waits.
        if !isDurable, before !== current { isDurable = await commit() }
        _ = await onDatabase { writer, _, db in
            let wasClosed = writer.state.withLock { state in
                defer { state.condition = .closed }
                if case .closed = state.condition { return true } else { return false }
            }
            // With a reader in the way the WAL stays, and the next start reads it: nothing is lost by that.
            if !wasClosed { writer.reportFailure { _ = try db.checkpoint(.truncate) } }
            return true
        }
        reportFailure { try queue.close() }
        return isDurable
    }

    private func reportFailure(_ close: () throws -> Void) {
        do { try close() } catch { options.onEvent(.notClosed(HistoryError(error, path: path))) }
    }

    // MARK: The database

    /// Runs `body` on the database's own thread, because GRDB's async writes throw in a cancelled task and the blocking ones would hold a
    /// thread that probes need. Returns false when there is no database to write to.
    private func onDatabase(_ body: @escaping @Sendable (HistoryWriter, OpenHistory, Database) -> Bool) async -> Bool {
        guard replaceIfUnusable() else { return false }
        let database = current
        let answer = await withCheckedContinuation { continuation in
            database.queue.asyncWriteWithoutTransaction { db in
                // Each step makes the files longer or shorter. The next step compares them with what this one has seen.
                _ = database.changeOfFiles(db)
                continuation.resume(returning: body(self, database, db))
            }
        }
        _ = replaceIfUnusable()
        return answer
    }

    /// Opens another database once this one can't be used. A damaged one is set aside, and a new one is begun. One that has lost its WAL is
    /// saved and opened again. What waits is written there. Blocks for some milliseconds, once.
    ///
    /// - Returns: whether there is a database to write to; when there is none, the next commit tries again.
    private func replaceIfUnusable() -> Bool {
        guard case .unusable(let reason) = state.withLock({ $0.condition }) else { return true }
        do {
            let unusable = current
            if reason.code == .walGone { try unusable.saveWAL() }
            try unusable.queue.close()
            let name = reason.code == .walGone ? nil : try HistoryFile.setAside(path, at: options.now())
            let new = try OpenHistory.open(path: path, options: options)
            database.withLock { $0 = new }
            state.withLock { $0.condition = .open }
            options.onEvent(name.map { .setAside($0, reason) } ?? .reopened)
            return true
        } catch {
            note(HistoryError(error, path: path), queued: state.withLock { $0.held.rows.count })
            return false
        }
    }

    // MARK: What is reported

    private func updateFigures(_ update: (inout HistoryStatistics) -> Void) { figures.withLock { update(&$0) } }

    /// Returns the size of the WAL.
    @discardableResult
    private func updateSizes() -> Int64 {
        let (size, wal) = HistoryFile.sizes(path)
        updateFigures { ($0.sizeBytes, $0.walBytes) = (size, wal) }
        return wal
    }

    private func note(_ error: HistoryError, queued: Int) {
        let known = statistics.trouble?.code
        updateFigures { ($0.queued, $0.trouble) = (queued, error) }
        if known != error.code { options.onEvent(.writeFailed(error)) }
    }

    private func noteWAL(_ bytes: Int64, _ state: inout State) {
        let isLarge = bytes > options.largeWALBytes
        defer { state.hasLargeWAL = isLarge }
        guard isLarge, !state.hasLargeWAL else { return }
        options.onEvent(.walIsLarge(bytes, readers: WALReaders.names(path)))
    }

    private func noteDropped(_ state: inout State) {
        let dropped = state.held.dropped
        guard dropped > 0 else { return }
        state.held.dropped = 0
        updateFigures { $0.dropped += dropped }
        guard !state.isDropping, !inbox.isClosed else { return }
        state.isDropping = true
        options.onEvent(.dropping)
    }
}
