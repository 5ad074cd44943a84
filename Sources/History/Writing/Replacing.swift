internal import GRDB
internal import Health
internal import Synchronization

/// A database that is open for writing.
struct OpenedHistory: Sendable {
    let queue: DatabaseQueue
    /// The file that was opened: one that has been deleted or replaced since takes rows and keeps none.
    let file: HistoryFile.Identity?
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
            (dimensions, newest) = try queue.writeWithoutTransaction { db in
                try Schema.prepare(db, isNew: state == .new, path: path)
                try Schema.checkWhatIsReadAtTheStart(db, path: path)
                let newest = try db.integer("SELECT base_ms FROM chunk ORDER BY id DESC LIMIT 1")
                return (try Dimensions(db, vantage: options.vantage), newest.map { Timestamp(milliseconds: $0) })
            }
            self.queue = queue
            claim = state == .new ? FileClaim(created: path) : known
            file = HistoryFile.Identity(of: path)
        } catch {
            let error = HistoryError(error, path: path)
            // It has our mark, and yet SQLite can't read it.
            throw state == .ours && error.code == .notOurs ? HistoryError(.damaged, path: path, detail: error.detail) : error
        }
    }
}

extension History {
    /// Sets a database aside in which the writer has met damage, and begins a new one. What waits is written there. Blocks for some
    /// milliseconds, once. Returns whether there is one to write to; when there isn't it is tried again at the next commit.
    func replaceIfDamaged() -> Bool {
        guard let damage = memory.withLock({ $0.damage }) else { return true }
        do {
            try? queue.close()
            let name = try HistoryFile.setAside(path, at: options.now())
            let new = try OpenedHistory(path: path, options: options)
            opened.withLock { $0 = new }
            memory.withLock { $0.beginAnew(new.dimensions) }
            options.onEvent(.setAside(name, damage))
            return true
        } catch {
            note(error, queued: memory.withLock { $0.held.rows.count })
            return false
        }
    }
}

extension WriterMemory {
    /// What met this can't be written to any more. A file that was ours when it was opened and isn't now is damaged, too.
    mutating func note(_ error: HistoryError) {
        guard error.code == .damaged || error.code == .notOurs, !isClosed else { return }
        damage = HistoryError(.damaged, path: error.path, detail: error.detail)
    }

    fileprivate mutating func beginAnew(_ dimensions: Dimensions) {
        self.dimensions = dimensions
        (chunk, settling, lists, settlingTrouble, damage) = (nil, Settling(), [:], nil, nil)
    }
}
