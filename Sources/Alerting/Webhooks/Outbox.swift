import Health

/// Messages to webhooks that have not been taken yet, in their order for each webhook. Each is in the database until it has been, or was
/// set aside because the webhook doesn't want it.
struct Outbox: Sendable {
    struct Message: Codable, Hashable, Sendable {
        /// The webhook's, of its URL.
        let webhook: String
        let id: String
        let body: String

        /// The group that it is of: what follows for that group waits for it.
        var group: Substring { id.split(separator: "-").first ?? "" }
    }

    private struct Entry: Sendable {
        let message: Message
        /// When it is durable, it may be sent.
        let ticket: Int
        /// From then on it doesn't wait for a pause that others have brought about. nil: it had its turn, or is of an earlier life.
        var hurriesAt: ContinuousClock.Instant?
        var tries = 0
        var refusals = 0
        /// After a refusal.
        var retryAt: ContinuousClock.Instant?
    }

    /// What became of the message that was sent last.
    enum Settled: Sendable {
        case waits
        case taken(StoredDocument)
        /// Refused for so many tries: it is forgotten here. Both with the document to forget.
        case setAside(StoredDocument)
    }

    private struct Channel: Sendable {
        /// Since something was answered.
        var failures = 0
        var retryAt: ContinuousClock.Instant?
        /// The pause is the webhook's own word (`Retry-After`).
        var isAskedToWait = false
        var isBusy = false
    }

    /// Past so many for one webhook the oldest are dropped: whoever was away for so long wants to know what is now.
    static let messagesMax = 1000
    /// A message that was refused so often is set aside.
    static let triesMax = 5
    /// The longest that a message waits for a pause that others have brought about.
    static let waitMax: Duration = .seconds(30)

    /// By webhook and serial number.
    private var entries: [String: [Int: Entry]] = [:]
    private var channels: [String: Channel] = [:]
    private var serial = 0

    var count: Int { entries.values.reduce(0) { $0 + $1.count } }

    static func key(_ webhook: String, _ serial: Int) -> String {
        let digits = String(serial)
        return "\(webhook) \(String(repeating: "0", count: max(0, 12 - digits.count)))\(digits)"
    }

    mutating func restore(key: String, _ message: Message) {
        guard let number = key.split(separator: " ").last.flatMap({ Int($0) }), number >= 0, number < 1 << 40 else { return }
        serial = max(serial, number)
        entries[message.webhook, default: [:]][number] = Entry(message: message, ticket: 0)
    }

    /// Adds messages, each for another webhook, that are remembered together: with them go the documents of those that have to give way.
    ///
    /// - Returns: how many had to.
    mutating func add(_ messages: [Message], at now: ContinuousClock.Instant, persist: ([StoredDocument]) -> Int) -> Int {
        var (documents, numbers, dropped): ([StoredDocument], [Int], Int) = ([], [], 0)
        for message in messages {
            serial += 1
            numbers.append(serial)
            documents.append(StoredDocument(kind: "message", key: Self.key(message.webhook, serial), text: Text.json(message)))
            while entries[message.webhook]?.count ?? 0 >= Self.messagesMax, let oldest = entries[message.webhook]?.keys.min() {
                entries[message.webhook]?[oldest] = nil
                documents.append(StoredDocument(forgetting: "message", key: Self.key(message.webhook, oldest)))
                dropped += 1
            }
        }
        let ticket = persist(documents)
        for (message, number) in zip(messages, numbers) {
            entries[message.webhook, default: [:]][number] = Entry(
                message: message, ticket: ticket, hurriesAt: now.advanced(by: Self.waitMax))
        }
        return dropped
    }

    /// The next message of each webhook that isn't being sent to, with its number, once it is durable. Those of one group in their order;
    /// one that was tried gives way to others.
    mutating func due(at now: ContinuousClock.Instant, durable ticket: Int) -> [(serial: Int, message: Message)] {
        entries.keys.sorted().compactMap { webhook in
            let channel = channels[webhook] ?? Channel()
            guard !channel.isBusy, channel.retryAt.map({ now >= $0 }) ?? true || hurries(webhook, channel, at: now),
                let serial = next(of: webhook, at: now, durable: ticket), let entry = entries[webhook]?[serial]
            else { return nil }
            // What waits behind it in its group has had its turn, too.
            for (number, waiting) in entries[webhook] ?? [:] where waiting.message.group == entry.message.group {
                if waiting.hurriesAt.map({ now >= $0 }) ?? false { entries[webhook]?[number]?.hurriesAt = nil }
            }
            entries[webhook]?[serial]?.tries += 1
            channels[webhook, default: Channel()].isBusy = true
            return (serial, entry.message)
        }
    }

