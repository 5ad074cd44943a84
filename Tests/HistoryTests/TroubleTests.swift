import DatabaseFiles
import GRDB
import Glibc
import Health
import TestSupport
import Testing

@testable import History

@Suite struct TroubleTests {
    let folder: TemporaryFolder
    let events = EventLog()

    init() throws { folder = try TemporaryFolder() }

    @Test func aDeletedDatabaseIsTroubleAndNotSilence() async throws {
        let history = try folder.open()
        history.append(Sample.record())
        #expect(await history.flush())
        let away = folder.path + "/away.db"
        #expect(rename(folder.database, away) == 0)
        history.append(Sample.record())
        #expect(await !history.flush())
        #expect(history.statistics.trouble?.code == .gone)
        #expect(rename(away, folder.database) == 0)
        #expect(await history.flush())
        #expect(history.statistics.samples == 2)
        await history.close()
    }

    /// What was committed is saved from a file that has no name any more, and what waits is written to the next.
    @Test(arguments: [["-wal"], ["-shm"], ["-wal", "-shm"]])
    func aRemovedWALIsTroubleThatCostsNothing(_ suffixes: [String]) async throws {
        let history = try open()
        for index in 0..<500 { history.append(Sample.record("tgt_\(index)")) }
        #expect(await history.flush())
        for suffix in suffixes { #expect(unlink(folder.database + suffix) == 0) }
        history.append(Sample.record(after: .seconds(5)))
        #expect(await !history.flush())
        #expect(history.statistics.trouble?.code == .walGone)
        let image = try folder.crashImage()
        #expect(try image.integer("SELECT count(*) FROM probe_history") == 500)
        #expect(await history.flush())
        #expect(history.statistics.trouble == nil)
        #expect(events.words == ["committed 500", "failed walGone", "reopened", "recovered 1", "committed 1"])
        await history.close()
        #expect(folder.names == ["history.db"])
        #expect(try folder.integer("SELECT count(*) FROM probe_history") == 501)
        #expect(try HistoryReader.open(path: folder.database).check().problems == [])
    }

    @Test func aRemovedWALIsNoticedWhenNothingWaits() async throws {
        let history = try open()
        history.append(Sample.record())
        #expect(await history.flush())
        #expect(unlink(folder.database + "-wal") == 0)
        #expect(await !history.flush())
        #expect(await history.flush())
        #expect(events.words == ["committed 1", "failed walGone", "reopened", "recovered 0", "committed 0"])
        await history.close()
        #expect(try folder.integer("SELECT count(*) FROM probe_history") == 1)
    }

    @Test func aWALThatIsRemovedBeforeTheEndCostsNothing() async throws {
        let history = try open()
        history.append(Sample.record())
        #expect(await history.flush())
        #expect(unlink(folder.database + "-wal") == 0)
        history.append(Sample.record(after: .seconds(5)))
        #expect(await history.close())
        #expect(try folder.integer("SELECT count(*) FROM probe_history") == 2)
    }

    /// As damage: what is left is set aside, and what waits is written to a new one.
    @Test(arguments: [(false, "", 0), (true, "", 0), (true, "", 8192), (false, "-wal", 0), (false, "-wal", 20_000)])
    func aDatabaseThatIsCutShortIsSetAside(_ isFoldedIn: Bool, _ suffix: String, _ bytes: Int) async throws {
        let history = try open()
        for index in 0..<500 { history.append(Sample.record("tgt_\(index)")) }
        #expect(await history.flush())
        if isFoldedIn {
            try await history.queue.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
            #expect(await history.flush())
        }
        #expect(truncate(folder.database + suffix, bytes) == 0)
        history.append(Sample.record(after: .seconds(5)))
        #expect(await !history.flush())
        #expect(history.statistics.trouble?.detail == "it or its WAL was cut short while it was open")
        #expect(await history.flush())
        #expect(events.words == ["committed 500", "failed damaged", "set aside", "recovered 1", "committed 1"])
        await history.close()
        #expect(try folder.integer("SELECT count(*) FROM probe_history") == 1)
        #expect(folder.names.contains("history.db.damaged-2023-11-14T22-13-20Z"))
    }

    @Test func aReaderThatKeepsTheWALAtTheEndIsSaid() async throws {
        let history = try open()
        history.append(Sample.record())
        await history.flush()
        let reader = try ChildProcess("/usr/bin/stdbuf", ["-oL", "sqlite3", folder.database])
        reader.send(Array("BEGIN; SELECT 'in ' || count(*) FROM probe_history;\n".utf8))
        var said = ""
        while !said.contains("in "), let more = reader.readOutput() { said += String(decoding: more, as: UTF8.self) }
        history.append(Sample.record(after: .seconds(5)))
        #expect(await history.close())
        #expect(events.words.last == "not closed locked")
        reader.endInput()
        _ = reader.waitForEnd()
        #expect(try folder.integer("SELECT count(*) FROM probe_history") == 2)
    }

    private func open(queueLimit: Int = 200_000) throws -> History {
        try folder.open {
            $0.queueLimit = queueLimit
            $0.onEvent = events.note
        }
    }

    @Test func everyCommittedRowSurvivesACrash() async throws {
        let history = try open()
        history.persist(list: [Sample.target()], client: "client")
        for index in 0..<500 { history.append(Sample.record(after: .seconds(index))) }
        await history.flush()
        history.append(Sample.record(after: .seconds(500)))
        let image = try folder.crashImage()
        await history.close()

        let restarted = try image.open()
        #expect(try restarted.persistedLists() == ["client": [Sample.target()]])
        #expect(try restarted.judges().count == 1)
        restarted.append(Sample.record(after: .seconds(501)))
        await restarted.close()
        #expect(try image.integer("SELECT count(*) FROM probe_history") == 501)
        #expect(try image.texts("PRAGMA integrity_check") == ["ok"])
    }

    @Test func atTheBoundTheOldestAreDroppedCountedAndSaidOnce() async throws {
        let history = try open(queueLimit: 10)
        for index in 0..<25 { history.append(Sample.record(after: .seconds(index))) }
        #expect(history.statistics.queued == 10)
        await history.flush()
        #expect(history.statistics.dropped == 15)
        #expect(history.statistics.samples == 10)
        #expect(events.words == ["dropping", "committed 10"])
        await history.close()
        #expect(
            try folder.integer("SELECT min(started_at_ms) FROM probe_history").map(Int64.init)
                == (Sample.start + .seconds(15)).milliseconds)
    }

