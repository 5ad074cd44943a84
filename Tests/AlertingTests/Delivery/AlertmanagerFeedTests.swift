import Testing

@testable import Alerting

@Suite struct AlertmanagerFeedTests {
    private let now = ContinuousClock.now

    @Test func whatWasForgottenWhileItWasSentIsNotWaitedFor() {
        var feed = AlertmanagerFeed(url: "http://am")
        let alert = Sample.ended(Sample.alert("a"))
        feed.note(alert.key)
        let sent = feed.due([alert.key: alert], at: now, resendInterval: .seconds(60))
        #expect(sent.map(\.key) == [alert.key])
        // A day has passed: nobody needs to hear of its end any more.
        feed.forget(alert.key)
        feed.done(sent, .later("no answer"), [:], at: now, resendInterval: .seconds(60))
        #expect(feed.waiting == 0)
        #expect(feed.nextDue(at: now + .seconds(10)) == now + .seconds(60))
    }

    @Test func whatFailsIsSentAgainOnceTheWayIsFree() {
        var feed = AlertmanagerFeed(url: "http://am")
        let alert = Sample.alert("a")
        feed.note(alert.key)
        let sent = feed.due([alert.key: alert], at: now, resendInterval: .seconds(60))
        feed.done(sent, .later("no answer"), [alert.key: alert], at: now, resendInterval: .seconds(60))
        #expect(feed.waiting == 1)
        #expect(feed.due([alert.key: alert], at: now + .seconds(10), resendInterval: .seconds(60)) == sent)
    }
}
