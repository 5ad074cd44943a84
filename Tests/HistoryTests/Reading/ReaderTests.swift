import FoundationEssentials
import GRDB
import Health
import TestSupport
import Testing

@testable import History

@Suite struct ReaderTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func showsWhatTheDaemonBelievesOfEveryListedTarget() async throws {
        let history = try folder.open()
        history.persist(list: [Sample.target("tgt_1", name: "b"), Sample.target("tgt_2", name: "a")], client: "client")
        var judge = Judge()
        for record in Sample.run(Array(repeating: .bad(.timeout), count: 4), by: &judge) { history.append(record) }
        await history.close()

        let rows = try HistoryReader.open(path: folder.database).statuses()
        #expect(rows.map(\.target) == [Sample.target("tgt_2", name: "a"), Sample.target("tgt_1", name: "b")])
        #expect(rows.first?.status == .unknown)
        #expect(rows.first?.lastProbe == nil)
        let down = try #require(rows.last)
        #expect(down.status == .down)
        #expect(down.since == Sample.start + .seconds(10) + .microseconds(81_234))
        #expect(down.consecutiveFailures == 4)
        #expect(down.incident == judge.incident)
        let last = LastProbe(
            startedAt: Sample.start + .seconds(15), outcome: .bad(.timeout), isVoid: false, duration: .microseconds(81_234),
            httpStatus: 503)
        #expect(down.lastProbe == last)
    }

    @Test func sinceIsWhenTheStatusChangedNotWhenItWasSeenAgain() async throws {
        let history = try folder.open()
        history.persist(list: [Sample.target()], client: "client")
        var judge = Judge()
        for record in Sample.run([.good, .good, .bad(.timeout), .good], by: &judge) {
            history.append(record)
            await history.flush()
        }
        await history.close()
        let row = try #require(try HistoryReader.open(path: folder.database).statuses().first)
        #expect(row.status == .up)
        #expect(row.since == Sample.result().endedAt)
    }

    @Test func aVoidResultIsShownAsTheLastProbe() async throws {
        let history = try folder.open()
        history.persist(list: [Sample.target()], client: "client")
        var judge = Judge()
        history.append(Sample.judged(Sample.result(.bad(.timeout), void: .tainted), by: &judge))
        await history.close()
        #expect(try HistoryReader.open(path: folder.database).statuses().first?.lastProbe?.isVoid == true)
    }

    @Test func listsIncidentsNewestFirst() async throws {
        let history = try folder.open()
        let outage: [Outcome] = Array(repeating: .bad(.timeout), count: 3) + [.good, .good]
        var judge = Judge()
        for record in Sample.run(outage + outage, by: &judge) { history.append(record) }
        await history.close()
        let incidents = try HistoryReader.open(path: folder.database).incidents()
        #expect(incidents.map(\.id) == [2, 1])
        #expect(incidents.map(\.incident.startedAt) == [Sample.start + .seconds(25), Sample.start])
        #expect(incidents.map(\.incident.closedAs) == [.recovered, .recovered])
        #expect(try HistoryReader.open(path: folder.database).incidents(limit: 1).count == 1)
    }

    @Test func readsWhileTheWriterWritesWithoutAnErrorOnEitherSide() async throws {
        let events = EventLog()
        let history = try folder.open { $0.onEvent = events.note }
        history.persist(list: [Sample.target()], client: "client")
        await history.flush()
        let path = folder.database
        let reading = Task.detached {
            let reader = try HistoryReader.open(path: path)
            for _ in 0..<100 { _ = try reader.statuses() }
        }
        for index in 0..<100 {
            for second in 0..<50 { history.append(Sample.record(after: .seconds(index * 50 + second))) }
            await history.flush()
        }
        try await reading.value
        #expect(try HistoryReader.open(path: path).statuses().first?.lastProbe?.startedAt == Sample.start + .seconds(4999))
        await history.close()
        #expect(!events.words.contains { $0.hasPrefix("failed") })
    }

    @Test func aMissingDatabaseIsNotCreated() {
        #expect(code { _ = try HistoryReader.open(path: folder.database) } == .missing)
        #expect(folder.names.isEmpty)
    }

    @Test func aFileThatWasNeverMigratedIsOfAnOlderVersion() throws {
        try folder.stranger().inDatabase { try $0.execute(sql: "PRAGMA application_id = \(HistoryFile.applicationID)") }
        #expect(code { _ = try HistoryReader.open(path: folder.database) } == .olderSchema)
    }

    @Test func anImmutableURIOpensACleanlyClosedDatabaseOfAnyName() async throws {
        let history = try folder.open()
        history.append(Sample.record())
        await history.close()
        let odd = folder.path + "/a b?c%20#é.db"
        try FileManager.default.moveItem(atPath: folder.database, toPath: odd)
        var configuration = Configuration()
        configuration.readonly = true
        let queue = try DatabaseQueue(path: HistoryFile.immutableURI(odd), configuration: configuration)
        #expect(try await queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM probe_history") } == 1)
        #expect(folder.names == ["a b?c%20#é.db"])
    }

    @Test func aReaderIsNotImmutableWhereItCanLock() async throws {
        let history = try folder.open()
        #expect(!HistoryFile.mustBeImmutable(folder.database))
        await history.close()
        #expect(!HistoryFile.mustBeImmutable(folder.database))
    }
}
