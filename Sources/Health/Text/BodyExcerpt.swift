/// The beginning of a body, as a person reads it.
package enum BodyExcerpt: Hashable, Sendable {
    /// Exact. A character that the end of the excerpt cuts through is left off.
    case text(String)
    /// Not text: the first bytes as a line of `hexdump -C` has them.
    case bytes(String)

    private static let bytesOfLine = 16

    /// - Parameters:
    ///   - bytes: decoded.
    ///   - isWhole: nothing came behind them.
    package init(_ bytes: [UInt8], isWhole: Bool) {
        if let text = Self.text(bytes, isWhole: isWhole) {
            self = .text(text)
        } else {
            self = .bytes(Self.line(bytes.prefix(Self.bytesOfLine)))
        }
    }

    /// nil of what is no UTF-8, or has control characters that no text has.
    private static func text(_ bytes: [UInt8], isWhole: Bool) -> String? {
        // At most three bytes of a character can be missing.
        for cut in 0...(isWhole ? 0 : min(3, bytes.count)) {
            guard let text = String(validating: bytes.dropLast(cut), as: UTF8.self) else { continue }
            let isText = text.unicodeScalars.allSatisfy {
                $0.value >= 0x20 && $0.value != 0x7F || "\t\r\n".unicodeScalars.contains($0)
            }
            return isText ? text : nil
        }
        return nil
    }

    private static func line(_ bytes: ArraySlice<UInt8>) -> String {
        let digits = bytes.map { Hex.text([$0]) }.joined(separator: " ")
        let shown = bytes.map { (0x20..<0x7F).contains($0) ? Character(Unicode.Scalar($0)) : "." }
        return "\(digits)  |\(String(shown))|"
    }
}

extension Evidence {
    /// The beginning of the body as a person reads it; nil where none is kept, and of an empty one.
    package var bodyExcerpt: BodyExcerpt? {
        guard let body, !body.isEmpty else { return nil }
        return BodyExcerpt(body, isWhole: bodyBytes == body.count)
    }

    /// What `Content-Type` says of the body.
    package var contentType: String? {
        for line in (headers ?? "").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "content-type" else { continue }
            return String(parts[1].drop { $0 == " " || $0 == "\t" })
        }
        return nil
    }
}
