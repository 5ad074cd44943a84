import GRDB
import Health
import TestSupport
import Testing

@testable import History

@Suite struct CommitTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func aCommittedResultIsInTheViewWithAllItsValues() async throws {
        let history = try folder.open()
        history.persist(list: [Sample.target()], client: "client")
        history.append(Sample.record())
        #expect(await history.flush())
        let row = try #require(try folder.rows("SELECT * FROM probe_history").first)
        #expect(row["result_id"] == ResultID.make(chunk: 1, target: 1))
        #expect(row["target_id"] == "tgt_1")
        #expect(row["client_id"] == "client")
        #expect(row["target"] == "Stripe API")
        #expect(row["region"] == "us-east-1")
        #expect(row["vantage"] == "here")
        #expect(row["started_at_ms"] == Sample.start.milliseconds)
        #expect(row["success"] == 1)
        #expect(row["void"] == 0)
        #expect(row["status"] == "up")
        #expect(row["http_status"] == 200)
        #expect(row["address"] == "192.0.2.7")
        let times = ["duration", "dns", "connect", "processing", "transfer", "lateness"].map { row["\($0)_us"] as Int? }
        #expect(times == [81_234, 1001, 20_002, 50_003, 7, 120])
        for absent in ["reason", "cause", "tls_us"] { #expect((row[absent] as String?) == nil) }
        await history.close()
    }

    @Test(arguments: Reason.allCases)
    func aBadResultHasItsReasonInWords(_ reason: Reason) async throws {
        let history = try folder.open()
        history.append(Sample.record(.bad(reason)))
        await history.close()
        let row = try #require(try folder.rows("SELECT success, void, reason FROM probe_history").first)
        #expect(row["reason"] == reason.rawValue)
        #expect((row["success"] as Int?) == (reason == .proberFault ? nil : 0))
    }

    @Test(arguments: Cause.allCases)
    func aPoorResultIsASuccessWithItsCauseInWords(_ cause: Cause) async throws {
        let history = try folder.open()
        history.append(Sample.record(.poor(cause)))
        await history.close()
        let row = try #require(try folder.rows("SELECT success, cause FROM probe_history").first)
        #expect(row["cause"] == cause.rawValue)
        #expect(row["success"] == 1)
    }

    @Test(arguments: VoidCause.allCases)
    func aVoidResultIsNeitherSuccessNorFailure(_ void: VoidCause) async throws {
        let history = try folder.open()
        var judge = Judge()
        history.append(Sample.judged(Sample.result(.bad(.timeout), void: void), by: &judge))
        await history.close()
        let row = try #require(try folder.rows("SELECT success, void, status FROM probe_history").first)
        #expect((row["success"] as Int?) == nil)
        #expect(row["void"] == 1)
        #expect(row["status"] == "unknown")
    }

