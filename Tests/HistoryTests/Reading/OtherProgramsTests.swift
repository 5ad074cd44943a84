import Foundation
import GRDB
import Health
import TestSupport
import Testing

@testable import History

private let environment = ProcessInfo.processInfo.environment
private let python = environment["RANGEFINDER_PYTHON"]
private let isLong = environment["RANGEFINDER_LONG"] != nil

/// Any SQLite tool may read while the daemon writes, and what is backed up anywhere.
@Suite(.timeLimit(.minutes(5))) struct OtherProgramsTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A minute of it where there is time for what takes long, else a second.
    @Test func readersAndTheWriterAreNeverInEachOthersWay() async throws {
        let events = EventLog()
        let history = try folder.open {
            $0.onEvent = events.note
            $0.keep = .init(raw: .seconds(3600), minutes: .seconds(7200))
        }
        history.persist(list: (0..<50).map { Sample.target("tgt_\($0)") }, client: "client")
        await history.flush()
        let isOver = Watched(false)
        let database = folder.database
        let trouble = Watched<[String]>([])
        let readings = Watched(0)
        let read: [@Sendable () throws -> Void] = [
            {
                let reader = try HistoryReader.open(path: database)
                let span = Sample.start + .seconds(-86_400)..<Sample.start + .seconds(10 * 86_400)
                _ = try reader.statuses()
                _ = try reader.results(of: Sample.identity("tgt_7"), in: span)
                _ = try reader.series(of: Sample.identity("tgt_8"), in: span, resolution: .seconds(300))
                _ = try reader.summaries(in: span)
                _ = try reader.incidents()
            },
            {
                let query = "SELECT count(*), max(started_at_ms) FROM probe_history; SELECT count(*) FROM availability_history"
                let ended = try ChildProcess.run("sqlite3", ["-batch", "-bail", database, query], errors: .withOutput)
                if ended.status != 0 { trouble.change { $0.append(ended.output) } }
            },
            { if try HistoryReader.open(path: database).check().problems != [] { trouble.change { $0.append("check") } } },
        ]
        let ended = Watched(0)
        // Threads of their own: those of the tasks are no more than there are cores, and reading blocks.
        for read in read {
            Thread.detachNewThread {
                repeat {
                    do { try read() } catch { trouble.change { $0.append("\(error)") } }
                    readings.change { $0 += 1 }
                } while !isOver.value
                ended.change { $0 += 1 }
            }
        }
        let end = ContinuousClock.now + .seconds(60)
        var round = 0
        while isLong ? ContinuousClock.now < end : round < 100 {
            for target in 0..<50 { history.append(Sample.record("tgt_\(target)", after: .seconds(10 * round))) }
            round += 1
            await history.flush()
            await history.compact()
            await history.removeOld()
        }
        isOver.change { $0 = true }
        try await ended.until { $0 == 3 }
        #expect(trouble.value == [])
        #expect(events.words.filter { $0.contains("failed") } == [])
        #expect(readings.value >= 3)
        await history.close()
    }

    @Test(.enabled(if: python != nil && isLong, "scripts/test --long gets Datasette from PyPI"))
    func datasetteShowsTheViewsOfABackup() async throws {
        let history = try folder.open()
        await Sample.outage(in: history)
        try HistoryReader.open(path: folder.database).backUp(to: folder.file("copy.db"))
        await history.close()
        for (view, count) in [("probe_history", 400), ("availability_history", 3), ("incident_history", 1)] {
            let path = "/copy.json?sql=select+count(*)+as+n,+max(target_id)+as+t+from+\(view)&_shape=array"
            let shown = try ChildProcess.run(
                try #require(python), ["-m", "datasette", folder.file("copy.db"), "--get", path])
            #expect(shown.status == 0 && shown.output.contains(#"{"n": \#(count), "t": "tgt_1"}"#), "\(view): \(shown.output)")
            let page = try ChildProcess.run(
                try #require(python), ["-m", "datasette", folder.file("copy.db"), "--get", "/copy/\(view)"])
            #expect(page.status == 0 && page.output.contains("tgt_1"))
        }
    }
}
