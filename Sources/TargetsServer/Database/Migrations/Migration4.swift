internal import GRDB

/// Whose token made a change, where there are several tokens.
@Sendable func addTokenHolders(_ database: Database) throws {
    try database.execute(
        sql: """
            ALTER TABLE audit ADD COLUMN holder TEXT;
            CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
            BEGIN SELECT raise(ABORT, 'the audit is append-only'); END;
            """)
}
