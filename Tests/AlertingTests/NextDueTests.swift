import Health
import TestSupport
import Testing

@testable import Alerting

@Suite struct NextDueTests {
    /// After now, in seconds.
    private func nextDue(_ desk: Desk) -> Double? {
        desk.alerter.nextDue(at: desk.now).map { desk.now.duration(to: $0) / .seconds(1) }
    }

    @Test func withoutReceiversAndAlertsNothingIsEverDue() {
        #expect(nextDue(Desk()) == nil)
    }

    @Test func anAlertmanagerIsDueWithTheNextRound() async {
        var desk = Desk(alertmanagers: ["http://am"])
        _ = await desk.send()
        desk.pass(20)
        #expect(nextDue(desk) == 40)
    }

    @Test func whatIsNotDurableIsLookedAtAgainAndAgain() async {
        var desk = Desk(alertmanagers: ["http://am"])
        _ = await desk.send()
        desk.see("gbbb")
        #expect(nextDue(desk) == 0)
        desk.shelf.commit()
        #expect(await desk.send().count == 1)
        #expect(nextDue(desk) == 40)
    }

    @Test func aReceiverThatDoesNotAnswerIsDueWithItsNextTry() async {
        var desk = Desk(alertmanagers: ["http://am"])
        desk.see("gbbb")
        desk.shelf.commit()
        #expect(await desk.send(.later("no answer")).count == 1)
        #expect(nextDue(desk) == 1)
    }

    @Test func aGroupIsDueWithTheEndOfItsWindow() async {
        var desk = Desk(webhooks: ["http://hook"])
        desk.see("gbbb")
        desk.shelf.commit()
        #expect(await desk.send().isEmpty)
        #expect(nextDue(desk) == 10)
        desk.pass(10)
        // The message waits for its own write.
        #expect(await desk.send().isEmpty)
        #expect(nextDue(desk) == 0)
        desk.shelf.commit()
        #expect(await desk.send().count == 1)
        #expect(nextDue(desk) == nil)
    }

    @Test func aWebhookThatRefusesIsDueWithTheRetry() async {
        var desk = Desk(webhooks: ["http://hook"])
        desk.see("gbbb")
        desk.shelf.commit()
        _ = await desk.send()
        desk.pass(10)
        _ = await desk.send()
        desk.shelf.commit()
        #expect(await desk.send(.refused("no")).count == 1)
        #expect(nextDue(desk) == 1)
    }

    @Test func whatComesInWakesTheLoop() async {
        let clock = ManualClock()
        var desk = Desk(alertmanagers: ["http://am"])
        _ = await desk.send()
        let (alerter, now) = (desk.alerter, desk.now)
        // The ring of the beginning.
        let first = Task { await alerter.sleepUntilDue(clock: clock, now: now) }
        await clock.untilSomeoneSleeps(for: .milliseconds(100))
        clock.advance(by: .milliseconds(100))
        await first.value
        let sleep = Task { await alerter.sleepUntilDue(clock: clock, now: now) }
        await clock.untilSomeoneSleeps(for: .seconds(60))
        clock.advance(by: .milliseconds(100))
        // The clock stands still: only the alert can have woken the loop.
        desk.see("gbbb")
        await sleep.value
    }

    @Test func betweenTwoLooksPassesATenthOfASecond() async {
        let clock = ManualClock()
        var desk = Desk(alertmanagers: ["http://am"])
        desk.see("gbbb")
        let (alerter, now) = (desk.alerter, desk.now)
        let sleep = Task { await alerter.sleepUntilDue(clock: clock, now: now) }
        await clock.untilSomeoneSleeps(for: .milliseconds(100))
        clock.advance(by: .milliseconds(100))
        await sleep.value
    }
}
