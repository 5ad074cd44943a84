import GRDB
import Health
import TestSupport
import Testing

@testable import History

@Suite struct RetentionTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// `count` results and as many transitions, a second apart, the newest at ``Sample/start``, all moved but those of the last chunk.
    private func open(results count: Int, keeping kept: Duration) async throws -> History {
        let history = try folder.open { $0.keep.raw = kept }
        for index in 0..<count {
            history.append(Sample.record(after: .seconds(index - count + 1)))
            if index % 100 == 99 { await history.flush() }
        }
        await history.flush()
        while await history.compact() {}
        return history
    }

    /// Of the target, by all of its ages.
    private func counted() throws -> Int {
        let span = Sample.start + .seconds(-86_400)..<Sample.start + .seconds(86_400)
        return try HistoryReader.open(path: folder.database).summary(of: Sample.identity(), in: span).probes
    }

    @Test func oldResultsGoAndTheirMinutesAndHoursStay() async throws {
        let history = try await open(results: 6000, keeping: .seconds(1000))
        while await history.removeOld() {}
        let left = try #require(try folder.integer("SELECT count(*) FROM probe_history"))
        // A chunk goes when all of it is old enough.
        #expect((1000...1300).contains(left))
        #expect(try folder.integer("SELECT count(*) FROM transition") == 1001)
        #expect(try counted() == 6000)
        #expect(try folder.integer("SELECT sum(probes) FROM minute") == 5700)
        await history.close()
    }

    @Test func eachAgeGoesInItsTime() async throws {
        let history = try folder.open {
            $0.keep = .init(raw: .seconds(3600), minutes: .seconds(7200), hours: .seconds(86_400), days: .seconds(10 * 86_400))
        }
        for hour in 0..<(20 * 24) {
            history.append(Sample.record(after: .seconds(3600 * (hour - 20 * 24))))
            await history.flush()
        }
        history.append(Sample.record())
        await history.flush()
        while await history.compact() {}
        while await history.removeOld() {}
        #expect(try folder.integer("SELECT count(*) FROM settled") == 1)
        #expect(try folder.integer("SELECT count(*) FROM minute") == 2)
        #expect(try folder.integer("SELECT count(*) FROM hour") == 24)
        #expect(try folder.integer("SELECT count(*) FROM day") == 11)
        #expect(try folder.integer("SELECT count(*) FROM chunk") == 3)
        await history.close()
    }

    @Test func spaceIsGivenBack() async throws {
        let history = try await open(results: 12_000, keeping: .seconds(400))
        try await history.queue.write { try $0.execute(sql: "DELETE FROM minute; DELETE FROM hour") }
        let before = try #require(try folder.integer("PRAGMA page_count"))
        while await history.removeOld() {}
        let after = try #require(try folder.integer("PRAGMA page_count"))
        #expect(after < before / 3)
        await history.close()
        #expect(try folder.texts("PRAGMA integrity_check") == ["ok"])
    }

    @Test func pastItsSizeTheOldestResultsGoFirstAndItIsSaidOnce() async throws {
        let events = EventLog()
        let history = try folder.open {
            $0.maxSize = 400_000
            $0.onEvent = events.note
        }
        for index in 0..<12_000 {
            history.append(Sample.record(after: .seconds(index - 12_000)))
            if index % 100 == 99 { await history.flush() }
        }
        await history.flush()
        while await history.compact() {}
        while await history.removeOld() {}
        let oldest = try #require(try folder.integer("SELECT min(started_at_ms) FROM probe_history").map(Int64.init))
        #expect(oldest > (Sample.start + .seconds(-11_000)).milliseconds)
        #expect(try counted() == 12_000)
        let used = try #require(
            try folder.integer("SELECT (page_count - freelist_count) * 4096 FROM pragma_page_count, pragma_freelist_count"))
        #expect(used <= 400_000)
        #expect(events.words.filter { $0 == "size exceeded" }.count == 1)
        await history.close()
    }

    @Test func idsOnlyGrowWhateverGoes() async throws {
        let history = try await open(results: 1000, keeping: .seconds(-60))
        while await history.removeOld() {}
        let last = try #require(try folder.integer("SELECT max(id) FROM chunk"))
        await history.close()
        let later = try folder.open()
        later.append(Sample.record())
        await later.close()
        #expect(try folder.integer("SELECT max(result_id) >> 32 FROM probe_history") == last + 1)
    }

    @Test func aResultMisdatedByAJumpingClockDoesNotStopTheRest() async throws {
        let history = try folder.open { $0.keep.raw = .seconds(10) }
        history.append(Sample.record(after: .seconds(9_999_999)))
        await history.flush()
        for index in 0..<1000 {
            history.append(Sample.record(after: .seconds(index - 5000)))
            await history.flush()
        }
        history.append(Sample.record())
        await history.flush()
        while await history.compact() {}
        while await history.removeOld() {}
        #expect(try folder.integer("SELECT count(*) FROM probe_history") == 2)
        await history.close()
    }

    @Test func incidentsAndTargetsStay() async throws {
        let history = try folder.open { $0.keep.raw = .zero }
        var judge = Judge()
        for record in Sample.run(Array(repeating: .bad(.timeout), count: 3), by: &judge) { history.append(record) }
        await history.flush()
        while await history.removeOld() {}
        #expect(try history.judges() == [Sample.identity(): judge])
        await history.close()
    }

    @Test func withoutAnAgeNothingIsRemoved() async throws {
        let history = try folder.open()
        history.append(Sample.record(after: .seconds(-1_000_000_000)))
        await history.flush()
        history.append(Sample.record())
        await history.flush()
        while await history.compact() {}
        #expect(await !history.removeOld())
        await history.close()
        #expect(try folder.integer("SELECT count(*) FROM probe_history") == 2)
    }
}
