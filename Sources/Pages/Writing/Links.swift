import Health

/// A link to a target's page.
func targetLink(_ identity: TargetIdentity) -> String {
    "/targets/\(percentEncoded(identity.clientID))/\(percentEncoded(identity.key))"
}

/// A part of a path or the value of a query (RFC 3986 section 2.3): what is unreserved stays. A path of dots alone would be taken away by whoever
/// resolves it, and one that ends in `.json` would name a twin: their dots are encoded.
package func percentEncoded(_ text: String) -> String {
    let dots = text.utf8.allSatisfy { $0 == UInt8(ascii: ".") } || text.hasSuffix(".json")
    var bytes: [UInt8] = []
    for byte in text.utf8 {
        let isLetterOrDigit = (48...57).contains(byte) || (97...122).contains(byte | 0x20)
        let isMark =
            byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "~")
            || byte == UInt8(ascii: ".") && !dots
        bytes += isLetterOrDigit || isMark ? [byte] : Hex.percentEncoded(byte)
    }
    return String(decoding: bytes, as: UTF8.self)
}

/// A name for an element: what follows from the same text is the same, so that the script finds the row again. It has no blank in it.
func elementID(_ text: String) -> String { "i" + Assets.hash(Array(text.utf8)) }

/// As ``elementID(_:)``, of a target: two clients may have targets with the same key.
func elementID(of identity: TargetIdentity) -> String { "t" + String(stableHash(identity), radix: 16) }
