import GRDB
import Health
import TestSupport
import Testing

@testable import History

@Suite struct RetentionTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// `count` rows and as many transitions, a second apart, the newest at ``Sample/start``.
    private func open(rows count: Int, keeping kept: Duration) async throws -> History {
        let history = try folder.open { $0.keepRaw = kept }
        for index in 0..<count { history.append(Sample.record(after: .seconds(index - count + 1))) }
        await history.flush()
        return history
    }

    @Test func aStepRemovesABoundedNumberOfOldRows() async throws {
        let history = try await open(rows: 12_000, keeping: .seconds(999))
        #expect(await history.removeSomeOfTheOld())
        #expect(try folder.integer("SELECT count(*) FROM result") == 7000)
        while await history.removeSomeOfTheOld() {}
        #expect(try folder.integer("SELECT count(*) FROM result") == 1000)
        #expect(try folder.integer("SELECT count(*) FROM transition") == 1000)
        await history.close()
    }

    @Test func spaceIsGivenBack() async throws {
        let history = try await open(rows: 12_000, keeping: .seconds(10))
        let before = try #require(try folder.integer("PRAGMA page_count"))
        while await history.removeSomeOfTheOld() {}
        let after = try #require(try folder.integer("PRAGMA page_count"))
        #expect(after < before / 4)
        await history.close()
        #expect(try folder.texts("PRAGMA integrity_check") == ["ok"])
    }

    @Test func theNewestRowStaysSoThatIDsOnlyGrow() async throws {
        let history = try await open(rows: 10, keeping: .seconds(-60))
        while await history.removeSomeOfTheOld() {}
        #expect(try folder.integer("SELECT count(*) FROM result") == 1)
        await history.close()
        let later = try folder.open()
        later.append(Sample.record())
        await later.close()
        #expect(try folder.integer("SELECT max(result_id) FROM probe_history") == 11)
    }

    @Test func aRowMisdatedByAJumpingClockDoesNotStopTheRest() async throws {
        let history = try folder.open { $0.keepRaw = .seconds(10) }
        history.append(Sample.record(after: .seconds(9_999_999)))
        for index in 0..<100 { history.append(Sample.record(after: .seconds(index - 99))) }
        await history.flush()
        while await history.removeSomeOfTheOld() {}
        #expect(try folder.integer("SELECT count(*) FROM result") == 11)
        await history.close()
    }

    @Test func incidentsAndTargetsStay() async throws {
        let history = try folder.open { $0.keepRaw = .zero }
        var judge = Judge()
        for record in Sample.run(Array(repeating: .bad(.timeout), count: 3), by: &judge) { history.append(record) }
        await history.flush()
        while await history.removeSomeOfTheOld() {}
        #expect(try history.judges() == [Sample.identity(): judge])
        await history.close()
    }

    @Test func withoutAnAgeNothingIsRemoved() async throws {
        let history = try folder.open()
        history.append(Sample.record(after: .seconds(-1_000_000_000)))
        history.append(Sample.record())
        await history.flush()
        #expect(await !history.removeSomeOfTheOld())
        await history.close()
        #expect(try folder.integer("SELECT count(*) FROM result") == 2)
    }
}
