internal import CCurl
internal import Glibc

/// In which families this machine has an address besides loopback: what getaddrinfo(3) looks at with AI_ADDRCONFIG.
struct MachineFamilies: Hashable, Sendable {
    var hasIPv4 = false
    var hasIPv6 = false

    init(hasIPv4: Bool, hasIPv6: Bool) { (self.hasIPv4, self.hasIPv6) = (hasIPv4, hasIPv6) }

    /// Those of the system. Both where it doesn't say.
    static var ofThisMachine: MachineFamilies {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return MachineFamilies(hasIPv4: true, hasIPv6: true) }
        defer { freeifaddrs(first) }
        let entries = sequence(first: first) { $0?.pointee.ifa_next }.prefix { $0 != nil }
        let addresses = entries.compactMap { $0?.pointee.ifa_addr.flatMap { SocketAddress(UnsafePointer($0)) } }
        return MachineFamilies(
            hasIPv4: addresses.contains { $0.isIPv4 && $0.text != "127.0.0.1" },
            hasIPv6: addresses.contains { !$0.isIPv4 && $0.text != "::1" })
    }

    /// The types of record for a name's addresses. A machine with loopback alone asks for both, as glibc does.
    func types(for family: TransferRequest.Family, isWithoutIPv6: Bool) -> [DNSType] {
        switch family {
        case .v4: [.a]
        case .v6: [.aaaa]
        case .any where isWithoutIPv6: [.a]
        case .any where hasIPv4 != hasIPv6: hasIPv4 ? [.a] : [.aaaa]
        case .any: [.a, .aaaa]
        }
    }
}
