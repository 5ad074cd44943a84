import FoundationEssentials
package import Health

/// The envelope of every `--json`: `{"version": 1, "kind": …, "generated_at": …, "items": […]}`. Schemas are in docs/json.
package struct JSONEnvelope<Item: Encodable>: Encodable {
    var version = 1
    var kind: String
    var generatedAt: String
    var items: [Item]

    /// One line and a line feed.
    package static func text(kind: String, at now: Timestamp, _ items: [Item]) throws -> String {
        try encoded(JSONEnvelope(kind: kind, generatedAt: now.description, items: items)) + "\n"
    }
}

func encoded(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return harmlessJSON(String(decoding: try encoder.encode(value), as: UTF8.self))
}

/// The same document, in which what a terminal would obey or not show is written as `\uXXXX` (RFC 8259, section 7). Such characters stand
/// only inside of texts, and whoever reads the document gets them exactly.
package func harmlessJSON(_ document: String) -> String {
    guard document.unicodeScalars.contains(where: mustBeEscapedInJSON) else { return document }
    var harmless = ""
    harmless.reserveCapacity(document.utf8.count)
    for scalar in document.unicodeScalars {
        guard mustBeEscapedInJSON(scalar) else {
            harmless.unicodeScalars.append(scalar)
            continue
        }
        for unit in String(scalar).utf16 { harmless += Hex.jsonEscape(unit) }
    }
    return harmless
}

private func mustBeEscapedInJSON(_ scalar: Unicode.Scalar) -> Bool {
    !scalar.isASCII ? mustBeEscaped(scalar) : scalar.value == 0x7F
}

/// What is absent is `null` and never left out.
@propertyWrapper
package struct OrNull<Value: Encodable>: Encodable {
    package var wrappedValue: Value?

    package init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let wrappedValue { try container.encode(wrappedValue) } else { try container.encodeNil() }
    }
}
