internal import FoundationEssentials
internal import GRDB

/// The targets of all clients, and the user whose targets they are.
@Sendable func createTargets(_ database: Database) throws {
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
