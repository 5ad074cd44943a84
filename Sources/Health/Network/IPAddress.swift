/// An IPv4 or IPv6 address, in network byte order.
package struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// 4 or 16 bytes.
    package let bytes: [UInt8]

    package init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    package var isIPv4: Bool { bytes.count == 4 }

    /// Reads a literal, without brackets, port or zone: dotted decimal, or the text forms of RFC 4291 section 2.2.
    package init?(_ text: some StringProtocol) {
        if let bytes = Self.ipv4(text) ?? Self.ipv6(text) { self.bytes = bytes } else { return nil }
    }

    /// Dotted decimal, or the canonical form of RFC 5952: mixed where an IPv4 address is known to be inside (section 5).
    package var description: String {
        let dotted = { (bytes: ArraySlice<UInt8>) in bytes.map(String.init).joined(separator: ".") }
        if isIPv4 { return dotted(bytes[...]) }
        if bytes[..<12] == Self.mapped[...] { return "::ffff:" + dotted(bytes[12...]) }
        if bytes[..<12] == Self.translated[...] { return "64:ff9b::" + dotted(bytes[12...]) }
        let groups = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        let longest = Self.longestRunOfZeros(groups)
        let text = { (part: ArraySlice<UInt16>) in part.map { String($0, radix: 16) }.joined(separator: ":") }
        guard longest.count > 1 else { return text(groups[...]) }
        return text(groups[..<longest.lowerBound]) + "::" + text(groups[longest.upperBound...])
    }

    /// This machine itself, also as a dual-stack socket writes it (::ffff:127.0.0.1). Not by ``unwrapped``: 2002:7f00::/24 may come from a wire.
    package var isLoopback: Bool {
        if isIPv4 { return bytes[0] == 127 }
        if bytes[..<12] == Self.mapped[...] { return bytes[12] == 127 }
        return bytes[15] == 1 && bytes[..<15].allSatisfy { $0 == 0 }
    }

    /// The IPv4 address that is carried inside ::ffff:0:0/96 (RFC 4291), 64:ff9b::/96 (RFC 6052) or 2002::/16 (RFC 3056); else itself.
    package var unwrapped: IPAddress {
        guard bytes.count == 16 else { return self }
        let inner: ArraySlice<UInt8> =
            bytes[..<12] == Self.mapped[...] || bytes[..<12] == Self.translated[...]
            ? bytes[12...] : bytes[0] == 0x20 && bytes[1] == 0x02 ? bytes[2..<6] : []
        return IPAddress(bytes: Array(inner)) ?? self
    }

    /// Every IPv4 address that a packet to this one may end at by a translator or a tunnel; itself where it carries none.
    ///
    /// Besides ``unwrapped``: ::/96 (RFC 4291, IPv4-compatible), ::ffff:0:0:0/96 (RFC 2765), 64:ff9b:1::/48 (RFC 8215), and Teredo's
    /// 2001::/32 (RFC 4380), which holds its server's address and, inverted, its client's.
    package var carried: [IPAddress] {
        guard bytes.count == 16 else { return [self] }
        let inner: [[UInt8]]
        if bytes[..<12] == Self.compatible[...] {
            // `::` and `::1` are themselves.
            inner =
                bytes[12...].elementsEqual([0, 0, 0, 0]) || bytes[12...].elementsEqual([0, 0, 0, 1]) ? [] : [Array(bytes[12...])]
        } else if bytes[..<12] == Self.stateless[...] {
            inner = [Array(bytes[12...])]
        } else if bytes[..<6] == Self.localTranslator[...] {
            inner = carriedByLocalTranslator
        } else if bytes[..<4] == [0x20, 0x01, 0, 0] {
            inner = [Array(bytes[4..<8]), bytes[12...].map { ~$0 }]
        } else {
            return [unwrapped]
        }
        return inner.isEmpty ? [self] : inner.compactMap { IPAddress(bytes: $0) }
    }

    /// Which prefix of 64:ff9b:1::/48 the translator has, and so where the IPv4 address stands, isn't known: each place that RFC 6052
    /// (section 2.2) allows, where what follows it is zero as it has to be. Of several those in 0/8 are the zeros of another's.
    private var carriedByLocalTranslator: [[UInt8]] {
        let places = [[6, 7, 9, 10], [7, 9, 10, 11], [9, 10, 11, 12], [12, 13, 14, 15]].filter { place in
            place[3] == 15 || (bytes[8] == 0 && bytes[(place[3] + 1)...].allSatisfy { $0 == 0 })
        }
        let found = places.map { place in place.map { bytes[$0] } }
        let likely = found.filter { $0[0] != 0 }
        return likely.isEmpty ? found : likely
    }

    private static let compatible = [UInt8](repeating: 0, count: 12)
    private static let stateless = [UInt8](repeating: 0, count: 8) + [0xff, 0xff, 0, 0]
    private static let localTranslator: [UInt8] = [0, 0x64, 0xff, 0x9b, 0, 1]
    private static let mapped = [UInt8](repeating: 0, count: 10) + [0xff, 0xff]
    private static let translated: [UInt8] = [0, 0x64, 0xff, 0x9b] + [UInt8](repeating: 0, count: 8)

    private static func ipv4(_ text: some StringProtocol) -> [UInt8]? {
        // Byte by byte: the address of every result is read here, and to split a text into characters takes many times longer.
        var bytes: [UInt8] = []
        var part: Int?
        for byte in text.utf8 {
            if byte == UInt8(ascii: ".") {
                guard let number = part, bytes.count < 3 else { return nil }
                bytes.append(UInt8(number))
                part = nil
                continue
            }
            // Leading zeros are octal to some readers and decimal to others: neither is accepted.
            guard (48...57).contains(byte), part != 0 else { return nil }
            let number = (part ?? 0) * 10 + Int(byte - 48)
            guard number < 256 else { return nil }
            part = number
        }
        guard let part, bytes.count == 3 else { return nil }
        return bytes + [UInt8(part)]
    }

    private static func ipv6(_ text: some StringProtocol) -> [UInt8]? {
        let halves = String(text).splitOnce("::")
        // Dotted decimal may stand only at the very end.
        guard let head = groups(halves.0, mayEndInIPv4: halves.1 == nil),
            let tail = halves.1.map({ groups($0, mayEndInIPv4: true) }) ?? []
        else { return nil }
        if halves.1 == nil { return head.count == 16 ? head : nil }
        guard head.count + tail.count <= 14 else { return nil }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    private static func groups(_ text: String, mayEndInIPv4: Bool) -> [UInt8]? {
        guard !text.isEmpty else { return [] }
        var bytes: [UInt8] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if mayEndInIPv4, index == parts.count - 1, let embedded = ipv4(part) {
                bytes += embedded
            } else if (1...4).contains(part.utf8.count), part.allSatisfy(\.isHexDigit), let group = UInt16(part, radix: 16) {
                bytes += [UInt8(group >> 8), UInt8(group & 0xff)]
            } else {
                return nil
            }
        }
        return bytes.count <= 16 ? bytes : nil
    }

    private static func longestRunOfZeros(_ groups: [UInt16]) -> Range<Int> {
        var longest = 0..<0
        var start = 0
        for index in 0...groups.count where index == groups.count || groups[index] != 0 {
            if index - start > longest.count { longest = start..<index }
            start = index + 1
        }
        return longest
    }
}

