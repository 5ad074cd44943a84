internal import GRDB

/// The tables' version is `user_version`: how many of `migrations` have been applied.
enum Schema {
    /// Append only: what was released is never changed.
    private static let migrations: [@Sendable (Database) throws -> Void] = [
        createFirstTables, createThreeAges, addUpWhatIsOver, rememberAlerts,
    ]

    static var version: Int { migrations.count }

    static func prepare(_ db: Database, isNew: Bool, path: String) throws {
        try refuseOtherVersions(db, path: path, isReader: false)
        if isNew {
            // Both are in the file from its first page on: auto_vacuum can't be set once a table exists, and a crash before the first
            // checkpoint must not leave a file that isn't known as ours.
            try db.run("PRAGMA auto_vacuum = INCREMENTAL")
            try db.run("PRAGMA application_id = \(HistoryFile.applicationID)")
        }
        try db.run("PRAGMA journal_mode = WAL") { row in
            // SQLite answers with another mode, not with an error, where the file system can't share memory.
            guard row.text(0) == "wal" else { throw HistoryError(.other, path: path, detail: "WAL can't be used here") }
            return true
        }
        try db.run("PRAGMA synchronous = FULL")
        // After a long reader or a large batch the WAL file gives its space back.
        try db.run("PRAGMA journal_size_limit = \(64 << 20)")
        for version in 1...migrations.count {
            try db.inTransaction(.immediate) {
                if try db.integer("PRAGMA user_version") ?? 0 >= version { return .rollback }
                try migrations[version - 1](db)
                try db.execute(sql: "PRAGMA user_version = \(version)")
                return .commit
            }
        }
    }

    /// All of the database would take minutes of a large one.
    static func checkWhatIsReadAtTheStart(_ db: Database, path: String) throws {
        for table in ["target", "remembered_client", "judge", "incident", "kind", "chunk", "progress", "alerting"] {
            try db.run("PRAGMA quick_check('\(table)')") { row in
                guard row.text(0) == "ok" else { throw HistoryError(.damaged, path: path, detail: row.text(0) ?? "") }
                return true
            }
        }
        // What SQLite finds well and yet nobody wrote: numbers are added to these without another look.
        for (table, isWrong) in [
            (
                "chunk",
                """
                id NOT BETWEEN 1 AND \(Int32.max) OR base_ms NOT BETWEEN -(1 << 48) AND 1 << 48
                OR first_commit NOT BETWEEN 0 AND \(Int32.max) OR moved NOT BETWEEN 0 AND \(ResultID.targetMax)
                OR coalesce(end_commit, first_commit) NOT BETWEEN first_commit AND min(first_commit + \(16 * OpenChunk.commitsMax), \(Int32.max))
                """
            ),
            ("target", "id NOT BETWEEN 1 AND 1 << 40"), ("kind", "interval_ms NOT BETWEEN 0 AND 1 << 40"),
            ("progress", "value NOT BETWEEN 0 AND 1 << 48"),
        ] {
            guard try db.integer("SELECT 1 FROM \(table) WHERE \(isWrong) LIMIT 1") == nil else {
                throw HistoryError(.damaged, path: path, detail: "a number in \(table) that can't be")
            }
        }
    }

    static func refuseOtherVersions(_ db: Database, path: String, isReader: Bool) throws {
        let found = try db.integer("PRAGMA user_version") ?? 0
        let detail = "schema \(found), this version knows \(version)"
        if found > version { throw HistoryError(.newerSchema, path: path, detail: detail) }
        if isReader, found < version { throw HistoryError(.olderSchema, path: path, detail: detail) }
    }
}
