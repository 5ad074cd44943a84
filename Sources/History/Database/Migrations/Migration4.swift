import GRDB

/// The state of alerting that has to survive a restart: whether a target flaps, which alerts were announced and to whom they have still to
/// be sent. And for each result, whether it came in a maintenance window.
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
