import FoundationEssentials
import DatabaseFiles
import GRDB
import Health
import TestSupport
import Testing

@testable import History

@Suite struct HistoryCheckTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func aHistoryThatIsWellHasNoProblems() async throws {
        let history = try folder.open()
        await Sample.outage(in: history)
        let check = try HistoryReader.open(path: folder.database).check()
        #expect(check == HistoryCheck(problems: [], results: 400, incidents: 1, isDamaged: false))
        await history.close()
    }

    @Test(arguments: [
        "UPDATE hour SET failures = failures + 1", "UPDATE settled SET kind = 999 WHERE id = (SELECT min(id) FROM settled)",
        "UPDATE incident SET ended_at_ms = 5", "DELETE FROM chunk WHERE id = (SELECT max(id) FROM chunk)",
        "UPDATE chunk SET moved = 0 WHERE id = 3", "DELETE FROM hour WHERE id = (SELECT max(id) FROM hour)",
        "UPDATE hour SET voids = voids + 1 WHERE id = (SELECT max(id) FROM hour)",
        "UPDATE standing SET up_ms = 5, hour = hour - 2",
    ])
    func whatDoesNotAgreeIsFound(_ damage: String) async throws {
        let history = try folder.open()
        await Sample.outage(in: history)
        history.append(Sample.record(after: .seconds(20_000)))
        await history.flush()
        while await history.compact() {}
        await history.close()
        try folder.stranger().inDatabase { try $0.execute(sql: damage) }
        let check = try HistoryReader.open(path: folder.database).check()
        #expect(!check.problems.isEmpty && !check.isDamaged)
    }

    @Test func aBackupIsOneFileWithAllOfIt() async throws {
        let history = try folder.open()
        await Sample.outage(in: history)
        history.append(Sample.record(after: .seconds(20_000)))
        await history.flush()
        let copy = folder.file("copy.db")
        try HistoryReader.open(path: folder.database).backUp(to: copy)
        // What comes after it isn't in it.
        history.append(Sample.record(after: .seconds(20_030)))
        await history.close()
        #expect(folder.names.filter { $0.hasPrefix("copy") } == ["copy.db"])
        #expect(try HistoryReader.open(path: copy).check().results == 401)
        #expect(try folder.integer("SELECT count(*) FROM probe_history") == 402)
        #expect(code { try HistoryReader.open(path: folder.database).backUp(to: copy) } == .exists)
        #expect(
            code { try HistoryReader.open(path: folder.database).backUp(to: folder.path + "/no/such.db") }
                == .database(.cannotOpen))
        #expect(folder.names.filter { $0.hasPrefix("copy") } == ["copy.db"])
    }
}

extension Sample {
    fileprivate static func result(after time: Duration, _ outcome: Outcome) -> ProbeResult {
        result("tgt_1", after: time, outcome)
    }
}
