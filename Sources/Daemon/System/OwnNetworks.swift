import Glibc
import Health

/// The networks in which this machine has an address, as ``HostClass`` has them: what answers there is as near as what is private.
func ownNetworks() -> Set<CIDR> {
    var first: UnsafeMutablePointer<ifaddrs>?
    // Without a list there are none: then only what is private is near.
    guard getifaddrs(&first) == 0 else { return [] }
    defer { freeifaddrs(first) }
    let entries = sequence(first: first) { $0?.pointee.ifa_next }.prefix { $0 != nil }
    return Set(entries.compactMap { $0?.pointee.ifa_addr.flatMap(address) }.map { HostClass.provider(of: $0) })
}

private func address(_ address: UnsafeMutablePointer<sockaddr>) -> IPAddress? {
    let raw = UnsafeRawPointer(address)
    switch Int32(address.pointee.sa_family) {
    case AF_INET:
        return withUnsafeBytes(of: raw.loadUnaligned(as: sockaddr_in.self).sin_addr) { IPAddress(bytes: Array($0)) }
    case AF_INET6:
        return withUnsafeBytes(of: raw.loadUnaligned(as: sockaddr_in6.self).sin6_addr) { IPAddress(bytes: Array($0)) }
    default: return nil
    }
}
