internal import DatabaseFiles
internal import GRDB
internal import Synchronization

/// How the store's operations reach the database: each in a transaction, bounded in time and number, and none on files that aren't those at
/// the path any more.
extension TargetStore {
    func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        try await naming {
            try await database.read { database in
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
            try await database.writeWithoutTransaction { database in
                // It has waited for the lock together with another: all in their turn would wait for as many times as long.
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
                // What was committed to a file that has gone meanwhile is nothing to tell of.
                try self.refuseChange(of: database)
                guard let value else { throw CancellationError() }
                return value
            }
        }
    }

    /// After the last operation. The writer is the last to close: SQLite folds the WAL in then, and a reader couldn't.
    ///
    /// - Throws: ``StoreError`` when the WAL stays, as it does where another program reads. Nothing is lost by that: the next start reads it.
    package func close() throws {
        do {
            database.invalidateReadOnlyConnections()
            let foldedIn = Result {
                try database.writeWithoutTransaction { database in
                    // Whoever stops a server waits for it.
                    try database.execute(sql: "PRAGMA busy_timeout = 1000")
                    _ = try database.checkpoint(.truncate)
                }
            }
            try database.close()
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
        // What was answered already is saved at once: the WAL has no name any more, and a kill would lose it.
        if change == .walGone { _ = try database.checkpoint(.passive) }
        throw StoreError(change, path: path)
    }

    /// The database's errors in words for its fixtures. The store's own answers are no errors of the database.
    private func naming<Value>(_ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch let error as DatabaseError { throw StoreError(error, path: path) }
    }
}
