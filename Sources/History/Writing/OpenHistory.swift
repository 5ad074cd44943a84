internal import DatabaseFiles
internal import GRDB
internal import Health
internal import LockOrder

/// A history database that is open for writing, and what is known of it.
final class OpenHistory: Sendable {
    let queue: DatabaseQueue
    /// When the last chunk began that was there at the start.
    let newest: Timestamp?
    let compactor: Compactor
    private let path: String
    private let files: OrderedMutex<DatabaseFiles>
    private let cache: OrderedMutex<RowCache>
    private let claim: FileClaim

    /// Creates the database, or brings its schema up to date. Blocks.
    static func open(path: String, options: HistoryOptions) throws(HistoryError) -> OpenHistory {
        let (state, known) = try FileClaim.examine(path)
        do {
            var configuration = Configuration()
            configuration.label = "rangefinder.history"
            configuration.busyMode = .timeout(options.busyTimeout.inSeconds)
            // Ids come from the same transaction's dimension tables: enforcing the references would cost a lookup a row and find nothing.
            configuration.foreignKeysEnabled = false
            let queue = try DatabaseQueue(path: HistoryFile.sqlitePath(path), configuration: configuration)
            try Schema.prepare(queue, isNew: state == .new, path: path)
            let (dimensions, newest, files) = try queue.writeWithoutTransaction { db in
                (
                    try Dimensions(db, vantage: options.vantage),
                    try db.integer("SELECT base_ms FROM chunk ORDER BY id DESC LIMIT 1").map { Timestamp(milliseconds: $0) },
                    DatabaseFiles(path, openedBy: db.sqliteConnection)
                )
            }
            let claim = state == .new ? FileClaim(created: path) : known
            return OpenHistory(queue, newest, options, path, files, dimensions, claim)
        } catch {
            let error = HistoryError(error, path: path)
            guard state == .ours, error.code == .notOurs else { throw error }
            // The file has our mark, and yet SQLite can't read it.
            throw HistoryError(.database(.damaged), path: path, detail: error.detail, cause: error.cause)
        }
    }

    /// Nothing is thrown here: Swift 6.3.1 crashes when it optimizes an initializer that throws beside a stored `Mutex`.
    private init(
        _ queue: DatabaseQueue, _ newest: Timestamp?, _ options: HistoryOptions, _ path: String, _ files: DatabaseFiles,
        _ dimensions: Dimensions, _ claim: FileClaim
    ) {
        (self.queue, self.newest, self.path, self.claim) = (queue, newest, path, claim)
        compactor = Compactor(rows: options.compactionRows, lag: options.chunkLength)
        self.files = OrderedMutex(files)
        cache = OrderedMutex(RowCache(dimensions: dimensions), rank: .historyCache)
    }

    /// What has happened to the files; nil when nothing has. On the database's own thread.
    func changeOfFiles(_ db: Database) -> HistoryError? {
        files.withLock { $0.change(seenBy: db.sqliteConnection) }.map { HistoryError($0, path: path) }
    }

    /// Writes a batch in one transaction.
    ///
    /// - Returns: how many of its results were refused.
    func commit(_ batch: Batch, chunkLength: Duration, _ db: Database) throws -> Int {
        try cache.withLock { cache in
            do {
                try refuseChangeOfFiles(db)
                var written = Written()
                try db.inTransaction(.immediate) {
                    written = try batch.write(db, &cache, chunkLength: chunkLength)
                    // Writing many rows takes a while.
                    try refuseChangeOfFiles(db)
                    return .commit
                }
                cache.apply(written)
                return written.refused
            } catch {
                cache.forgetAll()
                throw error
            }
        }
    }

    /// Makes durable in the database what only this connection still has: its WAL has no name any more, and is gone when it closes. After a
    /// first attempt that closed the connection there is nothing left to do.
    func saveWAL() throws {
        try queue.writeWithoutTransaction { db in
            guard db.sqliteConnection != nil else { return }
            // Not over another database, which may have come since.
            if let change = changeOfFiles(db), change.code != .walGone { throw change }
            _ = try db.checkpoint(.full)
        }
    }

    private func refuseChangeOfFiles(_ db: Database) throws {
        if let change = changeOfFiles(db) { throw change }
    }
}