    @Test func aDroppedRowDoesNotCostTheJudgesState() async throws {
        let history = try open(queueLimit: 1)
        var judge = Judge()
        for record in Sample.run(Array(repeating: .bad(.timeout), count: 3), by: &judge) { history.append(record) }
        for index in 0..<5 { history.append(Sample.record("tgt_2", after: .seconds(index))) }
        await history.flush()
        #expect(try history.judges()[Sample.identity()] == judge)
        await history.close()
    }

    @Test func rowsWaitWhileAnotherProgramHoldsTheLock() async throws {
        let history = try open()
        let lock = try sqliteLock(folder.database)
        history.append(Sample.record())
        #expect(await !history.flush())
        #expect(await !history.flush())
        #expect(!history.statistics.isWritable)
        #expect(history.statistics.trouble?.code == .database(.locked))
        #expect(history.statistics.queued == 1)

        try lock.release()
        history.append(Sample.record())
        #expect(await history.flush())
        #expect(history.statistics.isWritable)
        #expect(history.statistics.trouble == nil)
        #expect(history.statistics.queued == 0)
        #expect(events.words == ["failed locked", "recovered 2", "committed 2"])
        await history.close()
        #expect(try folder.integer("SELECT count(*) FROM probe_history") == 2)
    }

    @Test func aFullDiskIsSaidOnceAndWritingResumesByItself() async throws {
        let history = try open(queueLimit: 5000)
        let pages = try await history.queue.write { try Int.fetchOne($0, sql: "PRAGMA page_count") } ?? 0
        _ = try await history.queue.write { try Int.fetchOne($0, sql: "PRAGMA max_page_count = \(pages + 2)") }
        for index in 0..<4000 { history.append(Sample.record("tgt_\(index)", after: .seconds(index))) }
        #expect(await !history.flush())
        #expect(history.statistics.trouble?.code == .database(.diskFull))
        for index in 4000..<8000 { history.append(Sample.record("tgt_\(index)", after: .seconds(index))) }
        #expect(await !history.flush())
        #expect(try folder.integer("SELECT count(*) FROM probe_history") == 0)

        _ = try await history.queue.write { try Int.fetchOne($0, sql: "PRAGMA max_page_count = 1000000") }
        #expect(await history.flush())
        #expect(events.words == ["failed diskFull", "dropping", "recovered 5000", "committed 5000"])
        await history.close()
        #expect(try folder.integer("SELECT count(DISTINCT target_id) FROM probe_history") == 5000)
    }

    @Test func damageThatIsMetWhileItRunsSetsTheDatabaseAside() async throws {
        let history = try open()
        history.persist(list: [Sample.target()], client: "client")
        for index in 0..<500 { history.append(Sample.record("tgt_\(index)", after: .seconds(index))) }
        await history.flush()
        // All but the first page, of what nobody holds in memory.
        try await history.queue.writeWithoutTransaction {
            try $0.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA shrink_memory")
        }
        let size = try folder.bytes(of: "history.db").count
        let file = try #require(fopen(folder.database, "r+"))
        fseek(file, 4096, SEEK_SET)
        let rubbish = [UInt8](repeating: 0xa5, count: size - 4096)
        #expect(fwrite(rubbish, 1, rubbish.count, file) == rubbish.count)
        fclose(file)

        history.append(Sample.record("tgt_7", after: .seconds(500)))
        #expect(await !history.flush())
        #expect(await history.flush())
        #expect(events.words == ["committed 500", "failed damaged", "set aside", "recovered 1", "committed 1"])
        history.persist(list: [Sample.target()], client: "client")
        await history.close()
        #expect(try HistoryReader.open(path: folder.database).check() == HistoryCheck(results: 1))
        #expect(try HistoryReader.open(path: folder.database).persistedLists() == ["client": [Sample.target()]])
        let aside = try #require(folder.names.first { $0.hasPrefix("history.db.damaged-") && !$0.contains("-shm") })
        #expect(try folder.bytes(of: aside).count == size)
    }

