import DatabaseFiles
import GRDB
import Health
import TestSupport
import Testing

@testable import History

@Suite struct MigrationTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A database as the first version left it: results of three targets, some with an address in the row itself.
    private func firstVersion(results: Int) throws {
        try folder.stranger().inDatabase { db in
            try db.execute(sql: "PRAGMA application_id = \(HistoryFile.applicationID); PRAGMA user_version = 1")
            try createFirstTables(db)
            try db.execute(
                sql: """
                    INSERT INTO vantage VALUES (1, 'here');
                    INSERT INTO reason VALUES (1, 'timeout'), (2, 'dns_failed');
                    INSERT INTO cause VALUES (1, 'slow');
                    INSERT INTO address VALUES (1, '192.0.2.1'), (2, '2001:db8::1');
                    INSERT INTO target (id, client_id, target_id, name, region)
                        VALUES (1, 'c', 'a', 'A', 'x'), (2, 'c', 'b', 'B', 'x'), (7, 'c', 'z', 'Z', 'y');
                    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(results))
                    INSERT INTO result
                    SELECT i, CASE i % 3 WHEN 0 THEN 7 ELSE i % 3 END, 1, 1700000000000 + i * 100, i % 50 = 0, 1 + i % 3,
                        CASE WHEN i % 7 = 0 THEN 1 + i % 2 END, CASE WHEN i % 7 = 1 THEN 1 END, CASE i % 7 WHEN 0 THEN 503 ELSE 200 END,
                        CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN '198.51.100.9' ELSE 1 + i % 2 END, 5000 + i, 10, 20, NULL, 3000, 40, i % 9
                    FROM n;
                    """)
        }
    }

    private static let view = """
        SELECT target_id, client_id, target, region, vantage, started_at_ms, success, void, status, reason, cause, http_status,
            address, duration_us, dns_us, connect_us, tls_us, processing_us, transfer_us, lateness_us
        FROM probe_history ORDER BY started_at_ms
        """

    private func all() throws -> [String] {
        try folder.rows(Self.view).map { row in row.map { "\($0.0)=\($0.1)" }.joined(separator: " ") }
    }

    @Test func theResultsOfTheFirstVersionAreAllThere() async throws {
        try firstVersion(results: 3500)
        let before = try all()
        #expect(before.count == 3500)
        let history = try folder.open()
        #expect(try all() == before)
        #expect(try folder.integer("SELECT count(DISTINCT result_id) FROM probe_history") == 3500)
        history.append(Sample.record(after: .seconds(3600)))
        await history.flush()
        while await history.compact() {}
        #expect(try folder.integer("SELECT count(*) FROM settled") == 3500)
        #expect(try all().dropLast() == before[...])
        #expect(try folder.integer("SELECT sum(probes + voids) FROM hour") == 3500)
        await history.close()
        #expect(try folder.texts("PRAGMA integrity_check") == ["ok"])
    }

    /// The second version counted an hour as it went, and added each to its day.
    @Test func hoursThatTheSecondVersionCountedAreNotCountedAgain() async throws {
        try firstVersion(results: 1)
        let day: Int64 = 19_675
        let counts = { (probes: Int) in
            "1, \(probes), 0, 0, NULL, 60000, 0, 0, 0, \(probes * 5000), 5000, 5000, 5000, 5000, 5000, NULL"
        }
        try folder.stranger().inDatabase { db in
            try createThreeAges(db)
            try db.execute(
                sql: """
                    PRAGMA user_version = 2;
                    UPDATE chunk SET moved = 4194303, min_ms = \(day * 86_400_000 + 17 * 3_600_000), max_ms = min_ms;
                    INSERT INTO minute VALUES ((1 << 32) | (1 << 10), 0, 3, 0, 0, NULL, 15000, 5000, 5000, NULL, NULL);
                    INSERT INTO hour VALUES (\((day * 24 + 16) << 22 | 1), \(counts(120))), (\((day * 24 + 17) << 22 | 1), \(counts(3)));
                    INSERT INTO day VALUES (\((day - 1) << 22 | 1), \(counts(7))), (\(day << 22 | 1), \(counts(120)));
                    UPDATE progress SET value = \((day * 24 + 16) << 22 | 1);
                    """)
        }
        let history = try folder.open()
        for hours in [24, 60] {
            var record = Sample.record("a")
            record.result.startedAt = Timestamp(milliseconds: (day * 24 + 17 + Int64(hours)) * 3_600_000)
            record.result.target = Sample.identity("a", client: "c")
            history.append(record)
            await history.flush()
        }
        while await history.compact() {}
        #expect(try folder.integer("SELECT sum(probes) FROM hour WHERE id >> 22 <= \(day * 24 + 17)") == 123)
        #expect(try folder.integer("SELECT probes FROM day WHERE id = \(day << 22 | 1)") == 123)
        #expect(try folder.integer("SELECT probes FROM day WHERE id = \((day - 1) << 22 | 1)") == 7)
        #expect(try folder.integer("SELECT probes FROM day WHERE id = \((day + 1) << 22 | 1)") == 1)
        await history.close()
    }

    @Test func anEmptyFirstVersionIsBroughtUpToDate() async throws {
        try firstVersion(results: 1)
        let history = try folder.open()
        history.append(Sample.record())
        #expect(await history.close())
        #expect(try folder.integer("SELECT count(*) FROM probe_history") == 2)
    }

    private static let released: [@Sendable (Database) throws -> Void] = [
        createFirstTables, createThreeAges, addFinishedHours, createAlerting,
    ]

    private static let schema = "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY type, name"

    /// A database at each number that a version before GRDB's migrator has left, with one result in it.
    @Test(arguments: 1...4)
    func aDatabaseThatHasOnlyANumberIsTakenOver(_ version: Int) async throws {
        try firstVersion(results: 1)
        try folder.stranger().inDatabase { db in
            for migrate in Self.released[1..<version] { try migrate(db) }
            try db.execute(sql: "PRAGMA user_version = \(version)")
        }
        let history = try folder.open()
        history.append(Sample.record())
        #expect(await history.close())
        #expect(try folder.integer("PRAGMA user_version") == 6)
        #expect(
            try folder.texts("SELECT identifier FROM grdb_migrations ORDER BY rowid")
                == ["first_tables", "three_ages", "finished_hours", "alerting", "evidence", "own_settings"])
        #expect(try folder.integer("SELECT count(*) FROM probe_history") == 2)
        let fresh = try TemporaryFolder()
        await (try fresh.open()).close()
        #expect(try folder.texts(Self.schema) == fresh.texts(Self.schema))
    }

    @Test func aMigrationThatFailsHalfWayLeavesTheFirstVersionAsItWas() throws {
        try firstVersion(results: 3)
        let before = try all()
        // `settled` is created after other tables of the second migration.
        try folder.stranger().inDatabase { try $0.execute(sql: "CREATE TABLE settled (a INTEGER)") }
        #expect(code { _ = try folder.open() } == .database(.other))
        #expect(try folder.integer("PRAGMA user_version") == 1)
        #expect(try folder.integer("SELECT count(*) FROM sqlite_schema WHERE name IN ('kind', 'chunk', 'recent')") == 0)
        #expect(try all() == before)
        try folder.stranger().inDatabase { try $0.execute(sql: "DROP TABLE settled") }
        _ = try folder.open()
        #expect(try all() == before)
    }

    @Test func aDatabaseWithAMigrationOfANewerVersionIsRefusedAndLeftAsItIs() async throws {
        await (try folder.open()).close()
        try folder.stranger().inDatabase { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('unheard')") }
        let before = try folder.bytes(of: "history.db")
        #expect(code { _ = try folder.open() } == .newerSchema)
        #expect(code { _ = try HistoryReader.open(path: folder.database) } == .newerSchema)
        #expect(try folder.bytes(of: "history.db") == before)
    }

    /// Those of before have a name in the feed, each its own, and take evidence from now on.
    @Test func incidentsOfTheVersionBeforeAreNamed() async throws {
        try firstVersion(results: 10)
        try folder.stranger().inDatabase { db in
            try db.execute(
                sql: """
                    INSERT INTO incident (target, vantage, started_at_ms, confirmed_at_ms, ended_at_ms, reason, failed_probes, closed_as)
                    VALUES (1, 1, 1000, 2000, 3000, 1, 3, 'recovered'), (2, 1, 1000, 2500, NULL, 1, 3, NULL);
                    """)
        }
        let history = try folder.open()
        await history.close()
        let uuids = try folder.texts("SELECT uuid FROM incident ORDER BY id")
        #expect(Set(uuids).count == 2)
        #expect(
            uuids.allSatisfy { $0.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil })
        #expect(try folder.rows("SELECT changed_at_ms FROM incident ORDER BY id").map { $0[0] as Int64 } == [3000, 2500])
        #expect(try HistoryReader.open(path: folder.database).openIncidents() == 1)
    }
}
