package import Health

/// Messages that a webhook refused for good. They are kept in the database for whoever looks for what was not said, the newest
/// ``messagesMax`` of them for ``ageMax``.
package struct SetAside: Sendable {
    /// One of them. Its document's form is read by other versions: members are only added, and may be missing.
    package struct Message: Codable, Hashable, Sendable {
        /// The webhook's id, of its URL.
        let webhook: String
        /// As the log and the metrics call it.
        package let channel: String
        /// The header `X-Rangefinder-Message` that it was sent with.
        package let id: String
        let body: String
        /// What the webhook said of it at last; may hold foreign text.
        package let reason: String
        package let tries: Int
        let atMilliseconds: Int64

        package var at: Timestamp { Timestamp(milliseconds: atMilliseconds) }
    }

    /// The kind of its documents.
    package static let kind = "set_aside"
    static let messagesMax = 100
    static let ageMax: Duration = .seconds(30 * 86_400)

    /// By key, which sorts by age.
    private var messages: [String: Message] = [:]
    private var last: Int64 = 0

    init() {}

    mutating func restore(key: String, _ message: Message) {
        messages[key] = message
        last = max(last, Self.number(key))
    }

    /// Returns the documents that keep it, and forget those that had to give way.
    mutating func add(_ message: Message) -> [StoredDocument] {
        last += 1
        let digits = String(last)
        let key = String(repeating: "0", count: max(0, 12 - digits.count)) + digits
        messages[key] = message
        return [Self.document(key, message)] + expire(at: message.at)
    }

    /// Returns the documents to forget.
    mutating func expire(at now: Timestamp) -> [StoredDocument] {
        let keys = messages.keys.sorted()
        let gone = keys.enumerated().filter { index, key in
            index < keys.count - Self.messagesMax || messages[key].map { now - $0.at > Self.ageMax } ?? true
        }
        return gone.map { _, key in
            messages[key] = nil
            return StoredDocument(forgetting: Self.kind, key: key)
        }
    }

    /// All of it, for a database that has begun anew.
    var documents: [StoredDocument] { messages.map { Self.document($0, $1) } }

    /// What a database has of them, oldest first.
    package static func read(_ documents: [StoredDocument.ID: String]) -> [Message] {
        documents.filter { $0.key.kind == kind }.sorted { $0.key.key < $1.key.key }.compactMap {
            Text.value(Message.self, $0.value)
        }
    }

    private static func document(_ key: String, _ message: Message) -> StoredDocument {
        StoredDocument(kind: kind, key: key, text: Text.json(message))
    }

    private static func number(_ key: String) -> Int64 { Int64(key).flatMap { (0..<1 << 40).contains($0) ? $0 : nil } ?? 0 }
}