    @Test func timeInMaintenanceIsInNoAvailability() async throws {
        let history = try folder.open { $0.chunkLength = .seconds(600) }
        var judge = Judge()
        for step in 0...360 {
            var record = Sample.judged(Sample.result(after: .seconds(30 * step), step < 120 ? .good : .bad(.timeout)), by: &judge)
            record.isInMaintenance = (120..<240).contains(step)
            history.append(record)
        }
        await history.flush()
        while await history.compact() {}
        await history.close()
        let reader = try HistoryReader.open(path: folder.database)
        let time = try #require(
            try reader.summary(of: Sample.identity(), in: Sample.start + .seconds(-3600)..<Sample.start + .seconds(4 * 3600)).time
        )
        #expect(time.maintenance == .seconds(3600))
        #expect(time.up == .seconds(3600))
        #expect(time.down == .seconds(3600))
    }

    @Test func documentsAreDurableWithTheirResultAndForgottenWithAnother() async throws {
        let history = try folder.open()
        let document = StoredDocument(kind: "alert", key: "a", text: "first")
        let ticket = history.append(Sample.record(.bad(.timeout)), documents: [document])
        #expect(history.statistics.ticket < ticket)
        await history.flush()
        #expect(history.statistics.ticket >= ticket)
        history.append([
            StoredDocument(kind: "alert", key: "a", text: "second"), StoredDocument(kind: "group", key: "a", text: "other"),
        ])
        history.append([StoredDocument(forgetting: "group", key: "a")])
        await history.close()
        let reopened = try folder.open()
        #expect(try reopened.documents() == [.init(kind: "alert", key: "a"): "second"])
        await reopened.close()
    }

    @Test func aFlappingTargetFlapsOnAfterARestart() async throws {
        let history = try folder.open()
        var judge = Judge()
        for step in 0..<20 {
            history.append(
                Sample.judged(
                    Sample.result(after: .seconds(5 * step), step.isMultiple(of: 2) ? .good : .bad(.timeout)), by: &judge))
        }
        #expect(judge.flapping.isOn)
        await history.close()
        let reopened = try folder.open()
        #expect(try reopened.judges()[Sample.identity()] == judge)
        await reopened.close()
    }

    @Test func resultIDsGrowWhateverTheClockDoes() async throws {
        let history = try folder.open()
        for hours in [0, -48, 8760, -1] {
            history.append(Sample.record(after: .seconds(hours * 3600)))
            await history.flush()
        }
        await history.close()
        let later = try folder.open()
        later.append(Sample.record(after: .seconds(-999)))
        await later.close()
        let started = try folder.rows("SELECT result_id, started_at_ms FROM probe_history ORDER BY result_id")
        // Each jump of the clock begins a chunk, and so does a start.
        #expect(started.map { $0["result_id"] as Int64 >> 32 } == [1, 2, 3, 4, 5])
        #expect(started.last?["started_at_ms"] == (Sample.start + .seconds(-999)).milliseconds)
    }

    @Test func resultTransitionAndIncidentAreOneTransaction() async throws {
        let history = try folder.open()
        try await history.queue.write { db in
            try db.execute(sql: "CREATE TRIGGER refuse BEFORE INSERT ON incident BEGIN SELECT raise(ABORT, 'no'); END")
        }
        var judge = Judge()
        for record in Sample.run([.bad(.timeout), .bad(.timeout), .bad(.connectRefused)], by: &judge) { history.append(record) }
        #expect(await !history.flush())
        let counts =
            "SELECT (SELECT count(*) FROM probe_history) + (SELECT count(*) FROM transition) + (SELECT count(*) FROM judge)"
        #expect(try folder.integer(counts) == 0)

        try await history.queue.write { try $0.execute(sql: "DROP TRIGGER refuse") }
        #expect(await history.close())
        let incident = try #require(try folder.rows("SELECT * FROM incident_history").first)
        #expect(incident["started_at_ms"] == Sample.start.milliseconds)
        #expect(incident["reason"] == "connect_refused")
        #expect(incident["http_status"] == 503)
        #expect(incident["failed_probes"] == 3)
        #expect((incident["closed_as"] as String?) == nil)
        let transition = try #require(try folder.rows("SELECT * FROM transition").first)
        #expect(transition["to_status"] == Status.down.code)
        #expect(transition["sentence"] == "a sentence")
        #expect(try folder.integer("SELECT count(*) FROM probe_history") == 3)
    }

    @Test func aRecoveredIncidentIsTheSameRowClosed() async throws {
        let history = try folder.open()
        var judge = Judge()
        let outage: [Outcome] = [.bad(.timeout), .bad(.timeout), .bad(.timeout), .bad(.timeout)]
        for record in Sample.run(outage + [.good, .good], by: &judge) {
            history.append(record)
            await history.flush()
        }
        await history.close()
        let incidents = try folder.rows("SELECT * FROM incident_history")
        #expect(incidents.count == 1)
        #expect(incidents.first?["closed_as"] == "recovered")
        #expect(incidents.first?["failed_probes"] == 4)
        #expect(incidents.first?["ended_at_ms"] == (Sample.start + .seconds(20)).milliseconds)
    }

    @Test func theLastBatchIsCommittedInACancelledTask() async throws {
        let history = try folder.open()
        history.append(Sample.record())
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await history.close()
        }
        #expect(await task.value)
        #expect(try folder.integer("SELECT count(*) FROM probe_history") == 1)
    }

    @Test func closingTwiceIsClosingOnce() async throws {
        let history = try folder.open()
        history.append(Sample.record())
        async let first = history.close()
        async let second = history.close()
        _ = await (first, second)
        #expect(await history.close())
        #expect(folder.names == ["history.db"])
        #expect(try folder.integer("SELECT count(*) FROM probe_history") == 1)
    }

    @Test func whatComesAfterClosingIsCountedAsDropped() async throws {
        let history = try folder.open()
        await history.close()
        history.append(Sample.record())
        await history.flush()
        #expect(history.statistics.dropped == 1)
        #expect(history.statistics.samples == 0)
    }

    @Test func addressesPastTheBoundAreWrittenInTheirRows() async throws {
        let history = try folder.open()
        let addresses = (0...Dimensions.addressesMax).map { "192.0.2.\($0)" }
        var judge = Judge()
        for (index, address) in addresses.enumerated() {
            var result = Sample.result(after: .seconds(index))
            result.facts.address = address
            history.append(Sample.judged(result, by: &judge))
        }
        await history.close()
        #expect(try folder.texts("SELECT address FROM probe_history ORDER BY started_at_ms") == addresses)
        #expect(try folder.integer("SELECT count(*) FROM target_address") == Dimensions.addressesMax)
    }

    /// Two targets leave, and one comes back while the chunk is still open.
    @Test func aTargetThatComesBackTakesNoPlaceTwice() async throws {
        let history = try folder.open()
        for round in 0..<3 {
            for index in 0..<5 { history.append(Sample.record("tgt_1", after: .seconds(10 * round + index))) }
            history.append(Sample.record("tgt_3", after: .seconds(10 * round)))
            await history.flush()
            history.append(removalOf: Sample.identity("tgt_1"), closing: nil)
            await history.flush()
            history.append(removalOf: Sample.identity("never_probed"), closing: nil)
            await history.flush()
        }
        #expect(try folder.integer("SELECT count(DISTINCT result_id) FROM probe_history") == 18)
        #expect(try HistoryReader.open(path: folder.database).check().problems == [])
        history.append(Sample.record("tgt_1", after: .seconds(4000)))
        await history.flush()
        while await history.compact() {}
        #expect(try folder.integer("SELECT count(*) FROM settled") == 18)
        await history.close()
    }

    /// As an earlier state of this version could leave it.
    @Test func oneOfTwoResultsWithOnePlaceTakesTheNext() async throws {
        let history = try folder.open()
        for index in 0..<3 { history.append(Sample.record(after: .seconds(index))) }
        await history.flush()
        history.append(Sample.record(after: .seconds(3)))
        await history.flush()
        try await history.queue.write { db in
            let first = ResultID.make(chunk: 2, target: 1)
            try db.execute(sql: "UPDATE recent SET id = \(first) WHERE id >= \(first) AND id < \(first + 1024)")
        }
        #expect(try HistoryReader.open(path: folder.database).check().problems.count == 1)
        history.append(Sample.record(after: .seconds(4000)))
        await history.flush()
        while await history.compact() {}
        #expect(try folder.integer("SELECT count(DISTINCT result_id) FROM probe_history") == 5)
        #expect(try folder.integer("SELECT count(*) FROM settled") == 4)
        await history.close()
    }

    @Test func moreResultsOfOneTargetThanAChunkHasPlacesForGoOnInTheNext() async throws {
        let history = try folder.open()
        for index in 0..<2500 { history.append(Sample.record(after: .milliseconds(index))) }
        await history.close()
        #expect(try folder.integer("SELECT count(DISTINCT result_id) FROM probe_history") == 2500)
        let times =
            "SELECT group_concat(started_at_ms - \(Sample.start.milliseconds)) FROM (SELECT * FROM probe_history ORDER BY result_id)"
        #expect(try folder.texts(times) == [(0..<2500).map(String.init).joined(separator: ",")])
        #expect(try folder.integer("SELECT count(*) FROM chunk") == 3)
    }
}

extension Sample {
    static func record(_ outcome: Outcome) -> HistoryRecord { record("tgt_1", outcome) }
    static func result(_ outcome: Outcome, void: VoidCause) -> ProbeResult { result("tgt_1", outcome, void: void) }
}
