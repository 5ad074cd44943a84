internal import FoundationEssentials
internal import GRDB

/// The tables of the targets database. A migration that was released is never changed; a new one follows it.
enum TargetSchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("targets") { database in
            try database.execute(
                sql: """
                    CREATE TABLE target (
                        id INTEGER PRIMARY KEY,
                        client_id TEXT NOT NULL,
                        key TEXT NOT NULL,
                        name TEXT NOT NULL,
                        base_url TEXT NOT NULL,
                        test_path TEXT NOT NULL,
                        region TEXT NOT NULL,
                        rule_effect TEXT NOT NULL CHECK (rule_effect IN ('allow', 'deny')),
                        created_at_ms INTEGER NOT NULL,
                        updated_at_ms INTEGER NOT NULL,
                        UNIQUE (client_id, key)
                    ) STRICT;
                    CREATE TABLE registry (
                        only INTEGER PRIMARY KEY CHECK (only = 1),
                        user_id TEXT NOT NULL
                    ) STRICT;
                    """)
            try database.execute(
                sql: "INSERT INTO registry (only, user_id) VALUES (1, ?)", arguments: [UUID().uuidString.lowercased()])
        }
        // Goes up with every change of a client's targets: what tells one list from another without reading it.
        migrator.registerMigration("revisions") { database in
            try database.execute(
                sql: "CREATE TABLE revision (client_id TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID")
        }
        return migrator
    }

    static let insert = """
        INSERT INTO target (client_id, key, name, base_url, test_path, region, rule_effect, created_at_ms, updated_at_ms)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """

    static let revise = """
        INSERT INTO revision (client_id, number) VALUES (?, 1) ON CONFLICT (client_id) DO UPDATE SET number = number + 1
        """

    static func userID(_ database: Database) throws -> String {
        // The migration put it there; a database without it is no database of ours.
        guard let userID = try String.fetchOne(database, sql: "SELECT user_id FROM registry") else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "the table registry is empty")
        }
        return userID
    }
}
