import Health
import Testing

@testable import Alerting

/// Whom a message that isn't taken keeps waiting, and for how long.
@Suite struct OutboxTests {
    private let start = ContinuousClock.now

    private func at(_ seconds: Double) -> ContinuousClock.Instant { start.advanced(by: .milliseconds(Int(seconds * 1000))) }

    private func add(_ id: String, to outbox: inout Outbox, at seconds: Double) {
        _ = outbox.add([.init(webhook: "w", id: id, body: "")], write: 0, at: at(seconds))
    }

    /// Sends what is due and gives it an answer. Returns its id.
    private func send(_ outbox: inout Outbox, _ answer: AlertAnswer, at seconds: Double) -> String? {
        guard let job = outbox.due(at: at(seconds), durable: 0).first else { return nil }
        _ = outbox.done(job.serial, job.message, answer, at: at(seconds))
        return job.message.id
    }

    @Test func aMessageThatIsRefusedKeepsOnlyItsOwnGroupWaiting() {
        var outbox = Outbox()
        for id in ["a-1", "a-2", "b-1"] { add(id, to: &outbox, at: 0) }
        #expect(send(&outbox, .refused("HTTP 400"), at: 0) == "a-1")
        #expect(send(&outbox, .taken, at: 0) == "b-1")
        #expect(send(&outbox, .taken, at: 0.9) == nil)
        for (seconds, answer) in [(1.0, AlertAnswer.refused("HTTP 400")), (3, .refused("HTTP 400")), (7, .refused("HTTP 400"))] {
            #expect(send(&outbox, answer, at: seconds) == "a-1")
        }
        add("c-1", to: &outbox, at: 8)
        #expect(send(&outbox, .taken, at: 8) == "c-1")
        #expect(send(&outbox, .refused("HTTP 400"), at: 15) == "a-1")
        // It is set aside, and what follows in its group has its turn.
        #expect(send(&outbox, .taken, at: 15) == "a-2")
        #expect(outbox.count == 0)
    }

    @Test func aReceiverThatIsAwayIsAskedForANewMessageWithinHalfAMinute() {
        var outbox = Outbox()
        add("a-1", to: &outbox, at: 0)
        var now = 0.0
        for failures in 1...9 {
            #expect(send(&outbox, .later("no answer"), at: now) == "a-1")
            now += Double(min(300, 1 << (failures - 1)))
        }
        // The next attempt would come at 511 seconds.
        add("b-1", to: &outbox, at: 300)
        #expect(send(&outbox, .later("no answer"), at: 329.9) == nil)
        #expect(send(&outbox, .later("no answer"), at: 330) == "b-1")
        #expect(send(&outbox, .taken, at: 331) == nil)
        // One that is taken ends the pause for all.
        add("c-1", to: &outbox, at: 340)
        #expect(send(&outbox, .taken, at: 370) == "c-1")
        #expect(send(&outbox, .taken, at: 370) == "b-1")
        #expect(send(&outbox, .taken, at: 370) == "a-1")
    }

    @Test func aPauseThatTheReceiverAskedForIsKept() {
        var outbox = Outbox()
        add("a-1", to: &outbox, at: 0)
        #expect(send(&outbox, .later("HTTP 429", after: .seconds(600)), at: 0) == "a-1")
        add("b-1", to: &outbox, at: 1)
        #expect(send(&outbox, .taken, at: 599) == nil)
        #expect(send(&outbox, .taken, at: 600) == "b-1")
    }
}
