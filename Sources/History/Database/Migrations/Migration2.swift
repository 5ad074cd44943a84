import GRDB

/// The three ages: results as they come, the same results in runs by target, and their counts by minute, hour and day.
///
/// - `recent`: results in the order of their commits, by target inside one. Id: commit, target, place (see ``ResultID``).
/// - `chunk`: a run of commits, some minutes long. All results of a chunk are moved together, target after target. `moved` is the last
///   target that has been moved. So a result is read from `settled` up to this target and from `recent` after it, whenever the move stops.
/// - `settled`, `minute`: ids begin with the chunk. `hour`, `day`: with the time. So tables grow at their ends, and nothing is ever split.
/// - Values that repeat are written once: `kind` is everything in a result except its measured numbers, `target_address` has the addresses
///   of a target. SQLite stores 0 and 1 in no byte, so both count from 0.
@Sendable func createThreeAges(_ db: Database) throws {
    let result = """
        id INTEGER PRIMARY KEY, offset_ms INTEGER NOT NULL, kind INTEGER NOT NULL, address, rest_us INTEGER NOT NULL,
        dns_us INTEGER, connect_us INTEGER, tls_us INTEGER, processing_us INTEGER, transfer_us INTEGER, lateness_us INTEGER NOT NULL
        """
    let period = """
        id INTEGER PRIMARY KEY, vantage INTEGER NOT NULL, probes INTEGER NOT NULL, failures INTEGER NOT NULL, voids INTEGER NOT NULL,
        reasons TEXT, up_ms INTEGER NOT NULL, degraded_ms INTEGER NOT NULL, down_ms INTEGER NOT NULL,
        maintenance_ms INTEGER NOT NULL, sum_us INTEGER, min_us INTEGER, max_us INTEGER, p50_us INTEGER, p95_us INTEGER,
        p99_us INTEGER, latency BLOB
        """
    try db.execute(
        sql: """
            -- void: 0 it counts, 1 tainted, 2 cancelled, 3 prober_fault.
            CREATE TABLE kind (
                id INTEGER PRIMARY KEY, vantage INTEGER NOT NULL REFERENCES vantage, void INTEGER NOT NULL,
                status INTEGER NOT NULL REFERENCES status, reason INTEGER REFERENCES reason, cause INTEGER REFERENCES cause,
                http_status INTEGER, interval_ms INTEGER NOT NULL
            );
            CREATE TABLE target_address (
                target INTEGER NOT NULL REFERENCES target, place INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (target, place)
            ) WITHOUT ROWID;
            -- offset_ms in its results counts from base_ms. min_ms and max_ms: of its moved results.
            CREATE TABLE chunk (
                id INTEGER PRIMARY KEY, base_ms INTEGER NOT NULL, first_commit INTEGER NOT NULL, end_commit INTEGER,
                moved INTEGER NOT NULL DEFAULT 0, min_ms INTEGER, max_ms INTEGER, has_results INTEGER NOT NULL DEFAULT 1
            );
            CREATE INDEX chunk_to_move ON chunk (id) WHERE moved < 4194303;
            -- rest_us: what of the duration is in no phase. address: a place in target_address, or the text itself.
            CREATE TABLE recent (\(result));
            CREATE TABLE settled (\(result));
            -- The last result of each target in `settled`, and the last that counted.
            CREATE TABLE standing (
                target INTEGER PRIMARY KEY REFERENCES target, last_ms INTEGER, last_kind INTEGER, last_us INTEGER,
                counted_ms INTEGER, counted_kind INTEGER
            );
            CREATE TABLE minute (
                id INTEGER PRIMARY KEY, minute INTEGER NOT NULL, probes INTEGER NOT NULL, failures INTEGER NOT NULL,
                voids INTEGER NOT NULL, reasons TEXT, sum_us INTEGER, min_us INTEGER, max_us INTEGER, latency BLOB, phases BLOB
            );
            -- How the parts of the latency were spread stands apart: a page of thousands of targets doesn't read it.
            CREATE TABLE hour (\(period));
            CREATE TABLE hour_phases (id INTEGER PRIMARY KEY, phases BLOB NOT NULL);
            CREATE TABLE day (\(period));
            CREATE TABLE day_phases (id INTEGER PRIMARY KEY, phases BLOB NOT NULL);
            -- hour_in_day: up to which id the hours are in their days.
            CREATE TABLE progress (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
            INSERT INTO progress VALUES ('hour_in_day', 0);
            """)
    try moveFirstResults(db)
    try createSecondViews(db)
}