    private func hurries(_ webhook: String, _ channel: Channel, at now: ContinuousClock.Instant) -> Bool {
        !channel.isAskedToWait && (entries[webhook] ?? [:]).values.contains { $0.hurriesAt.map { now >= $0 } ?? false }
    }

    private func next(of webhook: String, at now: ContinuousClock.Instant, durable ticket: Int) -> Int? {
        var (groups, best): (Set<Substring>, (serial: Int, tries: Int)?) = ([], nil)
        for (serial, entry) in (entries[webhook] ?? [:]).sorted(by: { $0.key < $1.key }) {
            // Behind the first of its group.
            guard groups.insert(entry.message.group).inserted else { continue }
            guard entry.ticket <= ticket, entry.retryAt.map({ now >= $0 }) ?? true else { continue }
            if best.map({ entry.tries < $0.tries }) ?? true { best = (serial, entry.tries) }
            if entry.tries == 0 { break }
        }
        return best?.serial
    }

    /// Takes the answer to a message. An answer that isn't there doesn't take back a refusal, and counts as none.
    mutating func done(_ serial: Int, _ message: Message, _ answer: AlertAnswer, at now: ContinuousClock.Instant) -> Settled {
        let webhook = message.webhook
        var channel = channels[webhook] ?? Channel()
        channel.isBusy = false
        defer { channels[webhook] = channel }
        let forgotten = StoredDocument(forgetting: "message", key: Self.key(webhook, serial))
        switch answer {
        case .taken:
            channel = Channel()
            entries[webhook]?[serial] = nil
            return .taken(forgotten)
        case .later(_, let after):
            channel.failures += 1
            channel.retryAt = now.advanced(by: pause(answer, failures: channel.failures))
            channel.isAskedToWait = after != nil
            return .waits
        case .refused:
            // Whoever refuses one is there for the others.
            channel = Channel()
            // One that had to give way meanwhile is nobody's any more.
            guard var entry = entries[webhook]?[serial] else { return .waits }
            entry.refusals += 1
            entry.retryAt = now.advanced(by: backoff(failures: entry.refusals))
            entries[webhook]?[serial] = entry.refusals < Self.triesMax ? entry : nil
            return entry.refusals < Self.triesMax ? .waits : .setAside(forgotten)
        }
    }

    /// Webhooks that are no longer configured. Returns the documents to forget.
    mutating func keep(_ webhooks: Set<String>) -> [StoredDocument] {
        let gone = entries.filter { !webhooks.contains($0.key) }
        for webhook in gone.keys { (entries[webhook], channels[webhook]) = (nil, nil) }
        return gone.flatMap { webhook, waiting in
            waiting.keys.map { StoredDocument(forgetting: "message", key: Self.key(webhook, $0)) }
        }
    }

    /// What waits for a webhook waits for another from now on: its URL has changed. Call ``keep(_:)`` after it.
    mutating func move(
        from old: String, to new: String, at now: ContinuousClock.Instant, persist: ([StoredDocument]) -> Int
    ) {
        guard let waiting = entries[old] else { return }
        for (_, entry) in waiting.sorted(by: { $0.key < $1.key }) {
            _ = add([.init(webhook: new, id: entry.message.id, body: entry.message.body)], at: now, persist: persist)
        }
    }

    /// Whether a message waits for a webhook.
    func holds(_ id: String, for webhook: String) -> Bool {
        entries[webhook]?.values.contains { $0.message.id == id } ?? false
    }

    /// All of it, for a database that has begun anew.
    var documents: [StoredDocument] {
        entries.flatMap { webhook, waiting in
            waiting.map { StoredDocument(kind: "message", key: Self.key(webhook, $0), text: Text.json($1.message)) }
        }
    }
}
