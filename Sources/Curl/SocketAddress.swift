internal import CCurl
internal import Glibc

/// An IPv4 or IPv6 address. Ordered: IPv4 before IPv6, then by bytes.
package struct SocketAddress: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let isIPv4: Bool
    // Network order read as numbers; an IPv4 address is in the low half. Inline, so that an address costs no allocation.
    private let high: UInt64
    private let low: UInt64

    /// 4 or 16 bytes in network order, else nil.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.init(network: bytes)
    }

    private init(network bytes: some Sequence<UInt8>) {
        var high: UInt64 = 0
        var low: UInt64 = 0
        var count = 0
        for byte in bytes {
            high = high << 8 | low >> 56
            low = low << 8 | UInt64(byte)
            count += 1
        }
        self.high = high
        self.low = low
        self.isIPv4 = count == 4
    }

    /// A literal without brackets, port or zone.
    package init?(_ text: String) {
        // A short string handed to C costs an allocation, and each probe asks a few times.
        let lengthLimit = Int(INET6_ADDRSTRLEN)
        let found = withUnsafeTemporaryAllocation(of: CChar.self, capacity: lengthLimit) { space -> SocketAddress? in
            var end = 0
            for byte in text.utf8 {
                guard end < lengthLimit - 1, byte != 0 else { return nil }
                space[end] = CChar(bitPattern: byte)
                end += 1
            }
            space[end] = 0
            return space.baseAddress.flatMap { Self.read($0) }
        }
        guard let found else { return nil }
        self = found
    }

    private static func read(_ text: UnsafePointer<CChar>) -> SocketAddress? {
        var v4 = in_addr()
        var v6 = in6_addr()
        if inet_pton(AF_INET, text, &v4) == 1 { return withUnsafeBytes(of: v4) { SocketAddress(network: $0) } }
        if inet_pton(AF_INET6, text, &v6) == 1 { return withUnsafeBytes(of: v6) { SocketAddress(network: $0) } }
        return nil
    }

    /// nil for a family that is neither.
    init?(_ address: UnsafePointer<sockaddr>) {
        let raw = UnsafeRawPointer(address)
        switch Int32(address.pointee.sa_family) {
        case AF_INET:
            let v4 = raw.loadUnaligned(as: sockaddr_in.self)
            self = withUnsafeBytes(of: v4.sin_addr) { SocketAddress(network: $0) }
        case AF_INET6:
            let v6 = raw.loadUnaligned(as: sockaddr_in6.self)
            self = withUnsafeBytes(of: v6.sin6_addr) { SocketAddress(network: $0) }
        default:
            return nil
        }
    }

    /// 4 or 16 bytes, in network order.
    package var bytes: [UInt8] {
        withUnsafeBytes(of: network) { Array($0.prefix(isIPv4 ? 4 : 16)) }
    }

    private var network: (UInt64, UInt64) {
        isIPv4 ? ((low << 32).bigEndian, 0) : (high.bigEndian, low.bigEndian)
    }

    /// Dotted decimal, or RFC 5952's form.
    package var text: String {
        // inet_ntop knows the mixed form of ::ffff:0:0/96, but not that of 64:ff9b::/96 (RFC 6052 section 2.4).
        if !isIPv4, high == 0x0064_FF9B << 32, low >> 32 == 0 { return "64:ff9b::" + Self(network: bytes[12...]).text }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { space in
            let text = withUnsafeBytes(of: network) { bytes in
                inet_ntop(isIPv4 ? AF_INET : AF_INET6, bytes.baseAddress, space.baseAddress, socklen_t(space.count))
            }
            return text.map { String(cString: $0) } ?? ""
        }
    }

    package var description: String { text }

    package static func < (a: Self, b: Self) -> Bool {
        (a.isIPv4 ? 0 : 1, a.high, a.low) < (b.isIPv4 ? 0 : 1, b.high, b.low)
    }
}
