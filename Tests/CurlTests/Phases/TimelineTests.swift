import CReceive
import Testing

/// When bytes went and came, as plain numbers.
@Suite struct TimelineTests {
    private static let deadline: Int64 = 1_000_000_000
    private static let grace = Int64(RF_GRACE_NANOSECONDS)

    private var timeline = rf_timeline()

    @Test mutating func aRoundIsFromItsFirstBytesToTheLastThatAnswerThem() {
        rf_timeline_sends(&timeline, 100)
        rf_timeline_sends(&timeline, 150)
        rf_timeline_reads(&timeline, 300, 320)
        rf_timeline_reads(&timeline, 400, 420)
        #expect(timeline.wire == 300 && timeline.arrived == 400)
    }

    /// The server has answered at 300, and the next round begins when this process has worked on it.
    @Test mutating func whatThisProcessDoesBetweenTwoRoundsIsInNeither() {
        rf_timeline_sends(&timeline, 100)
        rf_timeline_reads(&timeline, 300, 500)
        rf_timeline_sends(&timeline, 900)
        rf_timeline_reads(&timeline, 950, 960)
        #expect(timeline.wire == 250)
        #expect(timeline.unread == 210)
    }

    @Test mutating func whatCameBeforeARoundIsNoAnswerToIt() {
        rf_timeline_sends(&timeline, 100)
        rf_timeline_reads(&timeline, 90, 110)
        #expect(timeline.wire == 0)
    }

    @Test mutating func afterALapTimeIsCountedAnew() {
        rf_timeline_sends(&timeline, 100)
        rf_timeline_reads(&timeline, 300, 300)
        #expect(rf_timeline_lap(&timeline) == 200)
        rf_timeline_reads(&timeline, 350, 350)
        rf_timeline_sends(&timeline, 400)
        rf_timeline_reads(&timeline, 410, 410)
        #expect(rf_timeline_lap(&timeline) == 10)
    }

    @Test mutating func bytesThatCameWhileOthersWereReadHaveWaitedSinceThen() {
        rf_timeline_reads(&timeline, 100, 200)
        rf_timeline_reads(&timeline, 110, 230)
        rf_timeline_reads(&timeline, 300, 301)
        #expect(timeline.unread == 131)
    }

    @Test mutating func aConnectionThatIsNoticedLateHasWaited() {
        timeline.opened = 100
        rf_timeline_connects(&timeline, 150, 400)
        #expect(timeline.connected == 150 && timeline.unread == 250)
    }

    @Test mutating func whatCameOnAnIdleConnectionHasWaitedSinceItIsUsed() {
        rf_timeline_joins(&timeline, 5000)
        rf_timeline_reads(&timeline, 100, 5010)
        #expect(timeline.unread == 10)
    }

    @Test mutating func theFirstBytesAfterTheWordThatTheRequestComesAreTheRequest() {
        rf_timeline_sends(&timeline, 100)
        timeline.awaits_request = true
        rf_timeline_sends(&timeline, 200)
        rf_timeline_sends(&timeline, 300)
        #expect(timeline.requested == 200)
    }

    @Test mutating func whatCameInTimeAndLayTooLongWhileTheDeadlinePassedIsLate() {
        timeline.deadline = Self.deadline
        rf_timeline_reads(&timeline, Self.deadline - 9 * Self.grace, Self.deadline)
        rf_timeline_reads(&timeline, Self.deadline, Self.deadline + Self.grace)
        #expect(!timeline.is_late)
        for since in [Self.deadline, Self.deadline - Self.grace] {
            var late = rf_timeline()
            late.deadline = Self.deadline
            rf_timeline_reads(&late, since, since + Self.grace + 1)
            #expect(late.is_late)
        }
    }

    @Test mutating func whatCameAfterTheDeadlineIsNotLate() {
        timeline.deadline = Self.deadline
        rf_timeline_reads(&timeline, Self.deadline + 1, Self.deadline + 9 * Self.grace)
        #expect(!timeline.is_late)
    }

    /// A server that sends faster than it is read has always bytes there that came long ago.
    @Test mutating func aConnectionThatIsReadAgainAndAgainIsNotLate() {
        timeline.deadline = Self.deadline
        var now = Self.deadline - Self.grace
        while now < Self.deadline + 9 * Self.grace {
            rf_timeline_reads(&timeline, Self.deadline - Self.grace, now)
            now += Self.grace / 4
        }
        #expect(!timeline.is_late)
    }
}
