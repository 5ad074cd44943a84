import Health

/// Messages to webhooks that have not been taken yet, in their order for each webhook. Each is in the database until it has been, or was
/// set aside because the webhook doesn't want it.
struct Outbox: Sendable {
    struct Message: Codable, Hashable, Sendable {
        /// The webhook's, of its URL.
        let webhook: String
        let id: String
        let body: String
        /// The outages that it tells, for whoever wants to know when the first message was taken. An earlier version kept none.
        var outages: [Outage]? = nil

        /// The group that it is of: what follows for that group waits for it.
        var group: Substring { id.split(separator: "-").first ?? "" }
    }

    /// One incident that a message tells.
    struct Outage: Codable, Hashable, Sendable {
        let key: String
        let clientID: String
        let targetID: String
        let startedAtMilliseconds: Int64

        /// nil of an alert that tells no outage that goes on.
        init?(_ alert: Alert) {
            guard alert.name == .targetDown, alert.isFiring, let target = alert.target else { return nil }
            (key, clientID, targetID) = (alert.key, target.clientID, target.key)
            startedAtMilliseconds = alert.startedAt.milliseconds
        }
    }

    /// What became of the message that was sent last.
    enum Outcome: Sendable {
        case waits
        case taken(StoredDocument)
        /// Refused for so many tries: it is forgotten here. Both with the document to forget.
        case setAside(StoredDocument)
    }

    /// The kind of its documents.
    static let kind = "message"
    /// Past so many for one webhook the oldest are dropped: whoever was away for so long wants to know what is now.
    static let messagesMax = 1000
    /// A message that was refused so often is set aside.
    static let triesMax = 5

    /// By webhook.
    private var queues: [String: WebhookQueue] = [:]
    private var serial = 0

    var count: Int { queues.values.reduce(0) { $0 + $1.count } }

    static func key(_ webhook: String, _ serial: Int) -> String {
        let digits = String(serial)
        return "\(webhook) \(String(repeating: "0", count: max(0, 12 - digits.count)))\(digits)"
    }

    mutating func restore(key: String, _ message: Message) {
        guard let number = key.split(separator: " ").last.flatMap({ Int($0) }), number >= 0, number < 1 << 40 else { return }
        serial = max(serial, number)
        queues[message.webhook, default: WebhookQueue()].restore(message, serial: number)
    }

    /// Adds messages, each for another webhook.
    ///
    /// - Parameter write: the number of the write that takes the documents. The messages are sent when it is durable.
    /// - Returns: the documents to write, those of messages that have to give way among them; and how many had to.
    mutating func add(_ messages: [Message], write: Int, at now: ContinuousClock.Instant) -> (
        documents: [StoredDocument], dropped: Int
    ) {
        var (documents, dropped): ([StoredDocument], Int) = ([], 0)
        for message in messages {
            serial += 1
            documents.append(
                StoredDocument(kind: Self.kind, key: Self.key(message.webhook, serial), text: Text.json(message)))
            let gone = queues[message.webhook, default: WebhookQueue()].add(
                message, serial: serial, write: write, at: now, atMost: Self.messagesMax)
            documents += gone.map { Self.forgetting(message.webhook, $0) }
            dropped += gone.count
        }
        return (documents, dropped)
    }

    /// The next message of each webhook that isn't being sent to, with its number, once it is durable.
    ///
    /// - Parameter write: the number of the last write that is durable.
    mutating func due(at now: ContinuousClock.Instant, durable write: Int) -> [(serial: Int, message: Message)] {
        queues.keys.sorted().compactMap { queues[$0]?.next(at: now, durable: write) }
    }

    /// As ``WebhookQueue/nextDue(at:)``, of all webhooks.
    func nextDue(at now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        queues.values.compactMap { $0.nextDue(at: now) }.min()
    }

    /// Takes the answer to a message.
    mutating func done(_ serial: Int, _ message: Message, _ answer: AlertAnswer, at now: ContinuousClock.Instant) -> Outcome {
        switch queues[message.webhook]?.done(serial, answer, at: now, triesMax: Self.triesMax) ?? .waits {
        case .waits: .waits
        case .taken: .taken(Self.forgetting(message.webhook, serial))
        case .refusedForGood: .setAside(Self.forgetting(message.webhook, serial))
        }
    }

    /// Webhooks that are no longer configured. Returns the documents to forget.
    mutating func keep(_ webhooks: Set<String>) -> [StoredDocument] {
        let gone = queues.filter { !webhooks.contains($0.key) }
        for webhook in gone.keys { queues[webhook] = nil }
        return gone.flatMap { webhook, queue in queue.messages.map { Self.forgetting(webhook, $0.serial) } }
    }

    /// What waits for a webhook waits for another from now on: its URL has changed. Call ``keep(_:)`` after it. Returns the documents to write.
    mutating func move(from old: String, to new: String, write: Int, at now: ContinuousClock.Instant) -> [StoredDocument] {
        let waiting = queues[old]?.messages ?? []
        return waiting.flatMap { _, message in
            add([.init(webhook: new, id: message.id, body: message.body)], write: write, at: now).documents
        }
    }

    /// Whether a message waits for a webhook.
    func holds(_ id: String, for webhook: String) -> Bool { queues[webhook]?.messages.contains { $0.message.id == id } ?? false }

    /// All of it, for a database that has begun anew.
    var documents: [StoredDocument] {
        queues.flatMap { webhook, queue in
            queue.messages.map {
                StoredDocument(kind: Self.kind, key: Self.key(webhook, $0.serial), text: Text.json($0.message))
            }
        }
    }

    private static func forgetting(_ webhook: String, _ serial: Int) -> StoredDocument {
        StoredDocument(forgetting: kind, key: key(webhook, serial))
    }
}
