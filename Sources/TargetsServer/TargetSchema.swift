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
        // Another number after each change of a client's targets: what tells one list from another without reading it. A random one, so that
        // none comes again when a backup is restored.
        migrator.registerMigration("revisions") { database in
            try database.execute(
                sql: "CREATE TABLE revision (client_id TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID")
        }
        // Every change, for ever: who wants to know what a target was has it here. Nothing of it can be changed or deleted.
        migrator.registerMigration("audit") { database in
            try database.execute(
                sql: """
                    CREATE TABLE audit (
                        id INTEGER PRIMARY KEY,
                        at_ms INTEGER NOT NULL,
                        client_id TEXT NOT NULL,
                        key TEXT NOT NULL,
                        action TEXT NOT NULL CHECK (action IN ('create', 'update', 'delete')),
                        before TEXT,
                        after TEXT
                    ) STRICT;
                    CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
                    BEGIN SELECT raise(ABORT, 'the audit is append-only'); END;
                    CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
                    BEGIN SELECT raise(ABORT, 'the audit is append-only'); END;
                    CREATE TABLE idempotency (
                        client_id TEXT NOT NULL,
                        key TEXT NOT NULL,
                        draft TEXT NOT NULL,
                        target_key TEXT NOT NULL,
                        at_ms INTEGER NOT NULL,
                        PRIMARY KEY (client_id, key)
                    ) STRICT, WITHOUT ROWID;
                    CREATE INDEX idempotency_by_time ON idempotency (at_ms);
                    """)
        }
        // Whose token it was, where there are several.
        migrator.registerMigration("holders") { database in
            try database.execute(
                sql: """
                    ALTER TABLE audit ADD COLUMN holder TEXT;
                    CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
                    BEGIN SELECT raise(ABORT, 'the audit is append-only'); END;
                    """)
        }
        return migrator
    }

    static let insert = """
        INSERT INTO target (client_id, key, name, base_url, test_path, region, rule_effect, created_at_ms, updated_at_ms)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """

    static let revise = """
        INSERT INTO revision (client_id, number) VALUES (?, random()) ON CONFLICT (client_id) DO UPDATE SET number = random()
        """

    static func userID(_ database: Database) throws -> String {
        // The migration put it there; a database without it is no database of ours.
        guard let userID = try String.fetchOne(database, sql: "SELECT user_id FROM registry") else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "the table registry is empty")
        }
        return userID
    }
}
