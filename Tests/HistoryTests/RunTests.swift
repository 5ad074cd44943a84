import Health
import TestSupport
import Testing

@testable import History

@Suite struct RunTests {
    let folder: TemporaryFolder
    let clock = ManualClock()
    let events = EventLog()

    init() throws { folder = try TemporaryFolder() }

    private func open(keeping kept: Duration? = nil) throws -> History {
        try folder.open {
            $0.keep.raw = kept
            $0.onEvent = events.note
        }
    }

    @Test func commitsWhenTheIntervalIsOver() async throws {
        let history = try open()
        let writer = Task { await history.run(clock: clock) }
        await clock.untilSomeoneSleeps()
        history.append(Sample.record())
        await clock.untilSomeoneSleeps(for: .milliseconds(500))
        clock.advance(by: .milliseconds(499))
        #expect(history.statistics.queued == 1)
        clock.advance(by: .milliseconds(1))
        var words = events.stream.makeAsyncIterator()
        #expect(await words.next() == "committed 1")
        await history.close()
        writer.cancel()
        await writer.value
    }

    @Test func isNotWokenEveryIntervalWhileNothingWaits() async throws {
        let history = try open()
        let writer = Task { await history.run(clock: clock) }
        await clock.untilSomeoneSleeps(for: .seconds(30))
        clock.advance(by: .seconds(30))
        await clock.untilSomeoneSleeps(for: .seconds(30))
        await history.close()
        // Closing wakes the writer: the clock stands still.
        await writer.value
    }

    @Test func aCancelledWriterCommitsItsLastBatch() async throws {
        let history = try open()
        let writer = Task { await history.run(clock: clock) }
        await clock.untilSomeoneSleeps()
        history.append(Sample.record())
        writer.cancel()
        await writer.value
        #expect(history.statistics.samples == 1)
        await history.close()
    }

    @Test func removesWhatIsTooOldOnceAMinute() async throws {
        let history = try open(keeping: .seconds(10))
        history.append(Sample.record(after: .seconds(-3600)))
        await history.flush()
        history.append(Sample.record())
        await history.flush()
        let writer = Task { await history.run(clock: clock) }
        await clock.untilSomeoneSleeps()
        clock.advance(by: .seconds(59))
        await clock.untilSomeoneSleeps()
        #expect(try folder.integer("SELECT count(*) FROM probe_history") == 2)
        clock.advance(by: .seconds(1))
        // After a step that removed something another follows.
        await clock.untilSomeoneSleeps(for: .milliseconds(500))
        #expect(try folder.integer("SELECT count(*) FROM probe_history") == 1)
        writer.cancel()
        await writer.value
        await history.close()
    }
}
