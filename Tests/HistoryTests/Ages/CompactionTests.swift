import GRDB
import Health
import TestSupport
import Testing

@testable import History

@Suite struct CompactionTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static let view = "SELECT * FROM probe_history ORDER BY result_id"
    private static let ages = ["minute", "hour", "day", "standing", "settled"]

    /// Some hours of five targets that fail now and then, committed every ten seconds.
    private func fill(_ history: History, hours: Int = 3, seed: UInt64 = 1) async {
        var generator = SeededGenerator(state: seed)
        var judges = Array(repeating: Judge(), count: 5)
        for second in stride(from: 0, to: hours * 3600, by: 10) {
            for target in 0..<5 where (second / 10 + target) % 3 == 0 {
                // One of them is silent for twenty minutes.
                if target == 4, (4000..<5200).contains(second) { continue }
                let outcome: Outcome =
                    Int.random(in: 0..<10, using: &generator) < 8
                    ? .good : [.bad(.timeout), .bad(.connectRefused), .poor(.slow)][Int.random(in: 0..<3, using: &generator)]
                let void: VoidCause? = Int.random(in: 0..<50, using: &generator) == 0 ? .tainted : nil
                var result = Sample.result("tgt_\(target)", after: .seconds(second), outcome, void: void)
                result.duration = .microseconds(Int64.random(in: 20_000..<400_000, using: &generator))
                history.append(Sample.judged(result, by: &judges[target]))
            }
            await history.flush()
        }
        // Begins the chunk after theirs, so late that all of their hours are over, and the sixths of their days.
        history.append(Sample.record("tgt_0", after: .seconds((hours + 12) * 3600)))
        await history.flush()
    }

    private func all(_ sql: String, _ folder: TemporaryFolder? = nil) throws -> [String] {
        try (folder ?? self.folder).rows(sql).map { row in row.map { "\($0.0)=\($0.1)" }.joined(separator: " ") }
    }

    private func compact(_ history: History) async { while await history.compact() {} }

    @Test func aResultIsInTheViewOnceWhereverTheMoveStands() async throws {
        let history = try folder.open { $0.compactionRows = 40 }
        await fill(history)
        let before = try all(Self.view)
        #expect(before.count > 1500)
        var steps = 0
        while await history.compact() {
            steps += 1
            if steps % 5 == 0 { #expect(try all(Self.view) == before) }
        }
        #expect(steps > 50)
        #expect(try all(Self.view) == before)
        #expect(try folder.integer("SELECT count(*) FROM recent") == 1)
        await history.close()
    }

    @Test func aKillAtAnyPointLosesAndDoublesNothing() async throws {
        let history = try folder.open { $0.compactionRows = 60 }
        await fill(history, hours: 2)
        let before = try all(Self.view)
        var images = [try folder.crashImage()]
        while await history.compact() { images.append(try folder.crashImage()) }
        await history.close()
        let wanted = try Self.ages.map { try all("SELECT * FROM \($0) ORDER BY 1") }
        for image in images.enumerated().filter({ $0.offset % 7 == 0 }).map(\.element) {
            let later = try image.open { $0.compactionRows = 60 }
            while await later.compact() {}
            #expect(try all(Self.view, image) == before)
            #expect(try image.integer("SELECT count(*) FROM settled") == before.count - 1)
            for (age, rows) in zip(Self.ages.dropLast(), wanted) where age != "standing" {
                let last = "WHERE id < (SELECT max(id) FROM \(age))"
                #expect(Set(try all("SELECT * FROM \(age) \(last)", image)).isSubset(of: Set(rows)), "\(age)")
            }
            await later.close()
            #expect(try image.texts("PRAGMA integrity_check") == ["ok"])
        }
    }

    @Test func theRollupsAreWhatTheResultsGive() async throws {
        let history = try folder.open()
        await fill(history)
        await compact(history)
        let counts = """
            target_id, started_at_ms / 3600000 * 3600000 AS start_ms, count(*) FILTER (WHERE NOT void) AS probes,
            count(*) FILTER (WHERE success = 0) AS failures, count(*) FILTER (WHERE void) AS voids
            """
        let raw = try all("SELECT \(counts) FROM probe_history GROUP BY 1, 2 ORDER BY 1, 2")
        let hours = try all(
            "SELECT target_id, start_ms, probes, failures, voids FROM availability_history ORDER BY 1, 2")
        // Its last result hasn't been moved.
        #expect(raw.dropLast(0).filter { !hours.contains($0) }.count == 1)
        #expect(hours.allSatisfy(raw.contains))
        let ranges = try all(
            """
            SELECT t.target_id, h.id >> 22 AS hour, sum_us, min_us, max_us FROM hour h JOIN target t ON t.id = h.id & 4194303
            WHERE sum_us NOT NULL ORDER BY 1, 2
            """)
        let exact = try all(
            """
            SELECT target_id, started_at_ms / 3600000 AS hour, sum(duration_us) AS sum_us, min(duration_us) AS min_us,
                max(duration_us) AS max_us FROM probe_history WHERE success = 1 GROUP BY 1, 2 ORDER BY 1, 2
            """)
        #expect(ranges.allSatisfy(exact.contains))
        for total in ["probes", "failures", "voids", "sum_us", "up_ms", "down_ms"] {
            let sums = ["hour", "day"].map { try? folder.integer("SELECT sum(\(total)) FROM \($0)") }
            #expect(sums[0] == sums[1], "\(total)")
        }
        #expect(
            try folder.integer("SELECT sum(probes) * 1000 + sum(failures) FROM minute")
                == folder.integer("SELECT sum(probes) * 1000 + sum(failures) FROM hour"))
        await history.close()
    }

    @Test func percentilesOfMergedHoursAreTheExactOnesWithinOnePercent() async throws {
        let history = try folder.open()
        await fill(history, hours: 5)
        await compact(history)
        await history.close()
        let reader = try HistoryReader.open(path: folder.database)
        let span = Sample.start + .seconds(-86_400)..<Sample.start + .seconds(5 * 3600)
        let days = try reader.series(of: Sample.identity("tgt_1"), in: span, resolution: .seconds(86_400))
        let items = try reader.results(of: Sample.identity("tgt_1"), in: span)
        for day in days {
            let own = items.filter {
                ($0.startedAt..<$0.startedAt + .milliseconds(1)).overlaps(day.start..<day.start + day.length)
            }
            let sorted = own.filter { !$0.isVoid && $0.outcome.isSuccess }.map(\.duration.wholeMicroseconds).sorted()
            for share in [0.5, 0.95, 0.99] {
                let exact = Double(sorted[Int((share * Double(sorted.count)).rounded(.up)) - 1])
                let found = Double(day.percentile(share)?.wholeMicroseconds ?? 0)
                #expect(abs(found - exact) <= 0.01 * exact)
            }
        }
        #expect(!days.isEmpty)
    }

    @Test func timeInAStateIsWhatPassedUntilTheNextResult() async throws {
        let history = try folder.open()
        var judge = Judge()
        // Half an hour up, then down from the third failure on, with a silence of ten minutes before the last one.
        let outcomes: [Outcome] = Array(repeating: .good, count: 60) + Array(repeating: .bad(.timeout), count: 30)
        let start = Timestamp(milliseconds: Sample.start.milliseconds / 3_600_000 * 3_600_000)
        for (index, outcome) in outcomes.enumerated() {
            var result = Sample.result(outcome: outcome)
            result.startedAt = start + .seconds(30 * index)
            history.append(Sample.judged(result, by: &judge))
        }
        var last = Sample.result(outcome: .bad(.timeout))
        last.startedAt = start + .seconds(30 * 89 + 600)
        history.append(Sample.judged(last, by: &judge))
        await history.flush()
        last.startedAt = start + .seconds(4 * 3600)
        history.append(Sample.judged(last, by: &judge))
        await history.flush()
        await compact(history)
        let row = try #require(
            try folder.rows("SELECT * FROM availability_history WHERE start_ms = \(start.milliseconds)").first)
        #expect(row["up_ms"] == 1_860_000)
        #expect(row["down_ms"] == 810_000)
        #expect(row["seconds"] == 3600)
        // Ten minutes of silence, and what comes after the last result.
        #expect(row["unknown_ms"] == 930_000)
        await history.close()
    }

    /// Minutes keep no times, and yet a step of less than an hour knows what was believed in it.
    @Test(arguments: [10, 60, 300, 1200]) func shortStepsHaveTheTimesOfTheirHours(seconds: Int64) async throws {
        let history = try folder.open()
        var judge = Judge()
        let outcomes = [(Outcome.good, 100), (.bad(.timeout), 20), (.poor(.slow), 110), (.good, 130)]
        let start = Timestamp(milliseconds: Sample.start.milliseconds / 3_600_000 * 3_600_000)
        for (index, outcome) in outcomes.flatMap({ Array(repeating: $0.0, count: $0.1) }).enumerated() {
            var result = Sample.result(outcome: outcome)
            result.startedAt = start + .seconds(30 * index + (index > 200 ? 600 : 0))
            history.append(Sample.judged(result, by: &judge))
            if index % 50 == 0 { await history.flush() }
        }
        await history.flush()
        await compact(history)
        await history.close()
        let reader = try HistoryReader.open(path: folder.database)
        let span = start..<start + .seconds(5 * 3600)
        let times = { (resolution: Int64) in
            try reader.series(of: Sample.identity(), in: span, resolution: .seconds(resolution)).compactMap(\.time)
        }
        let (hours, steps) = (try times(3600), try times(seconds))
        let sum = { (times: [RollupItem.StateTime], part: KeyPath<RollupItem.StateTime, Duration>) in
            times.reduce(Duration.zero) { $0 + $1[keyPath: part] }
        }
        #expect([\RollupItem.StateTime.up, \.degraded, \.down].allSatisfy { sum(hours, $0) > .seconds(300) })
        // A step without a result of its own isn't listed, so only steps that are longer than an interval hold all of it.
        if seconds > 30 {
            for part in [\RollupItem.StateTime.up, \.degraded, \.down, \.maintenance] {
                #expect(sum(steps, part) == sum(hours, part))
            }
        }
        #expect(steps.allSatisfy { $0.availability != nil || $0.maintenance > .zero })
    }

    @Test func whatComesLateGoesToItsHourAndToTheDayThatHasIt() async throws {
        let history = try folder.open()
        await fill(history, hours: 4)
        await compact(history)
        let before = try #require(try folder.integer("SELECT sum(probes) FROM day"))
        history.append(Sample.record("tgt_2", after: .seconds(60)))
        await history.flush()
        history.append(Sample.record("tgt_2", after: .seconds(40 * 3600)))
        await history.flush()
        await compact(history)
        #expect(try folder.integer("SELECT sum(probes) FROM day") == before + 2)
        #expect(try folder.integer("SELECT sum(probes) FROM hour") == before + 2)
        await history.close()
    }

    @Test func theTimeOfATargetThatIsNoLongerProbedIsInItsHour() async throws {
        let history = try folder.open()
        var (judge, other) = (Judge(), Judge())
        let start = Timestamp(milliseconds: Sample.start.milliseconds / 3_600_000 * 3_600_000)
        for index in 0..<8 {
            var result = Sample.result("tgt_1")
            result.startedAt = start + .seconds(30 * index)
            history.append(Sample.judged(result, by: &judge))
        }
        for hour in 0..<4 {
            var result = Sample.result("tgt_2")
            result.startedAt = start + .seconds(3600 * hour)
            history.append(Sample.judged(result, by: &other))
            await history.flush()
        }
        await compact(history)
        let rows = try folder.rows("SELECT up_ms, probes FROM availability_history WHERE target_id = 'tgt_1'")
        #expect(rows.map { $0["up_ms"] } == [210_000] && rows.map { $0["probes"] } == [8])
        #expect(try folder.integer("SELECT up_ms FROM standing WHERE up_ms > 0") == nil)
        await history.close()
    }

    @Test func whatComesWhileItsHourIsBeingAddedUpIsInItOnce() async throws {
        let history = try folder.open { $0.compactionRows = 60 }
        await fill(history, hours: 2)
        let wanted = try #require(try folder.integer("SELECT count(*) FROM probe_history WHERE NOT void")) - 1
        // Until the first of five targets has been added up, and no more.
        while try folder.integer("SELECT value & 4194303 FROM progress WHERE name = 'minutes_in_hours' AND value > 0") != 1 {
            try #require(await history.compact())
        }
        // One of a target that has been, and one of a target that hasn't.
        history.append(Sample.record("tgt_0", after: .seconds(90)))
        history.append(Sample.record("tgt_3", after: .seconds(90)))
        await history.flush()
        history.append(Sample.record("tgt_0", after: .seconds(20 * 3600)))
        await history.flush()
        await compact(history)
        #expect(try folder.integer("SELECT sum(probes) FROM hour") == wanted + 3)
        #expect(try folder.integer("SELECT sum(probes) FROM minute") == wanted + 3)
        #expect(try HistoryReader.open(path: folder.database).check().problems == [])
        await history.close()
    }

    @Test func aPageIsWhatItsTargetsAreWhereverTheRollupsStand() async throws {
        let history = try folder.open { $0.compactionRows = 60 }
        await fill(history, hours: 7)
        let reader = try HistoryReader.open(path: folder.database)
        let span = Sample.start + .seconds(-86_400 * 9)..<Sample.start + .seconds(86_400)
        let before = try (0..<5).map { try reader.summary(of: Sample.identity("tgt_\($0)"), in: span) }
        while await history.compact() {
            for (number, before) in before.enumerated() {
                #expect(try reader.summary(of: Sample.identity("tgt_\(number)"), in: span) == before)
            }
        }
        history.append(Sample.record("tgt_0", after: .seconds(40 * 3600)))
        await history.flush()
        var isWhole = false
        while await history.compact() {
            let page = try reader.summaries(in: span)
            for number in 0..<5 {
                let (own, before) = (try #require(page[Sample.identity("tgt_\(number)")]), before[number])
                #expect(own.probes == before.probes && own.percentile(0.95) == before.percentile(0.95) && own.time == before.time)
            }
            isWhole = true
        }
        #expect(isWhole)
        await history.close()
    }

    @Test func theReaderSeesTheSameBeforeAndAfterTheMove() async throws {
        let history = try folder.open()
        await fill(history)
        let span = Sample.start..<Sample.start + .seconds(3 * 3600)
        let target = Sample.identity("tgt_4")
        let read = { (resolution: Duration) in
            try HistoryReader.open(path: folder.database).series(of: target, in: span, resolution: resolution)
        }
        let resolutions: [Duration] = [.seconds(10), .seconds(60), .seconds(300), .seconds(3600), .seconds(86_400)]
        let before = try resolutions.map(read)
        let results = try HistoryReader.open(path: folder.database).results(of: target, in: span)
        await compact(history)
        let after = try resolutions.map(read)
        for (resolution, (before, after)) in zip(resolutions, zip(before, after)) {
            for (old, new) in zip(before, after) { #expect(old == new, "\(resolution)") }
            #expect(before.count == after.count)
        }
        #expect(try HistoryReader.open(path: folder.database).results(of: target, in: span) == results)
        #expect(results.map(\.startedAt) == results.map(\.startedAt).sorted() && results.count > 200)
        var pages: [ResultItem] = []
        while let page = try? HistoryReader.open(path: folder.database)
            .results(of: target, in: span, after: pages.last?.id ?? 0, limit: 50), !page.isEmpty
        {
            pages += page
        }
        #expect(pages == results)
        await history.close()
    }

    @Test func theLastProbeIsKnownWhenItHasBeenMoved() async throws {
        let history = try folder.open()
        history.persist(list: [Sample.target("tgt_1"), Sample.target("tgt_2")], client: "client")
        history.append(Sample.record("tgt_1", .bad(.dnsFailed)))
        await history.flush()
        history.append(Sample.record("tgt_2", after: .seconds(4000)))
        await history.flush()
        await compact(history)
        let rows = try HistoryReader.open(path: folder.database).statuses()
        #expect(rows.map(\.lastProbe?.startedAt) == [Sample.start, Sample.start + .seconds(4000)])
        #expect(rows.first?.lastProbe?.outcome == .bad(.dnsFailed))
        await history.close()
    }
}

extension Sample {
    fileprivate static func record(_ key: String, _ outcome: Outcome) -> HistoryRecord { record(key, after: .zero, outcome) }
    fileprivate static func result(outcome: Outcome) -> ProbeResult { result("tgt_1", outcome) }
}
