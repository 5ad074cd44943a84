import Digests
import Foundation
import Health
import Synchronization
import Testing

@testable import Alerting

@Suite struct AlerterTests {
    @Test func nothingIsSentBeforeItIsDurable() async {
        var desk = Desk(alertmanagers: ["http://am"])
        desk.see("gbbb")
        #expect(await desk.send().isEmpty)
        desk.shelf.commit()
        let sent = await desk.send()
        #expect(sent.map(\.url) == ["http://am/api/v2/alerts"])
        #expect(desk.alerter.counts.sent == 1)
    }

    @Test func aDatabaseThatCannotBeWrittenDoesNotKeepAlertsBackAndItIsSaidOnce() async {
        var desk = Desk(alertmanagers: ["http://am/"])
        desk.shelf.fail()
        desk.see("gbbb")
        #expect(await desk.send().map(\.url) == ["http://am/api/v2/alerts"])
        desk.see("gbbb", "b")
        #expect(await desk.send().count == 1)
        let events = desk.events.all.withLock(\.self)
        #expect(events.filter { if case .told = $0 { false } else { true } } == [.sentFromMemory])
        // Of each outage once.
        #expect(events.count == 3)
    }

    @Test func alertmanagersAreToldAtOnceAgainWhileItFiresAndThreeTimesWhenItIsOver() async throws {
        var desk = Desk(alertmanagers: ["http://one", "http://two"])
        desk.see("gbbb")
        desk.shelf.commit()
        #expect(Set(await desk.send().map(\.url)) == ["http://one/api/v2/alerts", "http://two/api/v2/alerts"])
        #expect(await desk.send().isEmpty)
        desk.pass(60)
        let again = await desk.send()
        #expect(again.count == 2)
        let posted = try #require(try JSONSerialization.jsonObject(with: Data(again[0].body.utf8)) as? [[String: Any]])
        #expect(posted[0]["endsAt"] as? String == "\(desk.wall + .seconds(240))")
        #expect(posted[0]["generatorURL"] as? String == "http://127.0.0.1:10115/")
        desk.see("gg")
        desk.shelf.commit()
        var times = 0
        for _ in 0..<6 {
            times += await desk.send().count
            desk.pass(60)
        }
        #expect(times == 2 * AlertmanagerFeed.resolvedTimes)
        #expect(desk.shelf.count("alert") == 0)
    }

