import GRDB
import Health
import TestSupport
import Testing

@testable import History

/// Hours and days, whatever the clock, the probes and the file do.
@Suite struct RollupTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func compact(_ history: History) async -> Int {
        var steps = 0
        while await history.compact() { steps += 1 }
        return steps
    }

    private func append(_ history: History, _ keys: [String] = ["tgt_1"], hours: Double) async {
        for key in keys { history.append(Sample.record(key, after: .seconds(hours * 3600))) }
        await history.flush()
    }

    @Test func aClockThatJumpsInTheMiddleOfAChunkCostsNoStepForEachHourOfIt() async throws {
        let history = try folder.open()
        history.append(Sample.record(after: .seconds(-365 * 86_400)))
        await append(history, hours: 0)
        await append(history, hours: 2)
        #expect(await compact(history) < 20)
        #expect(try folder.integer("SELECT sum(probes) FROM hour") == 2)
        #expect(try HistoryReader.open(path: folder.database).check().problems == [])
        await history.close()
    }

    @Test func aClockThatJumpsAheadAndComesBackLeavesNothingBehind() async throws {
        let history = try folder.open()
        await append(history, hours: 0)
        await append(history, hours: 365 * 24)
        _ = await compact(history)
        for hour in 1...8 { await append(history, hours: Double(hour)) }
        _ = await compact(history)
        let newest = try #require(try folder.integer("SELECT max(start_ms) FROM availability_history"))
        #expect(Int64(newest) < (Sample.start + .seconds(8 * 3600)).milliseconds)
        #expect(try folder.integer("SELECT count(*) FROM availability_history") == 8)
        #expect(try HistoryReader.open(path: folder.database).check().problems == [])
        await history.close()
    }

    @Test func theTimeOfATargetThatStopsAfterTheClockWentBackIsInItsHour() async throws {
        let history = try folder.open()
        var clock = Array(stride(from: 0.0, to: 4, by: 1.0 / 120))
        clock += stride(from: 1.5, to: 2.5, by: 1.0 / 120)
        for hours in clock { await append(history, ["tgt_1", "tgt_2"], hours: hours) }
        for hours in stride(from: 2.5, to: 7, by: 0.1) { await append(history, hours: hours) }
        _ = await compact(history)
        #expect(try HistoryReader.open(path: folder.database).check().problems == [])
        #expect(
            try folder.integer(
                "SELECT up_ms + down_ms FROM standing s JOIN target t ON t.id = s.target WHERE target_id = 'tgt_2'") == 0)
        await history.close()
    }

    @Test func anHourStaysUntilItsDayHasIt() async throws {
        let now = Watched(Sample.start)
        let history = try folder.open {
            $0.now = { now.value }
            $0.keep = .init(raw: .seconds(3600), minutes: .seconds(3600), hours: .seconds(3600))
        }
        for index in 0..<24 * 6 {
            now.change { $0 = Sample.start + .seconds(600 * index) }
            await append(history, hours: Double(index) / 6)
            _ = await compact(history)
            while await history.removeOld() {}
        }
        await append(history, hours: 48)
        _ = await compact(history)
        #expect(try folder.integer("SELECT sum(probes) FROM day") == 24 * 6)
        await history.close()
    }

    @Test func aProbeThatHungForLongBeginsNoChunk() async throws {
        let history = try folder.open()
        for index in 0..<40 {
            history.append(Sample.record("tgt_1", after: .seconds(index)))
            history.append(Sample.record("hung", after: .seconds(index - 3000)))
            await history.flush()
            history.append(Sample.record("hung", after: .seconds(index - 3000)))
            await history.flush()
        }
        #expect(try folder.integer("SELECT count(*) FROM chunk") == 1)
        await history.close()
    }

    /// What SQLite finds well, and nobody wrote.
    @Test(arguments: [
        "UPDATE recent SET offset_ms = 9223372036854775807",
        "UPDATE recent SET rest_us = 9223372036854775807, dns_us = 9223372036854775807",
        "UPDATE standing SET counted_ms = -9223372036854775808", "UPDATE standing SET hour = -9223372036854775808",
        "UPDATE standing SET up_ms = 9223372036854775807, down_ms = 9223372036854775807",
        "UPDATE minute SET probes = 9223372036854775807, failures = -9223372036854775808; UPDATE progress SET value = 0",
        "UPDATE minute SET sum_us = 9223372036854775807, min_us = -1, minute = 9223372036854775807; UPDATE progress SET value = 0",
        "UPDATE hour SET probes = 9223372036854775807, up_ms = 9223372036854775807, sum_us = 9223372036854775807; UPDATE progress SET value = 0",
        "UPDATE day SET failures = 9223372036854775807, down_ms = 9223372036854775807, max_us = 9223372036854775807",
        "UPDATE settled SET offset_ms = -9223372036854775808, rest_us = 9223372036854775807, lateness_us = 9223372036854775807",
        "UPDATE chunk SET min_ms = -9223372036854775808, max_ms = 9223372036854775807; UPDATE progress SET value = 0",
        "UPDATE chunk SET moved = 0, end_commit = 2147483647 WHERE id = 1", "UPDATE kind SET interval_ms = 1099511627776",
        "UPDATE kind SET interval_ms = 9223372036854775807", "UPDATE chunk SET id = 9223372036854775807 WHERE id = 2",
        "UPDATE chunk SET base_ms = 9223372036854775807",
        "INSERT INTO target (id, client_id, target_id, name) VALUES (1 << 62, 'c', 'x', 'x')",
        "UPDATE progress SET value = 9223372036854775807",
        "UPDATE hour SET latency = x'ffffffffffffffffff7f', reasons = '{\"a\":99999999999999999999'",
    ])
    func aNumberThatCannotBeEndsNothing(_ damage: String) async throws {
        let events = EventLog()
        let first = try folder.open()
        for index in 0..<30 * 12 { await append(first, ["tgt_1", "tgt_2"], hours: Double(index) / 12) }
        _ = await compact(first)
        await append(first, ["tgt_1", "tgt_2"], hours: 31)
        await first.close()
        try await folder.stranger().write { try $0.execute(sql: damage) }

        let history = try folder.open { $0.onEvent = events.note }
        for hours in [31.01, 40, 72] { await append(history, ["tgt_1", "tgt_2"], hours: hours) }
        var steps = 0
        while steps < 2000, await history.compact() { steps += 1 }
        #expect(steps < 2000)
        let reader = try HistoryReader.open(path: folder.database)
        let span = Sample.start + .seconds(-86_400 * 40)..<Sample.start + .seconds(86_400 * 40)
        for resolution: Duration in [.seconds(30), .seconds(60), .seconds(3600), .seconds(86_400)] {
            _ = try reader.series(of: Sample.identity(), in: span, resolution: resolution).map {
                ($0.mean, $0.time?.availability)
            }
        }
        _ = try (reader.results(of: Sample.identity(), in: span), reader.statuses(), reader.newestMove(), reader.starts())
        _ = try reader.summary(of: Sample.identity(), in: span).percentile(0.99)
        _ = try reader.summaries(in: span).mapValues { ($0.percentile(0.5), $0.time?.availability) }
        _ = try reader.check()
        await history.close()
    }
}
