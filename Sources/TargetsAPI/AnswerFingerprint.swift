private import Digests
package import Health

/// Tells one answer's body from another: its SHA-256 (FIPS 180-4).
package struct AnswerFingerprint: Hashable, Sendable {
    private let digest: [UInt8]
    /// The server's own name for it, where it has one (RFC 9110, section 8.8.3): by that it is asked whether it still holds.
    package let tag: String?

    /// - Parameter tag: longer than any that is worth sending back is none.
    package init(of body: [UInt8], tag: String? = nil) {
        digest = Digest(of: body).bytes
        self.tag = tag.flatMap { tag in
            tag.utf8.count <= 256 && tag.utf8.allSatisfy { (0x21...0x7E).contains($0) } ? tag : nil
        }
    }

    func hasSameBody(as other: AnswerFingerprint) -> Bool { digest == other.digest }
}

/// Where a client's list comes from.
package protocol ListSource: Sendable {
    var clientID: String { get }
    /// What brought the list, as in a sentence about it.
    var name: String { get }
    /// Whether a request that failed may succeed soon, as that of a server that is being started.
    var isWorthAskingAgain: Bool { get }
    /// The list, unless its answer is the one that is known already.
    ///
    /// - Parameter targets: those of the known answer, whose memory the list may share.
    func list(unless known: AnswerFingerprint?, like targets: [Target]) async throws(APIError) -> ListAnswer
}

extension TargetsClient: ListSource {
    package var name: String { "the answer for client \(displayText(clientID))" }
    package var isWorthAskingAgain: Bool { true }
}

/// What came of asking for a list of which an answer may be known.
package enum ListAnswer: Hashable, Sendable {
    /// Byte for byte the known one.
    case unchanged
    case list(TargetList, AnswerFingerprint)
}
