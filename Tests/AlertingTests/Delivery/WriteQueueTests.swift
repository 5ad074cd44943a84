import DequeModule
import Health
import Synchronization
import Testing

@testable import Alerting

@Suite struct WriteQueueTests {
    private func add(_ queue: inout WriteQueue, _ key: String) {
        queue.add(AlertEffects(documents: [StoredDocument(forgetting: "alert", key: key)])) { _ in nil }
    }

    private func key(_ write: WriteQueue.Write?) -> String? { write?.effects.documents.first?.id.key }

    @Test func writesAreHandedOverInTheirOrderAndByOneThreadAtATime() throws {
        var queue = WriteQueue()
        #expect(queue.isIdle)
        for name in ["a", "b"] { add(&queue, name) }
        let firstWrite = queue.next()
        let first = try #require(firstWrite)
        #expect(key(first) == "a")
        #expect(queue.next() == nil && !queue.isIdle)
        add(&queue, "c")
        queue.done(first, ticket: 1)
        let secondWrite = queue.next()
        let second = try #require(secondWrite)
        #expect(key(second) == "b")
        queue.done(second, ticket: 2)
        let thirdWrite = queue.next()
        let third = try #require(thirdWrite)
        #expect(key(third) == "c" && !queue.isIdle)
        queue.done(third, ticket: nil)
        #expect(queue.next() == nil && queue.isIdle)
    }

    @Test func aWriteIsDurableWithItsTicketAndNoSooner() throws {
        var queue = WriteQueue()
        for (index, ticket) in [5, nil, 7].enumerated() {
            #expect(queue.nextNumber == index + 1)
            add(&queue, "\(index)")
            let write = queue.next()
            queue.done(try #require(write), ticket: ticket)
        }
        #expect(queue.durable(through: 4) == 0)
        // The second wants no ticket of its own: it is as durable as the first.
        #expect(queue.durable(through: 6) == 2)
        #expect(queue.durable(through: 7) == 3)
        #expect(queue.durable(through: nil) == .max)
    }

    /// While nothing can be written each result goes through the queue, and most have no document.
    @Test func writesWithoutATicketOfTheirOwnTakeNoMemory() throws {
        var queue = WriteQueue()
        for index in 1...100_000 {
            queue.add(AlertEffects()) { _ in nil }
            let write = queue.next()
            queue.done(try #require(write), ticket: index < 3 ? index : nil)
            if index % 1000 == 0 { #expect(queue.durable(through: nil) == .max) }
        }
        #expect(queue.handedOver.count == 2)
        #expect(queue.durable(through: 1) == 1)
        #expect(queue.durable(through: 2) == 100_000)
    }

    @Test func whatWasNotHandedOverIsNotDurable() throws {
        var queue = WriteQueue()
        add(&queue, "a")
        #expect(queue.durable(through: 1000) == 0)
        let writeWrite = queue.next()
        let write = try #require(writeWrite)
        #expect(queue.durable(through: 1000) == 0)
        queue.done(write, ticket: 3)
        #expect(queue.durable(through: 1000) == 1)
    }
}

/// Whoever is called by the alerter may ask the alerter: no lock is held meanwhile. With one held, each of these would never return.
@Suite struct AlerterCallbackTests {
    @Test func documentsAreWrittenWithNoLockHeld() {
        let desk = Desk(webhooks: ["http://hook"])
        var office = Office()
        let written = Order()
        for letter in "gbbb" {
            office.pass(5)
            _ = desk.alerter.apply(office.report(letter, "a"), at: office.now) { [alerter = desk.alerter] documents in
                #expect(alerter.interest(in: Office.identity("a"), isDown: false).isWriting)
                for document in documents { written.add(document.id.kind) }
                return 1
            }
        }
        #expect(written.all == ["alert"])
        #expect(!desk.alerter.interest(in: Office.identity("a"), isDown: false).isWriting)
    }

    @Test func eventsAreToldWithNoLockHeld() async {
        var desk = Desk(webhooks: ["http://hook"])
        let counts = Order()
        let alerter = Mutex<Alerter?>(nil)
        desk.onEvent { _ in counts.add("\(alerter.withLock { $0 }?.counts.failed ?? -1)") }
        alerter.withLock { $0 = desk.alerter }
        desk.see("gbbb")
        for _ in 0..<4 {
            desk.shelf.commit()
            desk.pass(20)
            _ = await desk.send(.later("no answer"))
        }
        #expect(counts.all == ["1"])
    }

    /// One write is under way when others come: they are written behind it, in their order, and nothing of them is lost.
    @Test func whatComesDuringAWriteIsWrittenBehindIt() {
        let desk = Desk()
        let order = Order()
        desk.alerter.inOrder { [alerter = desk.alerter] in
            order.add("first begins")
            alerter.inOrder { order.add("second") }
            alerter.set(.historyDropping, isFiring: true, at: Timestamp(milliseconds: 0))
            alerter.inOrder { [shelf = desk.shelf] in order.add("third, behind \(shelf.count("alert")) alert") }
            order.add("first ends")
        }
        #expect(order.all == ["first begins", "first ends", "second", "third, behind 1 alert"])
    }
}

private final class Order: Sendable {
    private let words = Mutex<[String]>([])
    func add(_ word: String) { words.withLock { $0.append(word) } }
    var all: [String] { words.withLock(\.self) }
}
