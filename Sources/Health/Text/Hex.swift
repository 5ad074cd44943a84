/// Bytes and their hexadecimal digits.
package enum Hex {
    /// Two digits for each byte, in lower case.
    package static func text(_ bytes: some Sequence<UInt8>) -> String {
        var digits: [UInt8] = []
        digits.reserveCapacity(2 * bytes.underestimatedCount)
        for byte in bytes { digits += [lowercase[Int(byte >> 4)], lowercase[Int(byte & 15)]] }
        return String(decoding: digits, as: UTF8.self)
    }

    /// `%` and two digits, which RFC 3986 section 2.1 wants in upper case.
    package static func percentEncoded(_ byte: UInt8) -> [UInt8] {
        [UInt8(ascii: "%"), uppercase[Int(byte >> 4)], uppercase[Int(byte & 15)]]
    }

    /// `\u` and four digits in lower case: the escape of JSON (RFC 8259 section 7).
    package static func jsonEscape(_ unit: UInt16) -> String { "\\u" + text([UInt8(unit >> 8), UInt8(unit & 0xFF)]) }

    /// What a digit stands for, in upper or lower case; nil for what is none.
    package static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    private static let lowercase = Array("0123456789abcdef".utf8)
    private static let uppercase = Array("0123456789ABCDEF".utf8)

    /// The bytes of a text in hexadecimal digits; empty where it is none.
    package static func bytes(_ text: String) -> [UInt8] {
        let digits = text.utf8.map(value)
        guard digits.count.isMultiple(of: 2), digits.allSatisfy({ $0 != nil }) else { return [] }
        return stride(from: 0, to: digits.count, by: 2).map { (digits[$0] ?? 0) << 4 | (digits[$0 + 1] ?? 0) }
    }
}
