import GRDB
import Health
import TestSupport
import Testing

@testable import History

@Suite struct JudgeStateTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func judgesAfterRestart(_ record: HistoryRecord) async throws -> [TargetIdentity: Judge] {
        let history = try folder.open()
        history.append(record)
        await history.close()
        let later = try folder.open()
        let judges = try later.judges()
        await later.close()
        return judges
    }

    @Test func anOpenIncidentSurvivesARestartExactly() async throws {
        var judge = Judge()
        let records = Sample.run([.good, .bad(.timeout), .bad(.dnsFailed), .bad(.timeout), .good], by: &judge)
        #expect(judge.incident != nil)
        let last = try #require(records.last)
        #expect(try await judgesAfterRestart(last) == [Sample.identity(): judge])
    }

    @Test func everyPartOfAStateSurvivesARestart() async throws {
        let moment = { (seconds: Int) in Sample.start + .seconds(seconds) }
        let judge = Judge(
            status: .degraded, cause: .certificateExpiring, hasBeenUp: true,
            streaks: Streaks(bad: 1, notGood: 2, good: 3, answered: 4, badSince: moment(5), answeredSince: moment(6)),
            incident: Incident(
                target: Sample.identity(), startedAt: moment(-9), confirmedAt: moment(-8), reason: .bodyMismatch,
                httpStatus: nil, failedProbes: 7),
            lastCountedAt: moment(10), isUnprobeable: true)
        let judgement = Judgement(outcome: .good, status: .degraded, wantsRecheck: false)
        let record = HistoryRecord(result: Sample.result(), judgement: judgement, judge: judge, interval: .seconds(30))
        #expect(try await judgesAfterRestart(record) == [Sample.identity(): judge])
    }

    @Test func aSteadyTargetCostsOnlyItsRow() async throws {
        let history = try folder.open()
        var judge = Judge()
        for record in Sample.run(Array(repeating: .good, count: 10), by: &judge) {
            history.append(record)
            await history.flush()
        }
        await history.close()
        // The third good result is where the streaks stop growing; nothing of the later ones was written but their rows.
        #expect(
            try folder.integer("SELECT last_counted_at_ms FROM judge").map(Int64.init)
                == (Sample.start + .seconds(10)).milliseconds)
        #expect(try folder.integer("SELECT count(*) FROM probe_history") == 10)
    }

    @Test func aRemovedTargetIsForgottenAndItsHistoryStays() async throws {
        let history = try folder.open()
        var judge = Judge()
        history.persist(list: [Sample.target()], client: "client")
        for record in Sample.run(Array(repeating: .bad(.timeout), count: 3), by: &judge) { history.append(record) }
        await history.flush()
        history.persist(list: [], client: "client")
        history.append(removalOf: Sample.identity(), closing: judge.removed(at: Sample.start + .seconds(60)))
        await history.flush()
        #expect(try history.judges().isEmpty)
        await history.close()
        let incident = try #require(try folder.rows("SELECT * FROM incident_history").first)
        #expect(incident["closed_as"] == "removed")
        #expect(incident["ended_at_ms"] == (Sample.start + .seconds(60)).milliseconds)
        #expect(try folder.texts("SELECT DISTINCT target FROM probe_history") == ["Stripe API"])
    }

    @Test func aTargetThatComesBackInTheSameBatchStartsAnew() async throws {
        let history = try folder.open()
        var judge = Judge()
        for record in Sample.run(Array(repeating: .bad(.timeout), count: 3), by: &judge) { history.append(record) }
        await history.flush()
        history.append(removalOf: Sample.identity(), closing: judge.removed(at: Sample.start + .seconds(60)))
        var reborn = Judge()
        history.append(Sample.judged(Sample.result(after: .seconds(90), .bad(.timeout)), by: &reborn))
        await history.close()
        #expect(try folder.integer("SELECT count(*) FROM judge WHERE status = 0 AND since_ms IS NULL") == 1)
    }
}
