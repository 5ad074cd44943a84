import GRDB

/// What a failing target said, beside its incident. And of each incident: the name that it has in the feed, how often the target was probed and
/// how long its detection could take, when the first alert of it was sent, and when something of it last changed.
@Sendable func createEvidence(_ db: Database) throws {
    try db.execute(
        sql: """
            ALTER TABLE incident ADD COLUMN uuid TEXT;
            ALTER TABLE incident ADD COLUMN interval_ms INTEGER;
            ALTER TABLE incident ADD COLUMN bound_ms INTEGER;
            ALTER TABLE incident ADD COLUMN alerted_at_ms INTEGER;
            ALTER TABLE incident ADD COLUMN changed_at_ms INTEGER;
            -- Version 4, variant 1 of RFC 9562.
            UPDATE incident SET changed_at_ms = coalesce(ended_at_ms, confirmed_at_ms), uuid = (
                SELECT substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-4' || substr(h, 14, 3) || '-'
                    || substr('89ab', 1 + (unicode(substr(h, 17, 1)) & 3), 1) || substr(h, 18, 3) || '-' || substr(h, 21, 12)
                FROM (SELECT lower(hex(randomblob(16 + 0 * incident.id))) AS h));
            CREATE INDEX incident_by_time ON incident (started_at_ms);
            CREATE INDEX incident_open ON incident (id) WHERE ended_at_ms IS NULL;
            -- addresses and certificates are JSON. The phases have the columns of a result.
            CREATE TABLE evidence (
                incident INTEGER NOT NULL, kind TEXT NOT NULL, at_ms INTEGER NOT NULL, http_status INTEGER, headers TEXT, body BLOB,
                body_bytes INTEGER, address TEXT, addresses TEXT NOT NULL, certificates TEXT NOT NULL, dns_us INTEGER,
                connect_us INTEGER, tls_us INTEGER, processing_us INTEGER, transfer_us INTEGER, PRIMARY KEY (incident, kind)
            ) WITHOUT ROWID;
            CREATE TABLE note (
                id INTEGER PRIMARY KEY, incident INTEGER NOT NULL, at_ms INTEGER NOT NULL, text TEXT NOT NULL, public INTEGER NOT NULL
            );
            CREATE INDEX note_by_incident ON note (incident);
            CREATE VIEW incident_evidence AS
            SELECT incident AS incident_id, kind, at_ms, http_status, headers, body, body_bytes, address, addresses, certificates
            FROM evidence;
            """)
}
