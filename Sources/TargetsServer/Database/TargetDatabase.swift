internal import DatabaseFiles
internal import GRDB
internal import Synchronization

/// The open database of the targets, in WAL mode: each operation is a transaction, bounded in time and number. No operation runs on files that
/// aren't the files at the path any more.
final class TargetDatabase: Sendable {
    /// So many writes may wait for the write that is being made; one more is refused at once.
    static let writesWaitingMax = 64

    let path: String
    let pool: DatabasePool
    private let files: Mutex<DatabaseFiles>
    private let writesWaiting = Mutex(0)
    /// When a write gave up waiting for another program's lock.
    private let foundLocked = Mutex<ContinuousClock.Instant?>(nil)

    /// Creates the database, or brings its tables up to date. Blocks.
    ///
    /// - Parameter patience: how long an operation waits for another program's lock.
    static func open(_ path: String, _ patience: Duration) throws -> TargetDatabase {
        var configuration = Configuration()
        configuration.busyMode = .timeout(patience / .seconds(1))
        let pool = try DatabasePool(path: path, configuration: configuration)
        let (comparison, version) = try pool.read { try TargetSchema.migrator.compare($0) }
        guard comparison != .newer else {
            throw StoreError(
                .newerSchema, path: path, detail: "schema \(version), this version knows \(TargetSchema.migrator.version)")
        }
        // GRDB opens a WAL database with NORMAL, which may lose the last commits with the power.
        try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        try TargetSchema.migrator.migrate(pool)
        let files = pool.writeWithoutTransaction { DatabaseFiles(path, openedBy: $0.sqliteConnection) }
        return TargetDatabase(path, pool, files)
    }

    /// Nothing is thrown here: Swift 6.3.1 crashes when it optimizes an initializer that throws beside a stored `Mutex`.
    private init(_ path: String, _ pool: DatabasePool, _ files: DatabaseFiles) {
        (self.path, self.pool) = (path, pool)
        self.files = Mutex(files)
    }

    func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        try await naming {
            try await pool.read { database in
                if let change = self.files.withLock({ $0.replaced }) { throw StoreError(change, path: self.path) }
                return try body(database)
            }
        }
    }

    func write<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        try enter()
        defer { writesWaiting.withLock { $0 -= 1 } }
        let asked = ContinuousClock.now
        return try await naming {
            try await pool.writeWithoutTransaction { database in
                // This write has waited for the lock together with another write that gave up. Each in its turn would wait for as long again.
                if let foundLocked = self.foundLocked.withLock({ $0 }), asked < foundLocked {
                    throw StoreError(.database(.locked), path: self.path)
                }
                try self.refuseChange(of: database)
                var value: Value?
                do {
                    try database.inTransaction(.immediate) {
                        value = try body(database)
                        return .commit
                    }
                } catch let error as DatabaseError where error.resultCode.primaryResultCode == .SQLITE_BUSY {
                    self.foundLocked.withLock { $0 = .now }
                    throw error
                }
                // A commit to a file that has gone meanwhile is lost.
                try self.refuseChange(of: database)
                guard let value else { throw CancellationError() }
                return value
            }
        }
    }

    /// After the last operation. The writer is the last to close: SQLite folds the WAL in then, and a reader couldn't.
    ///
    /// - Throws: ``StoreError`` when the WAL stays, as it does where another program reads. Nothing is lost by that: the next start reads it.
    func close() throws {
        do {
            pool.invalidateReadOnlyConnections()
            let foldedIn = Result {
                try pool.writeWithoutTransaction { database in
                    // Whoever stops a server waits for it.
                    try database.execute(sql: "PRAGMA busy_timeout = 1000")
                    _ = try database.checkpoint(.truncate)
                }
            }
            try pool.close()
            try foldedIn.get()
        } catch {
            throw StoreError(error, path: path)
        }
    }

    private func enter() throws {
        let hasRoom = writesWaiting.withLock { waiting in
            guard waiting < Self.writesWaitingMax else { return false }
            waiting += 1
            return true
        }
        guard hasRoom else { throw StoreError(.crowded, path: path) }
    }

    private func refuseChange(of database: Database) throws {
        guard let change = files.withLock({ $0.change(seenBy: database.sqliteConnection) }) else { return }
        // The WAL has no name any more, and a kill would lose it. So everything that was answered already is saved at once.
        if change == .walGone { _ = try database.checkpoint(.passive) }
        throw StoreError(change, path: path)
    }

    /// Errors of the database become sentences for whoever runs the server. The store's own answers are no errors of the database.
    private func naming<Value>(_ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch let error as DatabaseError { throw StoreError(error, path: path) }
    }
}
