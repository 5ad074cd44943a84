internal import DatabaseFiles
internal import GRDB

/// The tables of the targets database, and the statements that more than one operation needs.
enum TargetSchema {
    /// Append only: a migration that was released is never changed.
    static let migrator = SchemaMigrator([
        ("targets", createTargets), ("revisions", createRevisions), ("audit", createAudit), ("holders", addTokenHolders),
    ])

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
