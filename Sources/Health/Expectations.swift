/// What a body must say to be as expected: the value at one place of a JSON document.
package struct BodyJSON: Hashable, Sendable {
    package var path: JSONPath
    package var equals: JSONScalar

    package init(path: JSONPath, equals: JSONScalar) {
        self.path = path
        self.equals = equals
    }
}

/// A JSON value that holds no other.
package enum JSONScalar: Hashable, Sendable, CustomStringConvertible {
    case null
    case boolean(Bool)
    case number(Double)
    case text(String)

    /// As JSON writes it.
    package var description: String {
        switch self {
        case .null: "null"
        case .boolean(let value): "\(value)"
        case .number(let value): Int(exactly: value).map { "\($0)" } ?? "\(value)"
        case .text(let text): "\"\(text)\""
        }
    }
}

/// The place of one value in a JSON document: a singular query of RFC 9535 (section 2.3.5.1), as in `$.checks[0]['data base'].ok`.
package struct JSONPath: Hashable, Sendable, CustomStringConvertible {
    package enum Step: Hashable, Sendable {
        case member(String)
        /// Negative counts from the end.
        case index(Int)
    }

    package static let stepLimit = 64

    package let description: String
    package let steps: [Step]

    /// nil for what is no singular query, or goes deeper than ``stepLimit``.
    package init?(_ text: String) {
        var reader = JSONPathReader(text)
        guard let steps = reader.steps(), steps.count <= Self.stepLimit else { return nil }
        description = text
        self.steps = steps
    }
}

private struct JSONPathReader {
    private var rest: Substring.UnicodeScalarView

    init(_ text: String) { rest = text[...].unicodeScalars }

    mutating func steps() -> [JSONPath.Step]? {
        guard take("$") else { return nil }
        var steps: [JSONPath.Step] = []
        while !rest.isEmpty {
            guard let step = take(".") ? shorthand() : take("[") ? bracketed() : nil else { return nil }
            steps.append(step)
        }
        return steps
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard rest.first == scalar else { return false }
        rest.removeFirst()
        return true
    }

    /// A name without quotes: letters, digits, `_`, and everything past ASCII; no digit first.
    private mutating func shorthand() -> JSONPath.Step? {
        let name = rest.prefix { $0 == "_" || $0.isASCIILetterOrDigit || !$0.isASCII }
        guard let first = name.first, !("0"..."9").contains(first) else { return nil }
        rest = rest[name.endIndex...]
        return .member(String(name))
    }

    private mutating func bracketed() -> JSONPath.Step? {
        let step: JSONPath.Step?
        if let quote = rest.first, quote == "'" || quote == "\"" {
            rest.removeFirst()
            step = quoted(until: quote).map { .member($0) }
        } else {
            let digits = rest.prefix { $0 != "]" }
            rest = rest[digits.endIndex...]
            let text = String(digits)
            // No plus sign, no leading zero, no minus zero: RFC 9535 section 2.3.3.1.
            step = Int(text).flatMap { "\($0)" == text ? .index($0) : nil }
        }
        return take("]") ? step : nil
    }

    private mutating func quoted(until quote: Unicode.Scalar) -> String? {
        var name = String.UnicodeScalarView()
        while let scalar = rest.popFirst() {
            if scalar == quote { return String(name) }
            guard scalar == "\\" else {
                name.append(scalar)
                continue
            }
            guard let escaped = rest.popFirst(), escaped == quote || escaped == "\\" || escaped == "/" else { return nil }
            name.append(escaped)
        }
        return nil
    }
}

extension Unicode.Scalar {
    fileprivate var isASCIILetterOrDigit: Bool {
        ("a"..."z").contains(self) || ("A"..."Z").contains(self) || ("0"..."9").contains(self)
    }
}

/// What a target is shown that asks for a client certificate, read from the files when the configuration was.
package struct ClientCertificate: Hashable, Sendable {
    /// PEM, the leaf first.
    package var chain: String
    /// PEM, not encrypted.
    package var key: Secret

    package init(chain: String, key: Secret) {
        self.chain = chain
        self.key = key
    }
}
