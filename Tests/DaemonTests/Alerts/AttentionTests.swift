import Health
import Testing

@testable import Daemon

@Suite struct AttentionTests {
    private let start = ContinuousClock.now

    private func pause(_ attention: Attention, at second: Double, isBusy: Bool = false, due: Double? = nil) -> Duration {
        let now = start + .seconds(second)
        return now.duration(to: attention.nextLook(after: now, isBusy: isBusy, nextDue: due.map { start + .seconds($0) }))
    }

    @Test func looksAreRareOnceHalfAMinuteHasPassedInWhichNothingHappened() {
        let attention = Attention(at: start)
        #expect(pause(attention, at: 29) == .milliseconds(500))
        #expect(pause(attention, at: 30) == .seconds(5))
        attention.raise(at: start + .seconds(100))
        #expect(pause(attention, at: 129) == .milliseconds(500))
        #expect(pause(attention, at: 130) == .seconds(5))
    }

    @Test func looksAreFrequentAsLongAsTheDaemonIsBusy() {
        #expect(pause(Attention(at: start), at: 1000, isBusy: true) == .milliseconds(500))
    }

    @Test func theNextLookIsNotLaterThanWhatIsDue() {
        let attention = Attention(at: start)
        #expect(pause(attention, at: 100, due: 102) == .seconds(2))
        #expect(pause(attention, at: 100, due: 106) == .seconds(5))
        #expect(pause(attention, at: 100, due: 99) == .zero)
    }

    @Test func whatHappensWhileNothingWentOnWakesTheLoop() async {
        let attention = Attention(at: start - .seconds(60))
        #expect(pause(attention, at: 0) == .seconds(5))
        attention.raise(at: start)
        // Without the ring this would take a day.
        await attention.sleep(until: start + .seconds(86_400))
    }

    @Test func whatHappenedJustBeforeTheLastLookWakesTheLoopAllTheSame() async {
        let attention = Attention(at: start - .seconds(30))
        #expect(pause(attention, at: 0.001) == .seconds(5))
        // Its thread lost its processor after it had asked for the time.
        attention.raise(at: start - .milliseconds(1))
        await attention.sleep(until: start + .seconds(86_400))
    }

    @Test func aWindowIsLookedAtWhenItOpensAndWhenItEnds() {
        let book = MaintenanceBook()
        let wall = Timestamp(milliseconds: 1_700_000_000_500)
        #expect(book.nextChange(after: wall) == nil)
        book.replace(.init(windows: [.once(wall + .seconds(90)..<wall + .seconds(95))]), at: wall)
        #expect(book.nextChange(after: wall) == wall + .seconds(90))
        #expect(book.nextChange(after: wall + .seconds(90)) == wall + .seconds(95))
        #expect(book.nextChange(after: wall + .seconds(95)) == nil)
    }

    @Test func aWindowThatRecursOpensWithAMinuteAndEndsItsLengthAfterOne() throws {
        let schedule = try #require(CronSchedule("0 3 * * *"))
        let window = MaintenanceBook.Window.recurring(schedule, .seconds(90))
        let minute = Timestamp(milliseconds: 60_000 * 1000)
        #expect(window.nextChange(after: minute) == minute + .seconds(30))
        #expect(window.nextChange(after: minute + .seconds(30)) == minute + .seconds(60))
    }
}
