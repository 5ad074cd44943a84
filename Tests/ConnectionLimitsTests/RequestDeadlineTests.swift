import NIOCore
import Testing

@testable import ConnectionLimits

@Suite struct RequestDeadlineTests {
    private func accepted() -> RequestDeadline { RequestDeadline(idleTimeMax: .seconds(60)) }

    @Test func theFirstRequestHasTenSeconds() {
        #expect(accepted().connectionAccepted() == .startTimer(.seconds(10)))
    }

    @Test func theBodyOfARequestHasTenSecondsFromItsHeadOn() {
        var deadline = accepted()
        #expect(deadline.requestBegan() == .startTimer(.seconds(10)))
    }

    @Test func theAnswerHasTwoMinutesFromTheEndOfItsRequestOn() {
        var deadline = accepted()
        _ = deadline.requestBegan()
        #expect(deadline.requestEnded() == .startTimer(.seconds(120)))
    }

    @Test func theNextRequestHasTheIdleTimeFromTheEndOfTheAnswerOn() {
        var deadline = accepted()
        _ = deadline.requestBegan()
        _ = deadline.requestEnded()
        #expect(deadline.answerEnded() == .startTimer(.seconds(60)))
        #expect(deadline.requestBegan() == .startTimer(.seconds(10)))
    }

    @Test func anAnswerBeforeTheEndOfItsRequestGivesNoMoreTimeForTheRest() {
        var deadline = accepted()
        _ = deadline.requestBegan()
        #expect(deadline.answerEnded() == .doNothing)
        #expect(deadline.requestEnded() == .startTimer(.seconds(120)))
    }

    @Test func anAnswerWithoutARequestStartsTheIdleTime() {
        var deadline = accepted()
        #expect(deadline.answerEnded() == .startTimer(.seconds(60)))
    }

    /// The request that came second has begun when the answer to the first ends.
    @Test func theAnswerToAnEarlierRequestGivesNoMoreTimeForTheNext() {
        var deadline = accepted()
        _ = deadline.requestBegan()
        _ = deadline.requestEnded()
        _ = deadline.requestBegan()
        #expect(deadline.answerEnded() == .doNothing)
    }

    @Test(arguments: 0..<4) func theConnectionIsClosedWhenTheTimerFiresAtAnyStep(steps: Int) {
        var deadline = accepted()
        if steps > 0 { _ = deadline.requestBegan() }
        if steps > 1 { _ = deadline.requestEnded() }
        if steps > 2 { _ = deadline.answerEnded() }
        #expect(deadline.timerFired() == .closeConnection)
    }

    @Test func aClosedConnectionCancelsItsTimerOnceAndStartsNoOther() {
        var deadline = accepted()
        #expect(deadline.connectionClosed() == .cancelTimer)
        #expect(deadline.connectionClosed() == .doNothing)
        #expect(deadline.requestBegan() == .doNothing)
        #expect(deadline.requestEnded() == .doNothing)
        #expect(deadline.answerEnded() == .doNothing)
        #expect(deadline.timerFired() == .doNothing)
    }
}
