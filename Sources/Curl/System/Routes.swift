internal import CCurl
internal import Glibc

/// Which of a name's addresses this machine has a way to. A machine with IPv4 alone has an address of IPv6 all the same, one for its own
/// link, and so the resolver answers both; what can't be reached from here at all says nothing of the target (RFC 6724 section 5, rule 1).
struct Routes {
    /// Routes change, and a lookup of them costs a few system calls.
    private static let nanosecondsKept: UInt64 = 1_000_000_000
    private static let keptMax = 4096

    private let hasRoute: @Sendable (SocketAddress) -> Bool
    private var known: [SocketAddress: (hasRoute: Bool, at: UInt64)] = [:]

    init(_ hasRoute: @escaping @Sendable (SocketAddress) -> Bool) { self.hasRoute = hasRoute }

    /// Those without a route are left out while another has one.
    mutating func reachable(_ addresses: [SocketAddress], now: UInt64) -> [SocketAddress] {
        guard addresses.count > 1 else { return addresses }
        let reachable = addresses.filter { isReachable($0, now) }
        return reachable.isEmpty ? addresses : reachable
    }

    private mutating func isReachable(_ address: SocketAddress, _ now: UInt64) -> Bool {
        if let known = known[address], now - known.at < Self.nanosecondsKept { return known.hasRoute }
        if known.count >= Self.keptMax { known = [:] }
        let hasRoute = hasRoute(address)
        known[address] = (hasRoute, now)
        return hasRoute
    }
}

/// Asks the kernel; no packet is sent. True where the kernel says nothing of a route.
func systemHasRoute(_ address: SocketAddress) -> Bool {
    let made = newSocket(address.isIPv4 ? AF_INET : AF_INET6, Int32(SOCK_DGRAM.rawValue), 0)
    guard made.value >= 0 else { return made.error != EAFNOSUPPORT }
    defer { close(made.value) }
    guard address.isIPv4 else { return hasIPv6Route(made.value, address) }
    var socketAddress = sockaddr_in()
    socketAddress.sin_family = sa_family_t(AF_INET)
    socketAddress.sin_port = in_port_t(9).bigEndian
    withUnsafeMutableBytes(of: &socketAddress.sin_addr) { $0.copyBytes(from: address.bytes) }
    return withUnsafePointer(to: &socketAddress) { socketAddress in
        socketAddress.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            isRouted(connect(made.value, $0, socklen_t(MemoryLayout<sockaddr_in>.size)))
        }
    }
}

private func hasIPv6Route(_ descriptor: Int32, _ address: SocketAddress) -> Bool {
    var socketAddress = sockaddr_in6()
    socketAddress.sin6_family = sa_family_t(AF_INET6)
    socketAddress.sin6_port = in_port_t(9).bigEndian
    withUnsafeMutableBytes(of: &socketAddress.sin6_addr) { $0.copyBytes(from: address.bytes) }
    var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
    let source = withUnsafeMutablePointer(to: &socketAddress) { socketAddress in
        socketAddress.withMemoryRebound(to: sockaddr.self, capacity: 1) { socketAddress -> SocketAddress? in
            guard isRouted(connect(descriptor, socketAddress, length)), getsockname(descriptor, socketAddress, &length) == 0
            else { return nil }
            return SocketAddress(UnsafePointer(socketAddress))
        }
    }
    // From an address of the own link nothing comes back from elsewhere.
    guard let source else { return false }
    return !source.isLinkLocal || address.isLinkLocal
}

private func isRouted(_ result: Int32) -> Bool {
    result == 0 || ![ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, EAFNOSUPPORT].contains(errno)
}

extension SocketAddress {
    /// fe80::/10.
    fileprivate var isLinkLocal: Bool { !isIPv4 && bytes[0] == 0xfe && bytes[1] & 0xc0 == 0x80 }
}
