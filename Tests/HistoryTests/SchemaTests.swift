import DatabaseFiles
import GRDB
import Health
import TestSupport
import Testing

@testable import History

@Suite struct SchemaTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func viewsHaveExactlyThePinnedColumns() async throws {
        await (try folder.open()).close()
        let columns = { (view: String) in
            try folder.texts("SELECT name FROM pragma_table_info('\(view)')").joined(separator: ", ")
        }
        #expect(
            try columns("probe_history") == """
                result_id, target_id, client_id, target, region, vantage, started_at_ms, success, void, status, reason, cause, \
                http_status, address, duration_us, dns_us, connect_us, tls_us, processing_us, transfer_us, lateness_us
                """)
        #expect(
            try columns("incident_history") == """
                incident_id, target_id, client_id, target, region, vantage, started_at_ms, confirmed_at_ms, ended_at_ms, reason, \
                http_status, failed_probes, closed_as
                """)
    }

    @Test func aNewDatabaseIsSetUpForDurabilityAndForGivingSpaceBack() async throws {
        let history = try folder.open()
        let pragma = { (name: String) in try history.queue.read { try String.fetchOne($0, sql: "PRAGMA \(name)") } }
        #expect(try pragma("journal_mode") == "wal")
        #expect(try pragma("synchronous") == "2")
        #expect(try pragma("auto_vacuum") == "2")
        await history.close()
    }

    @Test func aDatabaseIsKnownAsOursBeforeItsFirstCheckpoint() async throws {
        let history = try folder.open()
        #expect(try HistoryFile.examine(folder.database) == .ours)
        await history.close()
    }

    @Test func opensAgainWithoutMigratingTwice() async throws {
        await (try folder.open()).close()
        let history = try folder.open()
        history.append(Sample.record())
        #expect(await history.close())
        #expect(try folder.integer("PRAGMA user_version") == Schema.migrator.version)
        #expect(try folder.integer("SELECT count(*) FROM vantage") == 1)
        #expect(try folder.integer("SELECT count(*) FROM probe_history") == 1)
    }

    @Test func refusesASchemaOfANewerVersion() async throws {
        await (try folder.open()).close()
        try folder.stranger().inDatabase { try $0.execute(sql: "PRAGMA user_version = 999") }
        #expect(code { _ = try folder.open() } == .newerSchema)
        #expect(code { _ = try HistoryReader.open(path: folder.database) } == .newerSchema)
    }

    @Test(arguments: [1, 99, 100, 8192])
    func leavesAForeignFileOfAnyLengthAsItIs(_ length: Int) throws {
        let bytes = [UInt8](repeating: 7, count: length)
        try folder.write(bytes, to: "history.db")
        #expect(code { _ = try folder.open() } == .notOurs)
        #expect(try folder.bytes(of: "history.db") == bytes)
        #expect(folder.names == ["history.db"])
    }

    @Test func leavesAnotherProgramsDatabaseAsItIs() throws {
        let stranger = try folder.stranger()
        try stranger.inDatabase { try $0.execute(sql: "PRAGMA journal_mode = WAL; CREATE TABLE photo (id INTEGER PRIMARY KEY)") }
        try stranger.close()
        let before = try folder.bytes(of: "history.db")
        #expect(code { _ = try folder.open() } == .notOurs)
        #expect(code { _ = try HistoryReader.open(path: folder.database) } == .notOurs)
        #expect(try folder.bytes(of: "history.db") == before)
        #expect(folder.names == ["history.db"])
    }

    @Test func saysThatTheFolderIsMissing() throws {
        let options = HistoryOptions(vantage: "here", now: { Sample.start })
        #expect(
            code { _ = try History.open(path: folder.path + "/no/such/history.db", options: options) } == .database(.cannotOpen))
    }

    @Test func anErrorThatHasNoCodeOfItsOwnKeepsItsCause() {
        let error = HistoryError(CancellationError(), path: "/h.db")
        #expect(error.code == .other)
        #expect(error.cause is CancellationError)
        #expect(error.description == "history database /h.db can't be used (CancellationError)")
    }

    @Test func anErrorOfSQLiteKeepsItsCause() {
        let error = HistoryError(DatabaseError(resultCode: .SQLITE_FULL, message: "full"), path: "/h.db")
        #expect(error.code == .database(.diskFull))
        #expect((error.cause as? DatabaseError)?.resultCode == .SQLITE_FULL)
        #expect(error.description == "history database /h.db: the disk is full (full)")
    }

    @Test func anErrorShowsAHostilePathEscaped() {
        let error = HistoryError(.missing, path: "/tmp/\u{1b}[31m\u{202e}")
        #expect(error.description == #"history database /tmp/\u{1b}[31m\u{202e} does not exist: has the daemon run yet?"#)
    }
}

/// The code of the history's error that `body` throws; nil when it throws none.
func code(_ body: () throws -> Void) -> HistoryError.Code? {
    do { try body() } catch { return (error as? HistoryError)?.code }
    return nil
}
