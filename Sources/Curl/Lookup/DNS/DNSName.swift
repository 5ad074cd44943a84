/// A domain name as it is on the wire (RFC 1035 section 3.1): labels with their lengths, and an empty one at the end. In lower case, so that
/// equal names have equal bytes (RFC 4343).
struct DNSName: Hashable, Sendable {
    /// The empty label at the end included.
    static let bytesMax = 255
    static let labelBytesMax = 63

    let bytes: [UInt8]

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// nil for what DNS has no room for, and for an empty label. A dot at the end changes nothing.
    init?(_ host: String) {
        var bytes: [UInt8] = []
        let labels = host.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        for (index, label) in labels.enumerated() {
            if label.isEmpty, index > 0, index == labels.count - 1 { break }
            guard !label.isEmpty, label.count <= Self.labelBytesMax else { return nil }
            bytes.append(UInt8(label.count))
            bytes += label.map(inLowerCase)
        }
        bytes.append(0)
        guard bytes.count <= Self.bytesMax else { return nil }
        self.bytes = bytes
    }
}

/// ASCII letters alone, as DNS has it.
func inLowerCase(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
}
