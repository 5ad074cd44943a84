internal import DatabaseFiles
internal import GRDB

/// What a history database must have before it is read or written.
enum Schema {
    /// Append only: a migration that was released is never changed. Its SQL has numbers instead of constants, so that it stays as it was
    /// when a constant changes.
    static let migrator = SchemaMigrator([
        ("first_tables", createFirstTables), ("three_ages", createThreeAges), ("finished_hours", addFinishedHours),
        ("alerting", createAlerting), ("evidence", createEvidence), ("own_settings", addOwnSettings),
    ])

    /// Creates the tables or brings them up to date, once the file is known as ours and the connection is set up. Blocks.
    static func prepare(_ queue: DatabaseQueue, isNew: Bool, path: String) throws {
        try queue.writeWithoutTransaction { try setUp($0, isNew: isNew, path: path) }
        try migrator.migrate(queue)
        try queue.writeWithoutTransaction { try checkWhatIsReadAtTheStart($0, path: path) }
    }

    private static func setUp(_ db: Database, isNew: Bool, path: String) throws {
        try refuseOtherVersions(db, path: path, isReader: false)
        if isNew {
            // Both are in the file from its first page on. auto_vacuum can't be set once a table exists. A crash before the first
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
    }

    /// Only the tables that are read at the start: to check all of a large database would take minutes.
    private static func checkWhatIsReadAtTheStart(_ db: Database, path: String) throws {
        for table in ["target", "remembered_client", "judge", "incident", "kind", "chunk", "progress", "alerting"] {
            try db.run("PRAGMA quick_check('\(table)')") { row in
                guard row.text(0) == "ok" else { throw HistoryError(.database(.damaged), path: path, detail: row.text(0) ?? "") }
                return true
            }
        }
        // SQLite finds a number well whatever it is. These numbers go into sums without another check.
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
                throw HistoryError(.database(.damaged), path: path, detail: "a number in \(table) that can't be")
            }
        }
    }

    static func refuseOtherVersions(_ db: Database, path: String, isReader: Bool) throws {
        let (comparison, found) = try migrator.compare(db)
        let detail = "schema \(found), this version knows \(migrator.version)"
        if comparison == .newer { throw HistoryError(.newerSchema, path: path, detail: detail) }
        if isReader, comparison == .older { throw HistoryError(.olderSchema, path: path, detail: detail) }
    }
}