extension String {
    fileprivate func splitOnce(_ separator: String) -> (String, String?) {
        let bytes = Array(utf8)
        let mark = Array(separator.utf8)
        guard bytes.count >= mark.count,
            let at = (0...(bytes.count - mark.count)).first(where: { Array(bytes[$0..<$0 + mark.count]) == mark })
        else { return (self, nil) }
        return (String(decoding: bytes[..<at], as: UTF8.self), String(decoding: bytes[(at + mark.count)...], as: UTF8.self))
    }
}

/// Whether the host of a URL is this machine, without a lookup: `localhost`, or a loopback address without brackets.
package func isLoopback(host: String) -> Bool {
    host == "localhost" || IPAddress(host)?.isLoopback ?? isShortLoopback(host)
}

/// The short forms of 127.0.0.0/8 that inet_aton(3) and libcurl read, as in `127.1`.
private func isShortLoopback(_ host: String) -> Bool {
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return (2...3).contains(parts.count) && parts[0] == "127"
        && parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
}

/// A block of addresses, as in `10.0.0.0/8`; a bare address is a block of one.
package struct CIDR: Hashable, Sendable, CustomStringConvertible {
    package let address: IPAddress
    package let prefixLength: Int

    package init(_ address: IPAddress, prefixLength: Int) { (self.address, self.prefixLength) = (address, prefixLength) }

    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let address = IPAddress(parts[0]) else { return nil }
        let bits = address.bytes.count * 8
        guard parts.count == 2 else {
            (self.address, prefixLength) = (address, bits)
            return
        }
        guard let length = Int(parts[1]), (0...bits).contains(length), parts[1].utf8.allSatisfy({ (48...57).contains($0) })
        else { return nil }
        (self.address, prefixLength) = (address, length)
    }

    package var description: String { "\(address)/\(prefixLength)" }

    package func contains(_ other: IPAddress) -> Bool {
        guard other.bytes.count == address.bytes.count else { return false }
        let whole = prefixLength / 8
        guard other.bytes[..<whole] == address.bytes[..<whole] else { return false }
        let bits = prefixLength % 8
        guard bits > 0 else { return true }
        let mask = UInt8(truncatingIfNeeded: 0xFF00 >> bits)
        return other.bytes[whole] & mask == address.bytes[whole] & mask
    }
}
