import GRDB

/// What alerting has to know after a restart: whether a target flaps, what was announced and to whom it has still to be sent. And of each
/// result, whether it came in a maintenance window.
@Sendable func createAlerting(_ db: Database) throws {
    try db.execute(
        sql: """
            ALTER TABLE judge ADD COLUMN flapping INTEGER NOT NULL DEFAULT 0;
            ALTER TABLE kind ADD COLUMN maintenance INTEGER NOT NULL DEFAULT 0;
            CREATE TABLE alerting (
                kind TEXT NOT NULL, key TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (kind, key)
            ) WITHOUT ROWID;
            """)
}
