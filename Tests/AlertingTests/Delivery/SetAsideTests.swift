import Health
import Synchronization
import Testing

@testable import Alerting

/// What becomes of messages that a webhook doesn't take.
@Suite struct SetAsideTests {
    private func desk() -> Desk {
        var desk = Desk(webhooks: ["http://hook"])
        desk.see("gbbb")
        desk.shelf.commit()
        return desk
    }

    /// Sends what is due every second for so long. Returns the ids and kinds of what was sent.
    private func send(_ desk: inout Desk, seconds: Int, _ answer: (_ body: String) -> AlertAnswer) async -> [String] {
        var sent: [String] = []
        for _ in 0..<seconds {
            desk.pass(1)
            desk.shelf.commit()
            for job in desk.alerter.due(at: desk.now, wall: desk.wall) {
                guard case .webhook(_, let message, _) = job else { continue }
                sent.append(message.body.contains("\"kind\":\"firing\"") ? "firing" : "resolved")
                desk.alerter.done(job, answer(message.body), at: desk.now, wall: desk.wall)
            }
        }
        return sent
    }

    @Test(arguments: [
        (200, AlertAnswer.taken), (204, .taken), (299, .taken),
        (408, .later("it answered HTTP 408", after: .seconds(7))), (425, .later("it answered HTTP 425", after: .seconds(7))),
        (429, .later("it answered HTTP 429", after: .seconds(7))), (500, .later("it answered HTTP 500", after: .seconds(7))),
        (599, .later("it answered HTTP 599", after: .seconds(7))),
        (302, .refused("it answered HTTP 302")), (400, .refused("it answered HTTP 400")), (401, .refused("it answered HTTP 401")),
        (404, .refused("it answered HTTP 404")), (413, .refused("it answered HTTP 413")), (600, .refused("it answered HTTP 600")),
    ])
    func theStatusSaysWhatBecameOfAMessage(status: Int, answer: AlertAnswer) {
        #expect(AlertAnswer(status: status, retryAfter: .seconds(7)) == answer)
    }

    @Test func aMessageThatIsRefusedFiveTimesIsSetAsideAndWhatIsBehindItGoesOn() async {
        var desk = desk()
        _ = await send(&desk, seconds: 12) { _ in .refused("it answered HTTP 400") }
        desk.see("gg")
        let sent = await send(&desk, seconds: 60) { $0.contains("firing") ? .refused("it answered HTTP 400") : .taken }
        #expect(sent.count { $0 == "firing" } < 5)
        #expect(sent.last == "resolved" && sent.count { $0 == "resolved" } == 1)
        let kept = SetAside.read(desk.shelf.state.withLock(\.documents))
        #expect(kept.map(\.reason) == ["it answered HTTP 400"] && kept.map(\.tries) == [5])
        #expect(kept.map(\.channel) == ["webhook http://hook"])
        #expect(desk.shelf.count("message") == 0)
        #expect(desk.alerter.counts.setAside == ["webhook http://hook": 1])
        #expect(desk.alerter.counts.queued == 0)
        #expect(desk.events.all.withLock { $0.contains { if case .setAside = $0 { true } else { false } } })
    }

    @Test func whatIsToBeTriedAgainIsNeverSetAside() async {
        var desk = desk()
        let sent = await send(&desk, seconds: 4000) { _ in .later("it answered HTTP 503") }
        #expect(sent.count > 10)
        #expect(desk.alerter.counts.setAside == ["webhook http://hook": 0])
        #expect(desk.alerter.counts.queued == 1)
    }

    /// A receiver that is away now and then can't keep a message that it doesn't want at the head for ever.
    @Test func anAnswerThatIsMissingTakesNoRefusalBack() async {
        var desk = desk()
        let tries = Mutex(0)
        _ = await send(&desk, seconds: 4000) { _ in
            let number = tries.withLock { tries in
                tries += 1
                return tries
            }
            return number.isMultiple(of: 2) ? .later("no answer") : .refused("it answered HTTP 400")
        }
        #expect(tries.withLock { $0 } == 9)
        #expect(desk.alerter.counts.setAside == ["webhook http://hook": 1])
    }

    @Test(arguments: [(Duration.seconds(40), 40), (.zero, 1), (.seconds(90_000), 3600)])
    func whenAReceiverWantsToBeAskedAgainIsObeyedWithinAnHour(after: Duration, seconds: Int) {
        let now = ContinuousClock.now
        var outbox = Outbox()
        _ = outbox.add([.init(webhook: "w", id: "1", body: "")], write: 0, at: now)
        let first = outbox.due(at: now, durable: 0)
        #expect(first.count == 1)
        _ = outbox.done(first[0].serial, first[0].message, .later("it answered HTTP 429", after: after), at: now)
        #expect(outbox.due(at: now.advanced(by: .seconds(seconds) - .milliseconds(1)), durable: 0).isEmpty)
        #expect(outbox.due(at: now.advanced(by: .seconds(seconds)), durable: 0).count == 1)
    }

    /// Alerts end there by themselves after four rounds.
    @Test func anAlertmanagerIsNotWaitedForLongerThanARound() async {
        var desk = Desk(alertmanagers: ["http://am"])
        desk.see("gbbb")
        desk.shelf.commit()
        #expect(await desk.send(.later("it answered HTTP 429", after: .seconds(3600))).count == 1)
        desk.pass(59)
        #expect(await desk.send().isEmpty)
        desk.pass(1)
        #expect(await desk.send().count == 1)
    }

    @Test func whatIsSetAsideIsKeptOverARestartWithinItsBounds() async {
        var (setAside, documents) = (SetAside(), [StoredDocument.ID: String]())
        func keep(_ changes: [StoredDocument]) { for change in changes { documents[change.id] = change.text?() } }
        func message(_ id: Int, at seconds: Int64) -> SetAside.Message {
            .init(
                webhook: "w", channel: "webhook 1", id: "\(id)", body: "{}", reason: "it answered HTTP 400", tries: 5,
                atMilliseconds: seconds * 1000)
        }
        for id in 0..<SetAside.messagesMax + 3 { keep(setAside.add(message(id, at: 1_700_000_000))) }
        #expect(SetAside.read(documents).map(\.id) == (3..<SetAside.messagesMax + 3).map(String.init))
        var next = SetAside()
        for (id, text) in documents {
            if let message = Text.value(SetAside.Message.self, text) { next.restore(key: id.key, message) }
        }
        keep(next.add(message(1000, at: 1_700_000_000)))
        #expect(SetAside.read(documents).map(\.id) == (4..<SetAside.messagesMax + 3).map(String.init) + ["1000"])
        keep(next.expire(at: Timestamp(milliseconds: 1_700_000_000_000) + SetAside.ageMax + .seconds(1)))
        #expect(documents.isEmpty)
    }
}