/// A thousand rows of the first table become a chunk of one commit: a chunk has ordinals for so many rows of one target.
private func moveFirstResults(_ db: Database) throws {
    let text = "CASE typeof(r.address) WHEN 'text' THEN r.address ELSE a.text END"
    try db.execute(
        sql: """
            DROP VIEW probe_history;
            INSERT INTO target_address
            SELECT target, row_number() OVER (PARTITION BY target ORDER BY text) - 1, text
            FROM (SELECT DISTINCT r.target, \(text) AS text FROM result r LEFT JOIN address a ON a.id = r.address)
            WHERE text IS NOT NULL;
            INSERT INTO kind
            SELECT row_number() OVER () - 1, vantage, void, status, reason, cause, http_status, 30000
            FROM (SELECT DISTINCT vantage, void, status, reason, cause, http_status FROM result);
            INSERT INTO chunk (id, base_ms, first_commit, end_commit)
            SELECT 1 + id / 1000, min(started_at_ms), 1 + id / 1000, 2 + id / 1000 FROM result GROUP BY id / 1000;
            INSERT INTO recent
            SELECT ((1 + r.id / 1000) << 32) | (r.target << 10)
                    | (row_number() OVER (PARTITION BY r.id / 1000, r.target ORDER BY r.id) - 1),
                r.started_at_ms - c.base_ms, k.id, ta.place,
                r.duration_us - coalesce(r.dns_us, 0) - coalesce(r.connect_us, 0) - coalesce(r.tls_us, 0)
                    - coalesce(r.processing_us, 0) - coalesce(r.transfer_us, 0),
                r.dns_us, r.connect_us, r.tls_us, r.processing_us, r.transfer_us, r.lateness_us
            FROM result r JOIN chunk c ON c.id = 1 + r.id / 1000
            JOIN kind k ON k.vantage = r.vantage AND k.void = r.void AND k.status = r.status AND k.reason IS r.reason
                AND k.cause IS r.cause AND k.http_status IS r.http_status
            LEFT JOIN address a ON a.id = r.address
            LEFT JOIN target_address ta ON ta.target = r.target AND ta.text = \(text)
            ORDER BY 1;
            DROP TABLE result;
            DROP TABLE address;
            """)
}

private func createSecondViews(_ db: Database) throws {
    // CROSS JOIN fixes the order: chunk, then target, then one range of ids. So a target's rows are found by searches and not by a scan.
    try db.execute(
        sql: """
            CREATE VIEW probe_history AS
            SELECT \(ViewSQL.resultColumns("s0.id", "s0"))
            FROM chunk c CROSS JOIN target t CROSS JOIN settled s0
                ON s0.id BETWEEN (c.id << 32) | (t.id << 10) AND (c.id << 32) | (t.id << 10) | 1023
            \(ViewSQL.resultWords("s0"))
            WHERE c.has_results = 1
            UNION ALL
            SELECT \(ViewSQL.resultColumns("(c.id << 32) | (r.id & 4294967295)", "r"))
            FROM chunk c CROSS JOIN recent r
                ON r.id >= c.first_commit << 32 AND r.id < coalesce(c.end_commit << 32, 9223372036854775807)
                AND (r.id >> 10 & 4194303) > c.moved
            LEFT JOIN target t ON t.id = (r.id >> 10 & 4194303)
            \(ViewSQL.resultWords("r"))
            WHERE c.moved < 4194303;

            CREATE VIEW availability_history AS SELECT
                t.target_id, t.client_id, t.name AS target, t.region, v.name AS vantage, (h.id >> 22) * 3600000 AS start_ms,
                    max(0, min(3600, (n.until_ms - (h.id >> 22) * 3600000) / 1000)) AS seconds, h.probes, h.failures, h.voids,
                    h.up_ms, h.degraded_ms, h.down_ms,
                    max(0, min(3600000, n.until_ms - (h.id >> 22) * 3600000) - h.up_ms - h.degraded_ms - h.down_ms
                        - h.maintenance_ms) AS unknown_ms,
                    h.maintenance_ms, h.p50_us, h.p95_us, h.p99_us
            FROM
                (SELECT coalesce((SELECT max_ms FROM chunk WHERE moved > 0 AND max_ms NOT NULL ORDER BY id DESC LIMIT 1), 0) AS until_ms) n
                    CROSS JOIN hour h
                    LEFT JOIN target t ON t.id = (h.id & 4194303) LEFT JOIN vantage v ON v.id = h.vantage
            ;
            """)
}
