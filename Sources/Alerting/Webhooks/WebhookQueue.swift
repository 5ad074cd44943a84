import Health

/// The messages to one webhook: a state machine that says which message to send next, and what its answer makes of it.
///
/// Messages of one group go in their order. A message that was tried gives way to messages of other groups. One message is sent at a time.
struct WebhookQueue: Sendable {
    /// A message, and how far it has come.
    private struct Entry: Sendable {
        let message: Outbox.Message
        /// The number of the write that it is durable with. Then it may be sent.
        let write: Int
        var tries = 0
        var state: State

        enum State: Sendable {
            /// `hurriesAt`: from then on the message doesn't wait for a pause that others have brought about. nil: it had its turn, or is of an
            /// earlier life.
            case waiting(hurriesAt: ContinuousClock.Instant?)
            case refused(times: Int, retryAt: ContinuousClock.Instant)
        }

        func hurries(at now: ContinuousClock.Instant) -> Bool {
            if case .waiting(let hurriesAt?) = state { now >= hurriesAt } else { false }
        }

        /// From when on it may be sent.
        func opens(at now: ContinuousClock.Instant) -> ContinuousClock.Instant {
            if case .refused(_, let retryAt) = state { retryAt } else { now }
        }

        var hurriesAt: ContinuousClock.Instant? { if case .waiting(let hurriesAt) = state { hurriesAt } else { nil } }

        func mayBeSent(at now: ContinuousClock.Instant) -> Bool {
            if case .refused(_, let retryAt) = state { now >= retryAt } else { true }
        }

        var refusals: Int { if case .refused(let times, _) = state { times } else { 0 } }
    }

    enum Outcome: Hashable, Sendable { case waits, taken, refusedForGood }

    /// The longest that a message waits for a pause that others have brought about.
    private static let waitMax: Duration = .seconds(30)

    /// By serial number.
    private var entries: [Int: Entry] = [:]
    private var channel = ChannelState.ready

    var count: Int { entries.count }

    /// In their order.
    var messages: [(serial: Int, message: Outbox.Message)] {
        entries.sorted { $0.key < $1.key }.map { ($0.key, $0.value.message) }
    }

    mutating func restore(_ message: Outbox.Message, serial: Int) {
        entries[serial] = Entry(message: message, write: 0, state: .waiting(hurriesAt: nil))
    }

    /// Returns the serial numbers of the oldest messages, which have to give way.
    mutating func add(
        _ message: Outbox.Message, serial: Int, write: Int, at now: ContinuousClock.Instant, atMost limit: Int
    ) -> [Int] {
        let gone = entries.count < limit ? [] : Array(entries.keys.sorted().prefix(entries.count - limit + 1))
        for serial in gone { entries[serial] = nil }
        entries[serial] = Entry(
            message: message, write: write, state: .waiting(hurriesAt: now.advanced(by: Self.waitMax)))
        return gone
    }

    /// The message to send now; its answer goes to ``done(_:_:at:triesMax:)``. nil when there is none, or the webhook is not to be asked yet.
    ///
    /// - Parameter write: the number of the last write that is durable.
    mutating func next(at now: ContinuousClock.Instant, durable write: Int) -> (serial: Int, message: Outbox.Message)? {
        let hurries = entries.values.contains { $0.hurries(at: now) }
        guard channel.maySend(at: now, hurries: hurries), let serial = first(at: now, durable: write),
            let message = entries[serial]?.message
        else { return nil }
        // What waits behind it in its group has had its turn, too.
        for (number, waiting) in entries where waiting.message.group == message.group && waiting.hurries(at: now) {
            entries[number]?.state = .waiting(hurriesAt: nil)
        }
        entries[serial]?.tries += 1
        channel.begin()
        return (serial, message)
    }

    /// When there may be a message to send next; nil when no message waits, or one is being sent. A message that isn't durable yet counts as due.
    func nextDue(at now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        guard let opens = channel.opens(at: now, hurriesAt: entries.values.compactMap(\.hurriesAt).min()) else { return nil }
        var groups: Set<Substring> = []
        var earliest: ContinuousClock.Instant?
        for (_, entry) in entries.sorted(by: { $0.key < $1.key }) where groups.insert(entry.message.group).inserted {
            earliest = min(earliest ?? entry.opens(at: now), entry.opens(at: now))
        }
        return earliest.map { max(opens, $0) }
    }

    private func first(at now: ContinuousClock.Instant, durable write: Int) -> Int? {
        var (groups, best): (Set<Substring>, (serial: Int, tries: Int)?) = ([], nil)
        for (serial, entry) in entries.sorted(by: { $0.key < $1.key }) {
            // Behind the first of its group.
            guard groups.insert(entry.message.group).inserted else { continue }
            guard entry.write <= write, entry.mayBeSent(at: now) else { continue }
            if best.map({ entry.tries < $0.tries }) ?? true { best = (serial, entry.tries) }
            if entry.tries == 0 { break }
        }
        return best?.serial
    }

    /// Takes the answer to a message. An answer that isn't there doesn't take back a refusal, and counts as none.
    mutating func done(_ serial: Int, _ answer: AlertAnswer, at now: ContinuousClock.Instant, triesMax: Int) -> Outcome {
        switch answer {
        case .taken:
            channel.succeed()
            entries[serial] = nil
            return .taken
        case .later:
            channel.fail(answer, at: now)
            return .waits
        case .refused:
            // Whoever refuses one is there for the others.
            channel.succeed()
            // One that had to give way meanwhile is nobody's any more.
            guard let entry = entries[serial] else { return .waits }
            let times = entry.refusals + 1
            guard times < triesMax else {
                entries[serial] = nil
                return .refusedForGood
            }
            entries[serial]?.state = .refused(times: times, retryAt: now.advanced(by: backoff(failures: times)))
            return .waits
        }
    }
}
