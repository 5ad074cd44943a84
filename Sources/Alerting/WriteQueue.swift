internal import DequeModule
import Health

/// What follows from a change of the alerts, and is done after the lock is free.
struct AlertEffects: Sendable {
    var documents: [StoredDocument] = []
    var events: [AlertingEvent] = []

    var isEmpty: Bool { documents.isEmpty && events.isEmpty }
}

/// What the alerts want to have written, in the order in which they changed. One thread at a time hands it to the database, and holds no lock
/// while it does: who finds another thread at it leaves its own to that thread.
struct WriteQueue: Sendable {
    /// Takes documents; returns the ticket at which they are durable, or nil where nobody waits for that.
    typealias Writer = @Sendable ([StoredDocument]) -> Int?

    struct Write: Sendable {
        let number: Int
        let effects: AlertEffects
        let writer: Writer
    }

    private var waiting: Deque<Write> = []
    private var isBusy = false
    /// The last number that was given out.
    private var last = 0
    /// Writes that were handed over and aren't known to be durable: of each ticket the last one. Both numbers rise.
    private(set) var handedOver: Deque<(number: Int, ticket: Int)> = []
    private var lastDurable = 0

    /// The number of the write that comes next.
    var nextNumber: Int { last + 1 }

    /// Whether everything was handed over.
    var isIdle: Bool { !isBusy && waiting.isEmpty }

    mutating func add(_ effects: AlertEffects, _ writer: @escaping Writer) {
        last += 1
        waiting.append(Write(number: last, effects: effects, writer: writer))
    }

    /// The next write for the caller to hand over, who then calls ``done(_:ticket:)``. nil when there is none, or another thread is at it.
    mutating func next() -> Write? {
        guard !isBusy, !waiting.isEmpty else { return nil }
        isBusy = true
        return waiting.removeFirst()
    }

    mutating func done(_ write: Write, ticket: Int?) {
        isBusy = false
        let last = handedOver.last?.ticket ?? 0
        let ticket = max(ticket ?? 0, last)
        // Most writes have no document of their own, and so no ticket: while nothing can be written they would be without number.
        if ticket == last, !handedOver.isEmpty { handedOver.removeLast() }
        handedOver.append((write.number, ticket))
    }

    /// The number up to which every write is durable.
    ///
    /// - Parameter ticket: the last ticket that is durable; nil while nothing can be written, and then nothing waits for that.
    mutating func durable(through ticket: Int?) -> Int {
        guard let ticket else { return .max }
        while let first = handedOver.first, first.ticket <= ticket {
            lastDurable = first.number
            handedOver.removeFirst()
        }
        return lastDurable
    }
}
