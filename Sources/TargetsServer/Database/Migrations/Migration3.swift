internal import GRDB

/// Every change, for ever: whoever wants to know what a target was finds it here. No row of the audit can be changed or deleted.
/// Beside the audit, the idempotency keys of creates.
@Sendable func createAudit(_ database: Database) throws {
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
