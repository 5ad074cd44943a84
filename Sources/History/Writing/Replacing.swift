internal import DatabaseFiles
internal import GRDB
internal import Health
internal import Synchronization

/// A database that is open for writing.
struct OpenedHistory: Sendable {
    let queue: DatabaseQueue
    var files: DatabaseFiles
    let dimensions: Dimensions
    /// When the last chunk that was there began.
    let newest: Timestamp?
    private let claim: FileClaim

    /// Creates it, or brings its schema up to date. Blocks.
    init(path: String, options: HistoryOptions) throws(HistoryError) {
        let (state, known) = try FileClaim.examine(path)
        do {
            var configuration = Configuration()
            configuration.label = "rangefinder.history"
            configuration.busyMode = .timeout(options.busyTimeout.inSeconds)
            // Ids come from the same transaction's dimension tables, so enforcing them would cost a lookup a row and find nothing.
            configuration.foreignKeysEnabled = false
            let queue = try DatabaseQueue(path: HistoryFile.sqlitePath(path), configuration: configuration)
            try Schema.prepare(queue, isNew: state == .new, path: path)
            (dimensions, newest, files) = try queue.writeWithoutTransaction { db in
                let newest = try db.integer("SELECT base_ms FROM chunk ORDER BY id DESC LIMIT 1")
                return (
                    try Dimensions(db, vantage: options.vantage), newest.map { Timestamp(milliseconds: $0) },
                    DatabaseFiles(path, openedBy: db.sqliteConnection)
                )
            }
            self.queue = queue
            claim = state == .new ? FileClaim(created: path) : known
        } catch {
            let error = HistoryError(error, path: path)
            // It has our mark, and yet SQLite can't read it.
            throw state == .ours && error.code == .notOurs
                ? HistoryError(.database(.damaged), path: path, detail: error.detail) : error
        }
    }
}

extension History {
    /// What has happened to the files; nil when nothing has.
    func changeOfFiles(_ db: Database) -> HistoryError? {
        opened.withLock { $0.files.change(seenBy: db.sqliteConnection) }.map { HistoryError($0, path: path) }
    }

    /// Opens another database once the writer can't go on with this one: it sets one aside in which it has met damage and begins a new one;
    /// one that has lost its WAL it folds in and opens again. What waits is written there. Blocks for some milliseconds, once. Returns whether
    /// there is one to write to; when there isn't it is tried again at the next commit.
    func replaceIfDamaged() -> Bool {
        guard let damage = memory.withLock({ $0.damage }) else { return true }
        do {
            if damage.code == .walGone { try queue.writeWithoutTransaction { db in try foldIn(db) } }
            try queue.close()
            let name = damage.code == .walGone ? nil : try HistoryFile.setAside(path, at: options.now())
            let new = try OpenedHistory(path: path, options: options)
            opened.withLock { $0 = new }
            memory.withLock { $0.beginAnew(new.dimensions) }
            if let name { options.onEvent(.setAside(name, damage)) }
            return true
        } catch {
            note(HistoryError(error, path: path), queued: memory.withLock { $0.held.rows.count })
            return false
        }
    }

    /// From a WAL that only this connection has: when it closes, all that is in it is gone. One that was closed at an earlier try has done it.
    private func foldIn(_ db: Database) throws {
        guard db.sqliteConnection != nil else { return }
        // Not over another database, which may have come since.
        if let change = changeOfFiles(db), change.code != .walGone { throw change }
        _ = try db.checkpoint(.full)
    }
}

extension WriterMemory {
    /// What met this can't be written to any more. A file that was ours when it was opened and isn't now is damaged, too.
    mutating func note(_ error: HistoryError) {
        guard !isClosed else { return }
        switch error.code {
        case .database(.damaged), .notOurs: damage = HistoryError(.database(.damaged), path: error.path, detail: error.detail)
        case .walGone: damage = error
        default: break
        }
    }

    fileprivate mutating func beginAnew(_ dimensions: Dimensions) {
        self.dimensions = dimensions
        (chunk, settling, lists, settlingTrouble, damage) = (nil, Compaction(), [:], nil, nil)
    }
}
