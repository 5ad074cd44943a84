internal import GRDB

/// The first tables, and the views whose columns are pinned.
///
/// Results are appended in the order of commits to a rowid table of small integers: words and names live once, in the tables beside it.
/// A row's id is the highest plus one, and the newest row is never deleted, so ids only grow, whatever the clock does and whatever retention
/// removes.
@Sendable func createFirstTables(_ db: Database) throws {
    try db.execute(
        sql: """
            CREATE TABLE target (
                id INTEGER PRIMARY KEY, client_id TEXT NOT NULL, target_id TEXT NOT NULL, name TEXT NOT NULL,
                region TEXT NOT NULL DEFAULT '', base_url TEXT NOT NULL DEFAULT '', test_path TEXT NOT NULL DEFAULT '',
                rule_effect TEXT NOT NULL DEFAULT 'allow', listed INTEGER NOT NULL DEFAULT 0,
                UNIQUE (client_id, target_id)
            );
            CREATE TABLE remembered_client (client_id TEXT PRIMARY KEY) WITHOUT ROWID;
            CREATE TABLE vantage (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
            CREATE TABLE reason (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
            CREATE TABLE cause (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
            CREATE TABLE address (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
            CREATE TABLE status (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
            INSERT INTO status VALUES (0, 'unknown'), (1, 'up'), (2, 'degraded'), (3, 'down');

            -- void: 0 it counts, 1 tainted, 2 cancelled, 3 prober_fault. address: an id of the table, or the text itself.
            CREATE TABLE result (
                id INTEGER PRIMARY KEY, target INTEGER NOT NULL REFERENCES target, vantage INTEGER NOT NULL REFERENCES vantage,
                started_at_ms INTEGER NOT NULL, void INTEGER NOT NULL, status INTEGER NOT NULL REFERENCES status,
                reason INTEGER REFERENCES reason, cause INTEGER REFERENCES cause, http_status INTEGER, address,
                duration_us INTEGER NOT NULL, dns_us INTEGER, connect_us INTEGER, tls_us INTEGER, processing_us INTEGER,
                transfer_us INTEGER, lateness_us INTEGER NOT NULL
            );
            CREATE TABLE transition (
                id INTEGER PRIMARY KEY, target INTEGER NOT NULL REFERENCES target, vantage INTEGER NOT NULL REFERENCES vantage,
                at_ms INTEGER NOT NULL, from_status INTEGER NOT NULL REFERENCES status,
                to_status INTEGER NOT NULL REFERENCES status, reason INTEGER REFERENCES reason,
                cause INTEGER REFERENCES cause, sentence TEXT NOT NULL
            );
            CREATE TABLE incident (
                id INTEGER PRIMARY KEY AUTOINCREMENT, target INTEGER NOT NULL REFERENCES target,
                vantage INTEGER NOT NULL REFERENCES vantage, started_at_ms INTEGER NOT NULL, confirmed_at_ms INTEGER NOT NULL,
                ended_at_ms INTEGER, reason INTEGER NOT NULL REFERENCES reason, http_status INTEGER,
                failed_probes INTEGER NOT NULL, closed_as TEXT,
                UNIQUE (target, started_at_ms)
            );
            CREATE TABLE judge (
                target INTEGER PRIMARY KEY REFERENCES target, status INTEGER NOT NULL REFERENCES status, since_ms INTEGER,
                cause INTEGER REFERENCES cause, has_been_up INTEGER NOT NULL, bad INTEGER NOT NULL, not_good INTEGER NOT NULL,
                good INTEGER NOT NULL, answered INTEGER NOT NULL, bad_since_ms INTEGER, answered_since_ms INTEGER,
                incident_started_at_ms INTEGER, last_counted_at_ms INTEGER, unprobeable INTEGER NOT NULL
            );
            """)
    try createFirstViews(db)
}

/// Named in the documents and pinned: other programs read these, whatever the tables behind them become.
private func createFirstViews(_ db: Database) throws {
    try db.execute(
        sql: """
            CREATE VIEW probe_history AS
            SELECT r.id AS result_id, t.target_id, t.client_id, t.name AS target, t.region, v.name AS vantage, r.started_at_ms,
                CASE r.void WHEN 0 THEN r.reason IS NULL END AS success, r.void <> 0 AS void, s.name AS status,
                b.name AS reason, c.name AS cause, r.http_status,
                CASE typeof(r.address) WHEN 'text' THEN r.address ELSE a.text END AS address,
                r.duration_us, r.dns_us, r.connect_us, r.tls_us, r.processing_us, r.transfer_us, r.lateness_us
            FROM result r
            LEFT JOIN target t ON t.id = r.target LEFT JOIN vantage v ON v.id = r.vantage
            LEFT JOIN status s ON s.id = r.status LEFT JOIN reason b ON b.id = r.reason
            LEFT JOIN cause c ON c.id = r.cause LEFT JOIN address a ON a.id = r.address;

            CREATE VIEW incident_history AS
            SELECT i.id AS incident_id, t.target_id, t.client_id, t.name AS target, t.region, v.name AS vantage, i.started_at_ms,
                i.confirmed_at_ms, i.ended_at_ms, b.name AS reason, i.http_status, i.failed_probes, i.closed_as
            FROM incident i
            LEFT JOIN target t ON t.id = i.target LEFT JOIN vantage v ON v.id = i.vantage
            LEFT JOIN reason b ON b.id = i.reason;
            """)
}
