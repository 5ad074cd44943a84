import FoundationEssentials
import Health

/// The envelope of every `--json`: `{"version": 1, "kind": …, "generated_at": …, "items": […]}`. Schemas are in docs/json.
struct JSONEnvelope<Item: Encodable>: Encodable {
    var version = 1
    var kind: String
    var generatedAt: String
    var items: [Item]

    /// One line and a line feed.
    static func text(kind: String, at now: Timestamp, _ items: [Item]) throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let envelope = JSONEnvelope(kind: kind, generatedAt: now.description, items: items)
        return String(decoding: try encoder.encode(envelope), as: UTF8.self) + "\n"
    }
}

/// What is absent is `null` and never left out.
@propertyWrapper
struct OrNull<Value: Encodable>: Encodable {
    var wrappedValue: Value?

    init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let wrappedValue { try container.encode(wrappedValue) } else { try container.encodeNil() }
    }
}
