internal import GRDB

/// Another number after each change of a client's targets. The number tells one list from another without reading the list. The number is
/// random, so that none comes again when a backup is restored.
@Sendable func createRevisions(_ database: Database) throws {
    try database.execute(
        sql: "CREATE TABLE revision (client_id TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID")
}
