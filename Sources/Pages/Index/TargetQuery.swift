package import Health

/// Which targets a page of the list has, and in which order: what `/targets?…` asks for.
package struct TargetQuery: Hashable, Sendable {
    package enum Order: String, Hashable, Sendable, CaseIterable { case status, name, last, p95, availability, since }

    package static let rowsUsual = 50
    package static let rowsMax = 200

    package var status: Status?
    package var region: String?
    package var host: String?
    package var client: String?
    /// The word of a reason or a cause.
    package var reason: String?
    /// Stands anywhere in the name, the host or the id, whatever the case of its ASCII letters.
    package var text = ""
    package var order = Order.status
    /// The last row of the page before.
    package var after: Cursor?
    package var limit = rowsUsual

    package init() {}

    /// Where a page ended: the rank of its last row, and its slot's target, which no other row has.
    package struct Cursor: Hashable, Sendable {
        var rank: Int64
        var identity: TargetIdentity
    }

    func holds(_ identity: TargetIndex.Identity, _ live: TargetIndex.Live) -> Bool {
        if let status, live.status != status { return false }
        if let region, identity.region != region { return false }
        if let client, identity.identity.clientID != client { return false }
        if let host, identity.host != host { return false }
        if let reason, live.reason?.rawValue != reason, live.cause?.rawValue != reason { return false }
        if text.isEmpty { return true }
        return contains(identity.name) || contains(identity.host ?? "") || contains(identity.identity.key)
    }

    private func contains(_ text: String) -> Bool {
        var (text, wanted) = (text, self.text)
        return text.withUTF8 { bytes in wanted.withUTF8 { findsIgnoringCase($0, in: bytes) } }
    }
}

/// Whether some bytes stand anywhere in others; ASCII letters without regard to their case.
func findsIgnoringCase(_ wanted: UnsafeBufferPointer<UInt8>, in bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let first = wanted.first.map(lowercased) else { return true }
    guard bytes.count >= wanted.count else { return false }
    for start in 0...(bytes.count - wanted.count) where lowercased(bytes[start]) == first {
        if wanted.indices.allSatisfy({ lowercased(bytes[start + $0]) == lowercased(wanted[$0]) }) { return true }
    }
    return false
}

private func lowercased(_ byte: UInt8) -> UInt8 { (65...90).contains(byte) ? byte | 0x20 : byte }