    @Test func theEndOfTroubleIsSeenEvenWhenNothingWaits() async throws {
        let history = try open()
        let lock = try sqliteLock(folder.database)
        history.append(Sample.record())
        await history.flush()
        try lock.release()
        await history.flush()
        await history.flush()
        #expect(history.statistics.isWritable)
        #expect(events.words == ["failed locked", "recovered 1", "committed 1"])
        await history.close()
    }

    @Test func aReaderThatKeepsTheWALFromBeingFoldedInIsNamedOnce() async throws {
        let history = try folder.open {
            $0.onEvent = events.note
            $0.largeWALBytes = 500_000
        }
        await history.flush()
        let reader = try ChildProcess("/usr/bin/stdbuf", ["-oL", "sqlite3", folder.database])
        reader.send(Array("BEGIN; SELECT 'in ' || count(*) FROM probe_history;\n".utf8))
        var said = ""
        while !said.contains("in "), let more = reader.readOutput() { said += String(decoding: more, as: UTF8.self) }
        for index in 0..<30_000 {
            history.append(Sample.record(after: .milliseconds(10 * index)))
            if index % 1000 == 0 { await history.flush() }
        }
        await history.flush()
        let words = events.words.filter { $0.hasPrefix("wal") }
        #expect(words == ["wal sqlite3 (process \(reader.processID))"])
        reader.endInput()
        _ = reader.waitForEnd()
        await history.close()
    }

    @Test func thatResultsCannotBeMovedIsSaidOnceAndGoesOnByItself() async throws {
        let history = try open()
        for index in 0..<4 {
            history.append(Sample.record(after: .seconds(1000 * index)))
            await history.flush()
        }
        try await history.queue.write { db in
            try db.execute(sql: "CREATE TRIGGER refuse BEFORE INSERT ON settled BEGIN SELECT raise(ABORT, 'no'); END")
        }
        for _ in 0..<3 { #expect(await !history.compact()) }
        #expect(events.words.filter { $0.hasPrefix("compaction failed") }.count == 1)
        try await history.queue.write { try $0.execute(sql: "DROP TRIGGER refuse") }
        while await history.compact() {}
        #expect(try folder.integer("SELECT count(*) FROM settled") == 3)
        await history.close()
    }

    /// Of the header, the first page, of one that is read at the start, and of all that isn't the first.
    @Test(arguments: ["header", "first", "judge", "all"])
    func aDamagedDatabaseIsSetAsideUnderADatedNameAndANewOneIsBegun(_ place: String) async throws {
        let history = try open()
        for index in 0..<2000 { history.append(Sample.record("tgt_\(index)")) }
        await history.close()
        let root = try #require(try folder.integer("SELECT rootpage FROM sqlite_schema WHERE name = 'judge'"))
        var bytes = try folder.bytes(of: "history.db")
        let damaged =
            switch place {
            case "header": 16..<18
            case "first": 100..<4096
            case "judge": (root - 1) * 4096..<root * 4096
            default: 4096..<bytes.count
            }
        for index in damaged { bytes[index] = 0xEE }
        try folder.write(bytes, to: "history.db")
        let check = try? HistoryReader.open(path: folder.database).check()
        #expect(check == nil || check?.problems.isEmpty == false)

        let later = try open()
        later.append(Sample.record())
        #expect(await later.close())
        #expect(events.words.filter { $0 == "set aside" }.count == 1)
        #expect(try folder.integer("SELECT count(*) FROM probe_history") == 1)
        #expect(folder.names == ["history.db", "history.db.damaged-2023-11-14T22-13-20Z"])
        #expect(try folder.bytes(of: "history.db.damaged-2023-11-14T22-13-20Z") == bytes)
    }
}

/// Another program's write lock, held until it is released.
func sqliteLock(_ path: String) throws -> HeldLock {
    var configuration = Configuration()
    configuration.allowsUnsafeTransactions = true
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    try queue.inDatabase { try $0.execute(sql: "BEGIN IMMEDIATE") }
    return HeldLock(queue: queue)
}

struct HeldLock {
    let queue: DatabaseQueue
    func release() throws {
        try queue.inDatabase { try $0.execute(sql: "ROLLBACK") }
        try queue.close()
    }
}
