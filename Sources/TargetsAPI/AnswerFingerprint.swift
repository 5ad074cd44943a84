private import Crypto

/// Tells one answer's body from another: its SHA-256 (FIPS 180-4).
package struct AnswerFingerprint: Hashable, Sendable {
    private let digest: [UInt8]

    package init(of body: [UInt8]) { digest = Array(SHA256.hash(data: body)) }
}

/// What came of asking for a list of which an answer may be known.
package enum ListAnswer: Hashable, Sendable {
    /// Byte for byte the known one.
    case unchanged
    case list(TargetList, AnswerFingerprint)
}