    @Test func anAlertmanagerThatIsAwayIsToldWhenItIsBackAndTheTroubleIsSaidOnce() async {
        var desk = Desk(alertmanagers: ["http://am"])
        desk.see("gbbb")
        desk.shelf.commit()
        #expect(await desk.send(.later("no answer")).count == 1)
        #expect(await desk.send().isEmpty)
        for _ in 0..<5 {
            desk.pass(60)
            #expect(await desk.send(.later("no answer")).count == 1)
        }
        #expect(desk.alerter.counts.queued == 1)
        desk.see("gg")
        desk.shelf.commit()
        desk.pass(60)
        let sent = await desk.send()
        #expect(sent.count == 1 && sent[0].body.contains("\"endsAt\":\"\(desk.alerterEnd)"))
        #expect(
            desk.events.all.withLock(\.self) == [
                .channelFails("Alertmanager http://am", "no answer"), .channelWorksAgain("Alertmanager http://am"),
            ])
    }

    @Test func aWebhookGetsOneMessageAnOutageSignedAndNumbered() async throws {
        var desk = Desk(webhooks: ["http://hook/x"])
        desk.see("gbbb")
        desk.shelf.commit()
        #expect(await desk.send().isEmpty)
        desk.pass(10)
        #expect(await desk.send().isEmpty)
        desk.shelf.commit()
        let sent = await desk.send()
        let first = try #require(sent.first)
        #expect(sent.count == 1)
        let message = try #require(try JSONSerialization.jsonObject(with: Data(first.body.utf8)) as? [String: Any])
        #expect(message["version"] as? Int == 1)
        #expect(message["kind"] as? String == "firing")
        #expect(message["sequence"] as? Int == 1)
        #expect(first.headers["X-Rangefinder-Message"] == message["id"] as? String)
        let code = Digest(of: Array(first.body.utf8), key: Array("key".utf8)).bytes
        #expect(first.headers["X-Rangefinder-Signature"] == "sha256=" + code.map { String(format: "%02x", $0) }.joined())
        #expect((message["alerts"] as? [[String: Any]])?.first?["ended_at"] is NSNull)
        #expect(await desk.send().isEmpty)
        desk.see("gg")
        desk.shelf.commit()
        _ = await desk.send()
        desk.shelf.commit()
        #expect(await desk.send().first?.body.contains("\"kind\":\"resolved\"") == true)
        #expect(desk.shelf.state.withLock { $0.documents.keys.map(\.kind) } == ["webhooks"])
    }

    @Test func aWebhookThatIsAwayGetsEverythingInOrderWithTheSameIdentity() async {
        var desk = Desk(webhooks: ["http://hook"])
        var ids: [String?] = []
        desk.see("gbbb")
        for _ in 0..<20 {
            desk.shelf.commit()
            desk.pass(10)
            ids += await desk.send(.later("HTTP 500")).map { $0.headers["X-Rangefinder-Message"] }
        }
        desk.see("gg")
        // Attempts grow apart, and each is of the same message.
        #expect(Set(ids).count == 1)
        #expect((4..<10).contains(ids.count))
        var kinds: [Bool] = []
        for _ in 0..<40 {
            desk.shelf.commit()
            desk.pass(10)
            kinds += await desk.send().map { $0.body.contains("\"kind\":\"firing\"") }
        }
        #expect(kinds == [true, false])
    }

    @Test func aRestartSendsWhatWaitedAndNothingAgain() async {
        var desk = Desk(webhooks: ["http://hook"])
        desk.see("gbbb")
        desk.shelf.commit()
        _ = await desk.send()
        desk.pass(10)
        _ = await desk.send(.later("HTTP 500"))
        desk.shelf.commit()
        _ = await desk.send(.later("HTTP 500"))
        let next = Desk(webhooks: ["http://hook"], shelf: desk.shelf)
        let documents = desk.shelf.state.withLock(\.documents)
        next.alerter.restore(documents, judges: [Office.identity("a"): Judge(status: .down)], at: next.now, wall: next.wall)
        #expect(await next.send().count == 1)
        next.shelf.commit()
        var later = next
        later.pass(100)
        #expect(await later.send().isEmpty)
        // Once more: it was taken.
        let third = Desk(webhooks: ["http://hook"], shelf: desk.shelf)
        third.alerter.restore(
            desk.shelf.state.withLock(\.documents), judges: [Office.identity("a"): Judge(status: .down)], at: third.now,
            wall: third.wall)
        #expect(await third.send().isEmpty)
    }

    @Test func aCrashBeforeTheGroupWasMadeLosesNoAlert() async {
        var desk = Desk(webhooks: ["http://hook"])
        desk.see("gbbb")
        desk.shelf.commit()
        _ = await desk.send()
        var next = Desk(webhooks: ["http://hook"], shelf: desk.shelf)
        next.alerter.restore(
            desk.shelf.state.withLock(\.documents), judges: [Office.identity("a"): Judge(status: .down)], at: next.now,
            wall: next.wall)
        next.pass(10)
        _ = await next.send()
        next.shelf.commit()
        #expect(await next.send().count == 1)
    }

    @Test func aRestartEndsWhatEndedMeanwhile() async {
        var desk = Desk(webhooks: ["http://hook"])
        desk.see("gbbb")
        desk.shelf.commit()
        _ = await desk.send()
        desk.pass(10)
        _ = await desk.send()
        desk.shelf.commit()
        _ = await desk.send()
        let next = Desk(webhooks: ["http://hook"], shelf: desk.shelf)
        next.alerter.restore(desk.shelf.state.withLock(\.documents), judges: [:], at: next.now, wall: next.wall)
        next.shelf.commit()
        _ = await next.send()
        next.shelf.commit()
        let sent = await next.send()
        #expect(sent.count == 1)
        #expect(sent.first?.body.contains("\"ended_as\":\"removed\"") == true)
    }

    @Test func aWebhookThatIsAddedHearsOfWhatFiresAlreadyAndOneThatIsNamedTwiceHearsItOnce() async {
        var desk = Desk()
        desk.see("gbbb")
        desk.shelf.commit()
        #expect(await desk.send().isEmpty)
        var options = AlertingOptions(vantage: "here", link: "")
        for place in 1...2 { options.add(.init(url: .plain("http://hook"), secret: nil, position: place)) }
        desk.alerter.replace(options, at: desk.now, wall: desk.wall)
        desk.pass(10)
        _ = await desk.send()
        desk.shelf.commit()
        #expect(await desk.send().count == 1)
        #expect(await desk.send().isEmpty)
    }

    @Test func theOutboxHasABoundAndSaysWhenItIsMet() {
        var outbox = Outbox()
        var dropped = 0
        for number in 0..<Outbox.messagesMax + 7 {
            dropped += outbox.add([.init(webhook: "w", id: "\(number)-1", body: "")], write: 0, at: .now).dropped
        }
        #expect(dropped == 7)
        #expect(outbox.count == Outbox.messagesMax)
        #expect(outbox.due(at: .now, durable: 0).map(\.message.id) == ["7-1"])
    }

    @Test func theDaemonsOwnAlertsBeginAndEndToo() async {
        let desk = Desk(alertmanagers: ["http://am"])
        desk.alerter.set(.syncHeld, .client("c"), isFiring: true, at: desk.wall, summary: "held", description: "because")
        desk.alerter.set(.syncHeld, .client("c"), isFiring: true, at: desk.wall, summary: "held", description: "because")
        desk.shelf.commit()
        let sent = await desk.send()
        #expect(sent.count == 1)
        #expect(sent[0].body.contains("\"client_id\":\"c\""))
        desk.alerter.set(.syncHeld, .client("c"), isFiring: false, at: desk.wall)
        desk.shelf.commit()
        #expect(await desk.send().count == 1)
    }

    @Test func aSecretURLIsInNoDocument() {
        let options = AlertingOptions.Webhook(
            url: .secret(Secret("https://hooks.example/T0/B0/s3cret")), secret: nil, position: 2)
        #expect(options.name == "webhook 2")
        #expect(!options.id.contains("s3cret") && options.id.count == 16)
    }
}

extension Desk {
    /// When the first alert ended, up to the second.
    fileprivate var alerterEnd: String { String("\(wall)".prefix(11)) }
}
