/// Hosts to which one way leads, as far as an address tells. What answers in a private network says nothing of the way out of it, and an
/// uplink that is cut nothing of the private network: each class is judged by its own hosts alone.
package enum HostClass: Hashable, Sendable {
    /// The Internet, and a name of which no address is known yet.
    case outside
    /// A private block (RFC 1918, 4193, 6598), a link's or loopback's, or a network in which this machine itself has an address.
    case inside(CIDR)

    private static let blocks = [EgressRule.AddressClass.private, .loopback, .linkLocal].flatMap(\.blocks)

    /// - Parameter ownNetworks: those in which this machine has an address, as in ``network(of:)``.
    package init(_ address: IPAddress, ownNetworks: Set<CIDR>) {
        let address = address.unwrapped
        let network = Self.network(of: address)
        self =
            (Self.blocks.first { $0.contains(address) } ?? (ownNetworks.contains(network) ? network : nil)).map(Self.inside)
            ?? .outside
    }

    /// The /16 of an address, or the /32 of one of IPv6: about what one provider announces as a whole.
    package static func network(of address: IPAddress) -> CIDR {
        let kept = address.isIPv4 ? 2 : 4
        let bytes = address.bytes.prefix(kept) + [UInt8](repeating: 0, count: address.bytes.count - kept)
        return CIDR(IPAddress(bytes: Array(bytes)) ?? address, prefixLength: kept * 8)
    }
}
