/// Hosts to which one way leads, as far as an address tells. What answers in a private network says nothing of the way out of it, and an
/// uplink that is cut nothing of the private network: each class is judged by its own hosts alone.
package enum HostClass: Hashable, Sendable {
    /// The Internet, and a name of which no address is known yet.
    case outside
    /// A private block (RFC 1918, 4193, 6598), a link's or loopback's, or a network in which this machine itself has an address.
    case inside(CIDR)

    private static let blocks = [EgressRule.AddressClass.private, .loopback, .linkLocal].flatMap(\.blocks)

    /// - Parameter ownNetworks: those in which this machine has an address, as in ``provider(of:)``.
    package init(_ address: IPAddress, ownNetworks: Set<CIDR>) {
        let address = address.unwrapped
        let network = Self.provider(of: address)
        self =
            (Self.blocks.first { $0.contains(address) } ?? (ownNetworks.contains(network) ? network : nil)).map(Self.inside)
            ?? .outside
    }

    /// The /16 of an address, or the /32 of one of IPv6: about what one provider announces as a whole.
    package static func provider(of address: IPAddress) -> CIDR { network(of: address, bytes: 2, or: 4) }

    /// Which hosts of this class are near to each other: a provider's outside, and a subnet (/24, /64) inside.
    func network(of address: IPAddress) -> CIDR {
        self == .outside ? Self.provider(of: address) : Self.network(of: address, bytes: 3, or: 8)
    }

    private static func network(of address: IPAddress, bytes v4: Int, or v6: Int) -> CIDR {
        let address = address.unwrapped
        let kept = address.isIPv4 ? v4 : v6
        let bytes = address.bytes.prefix(kept) + [UInt8](repeating: 0, count: address.bytes.count - kept)
        return CIDR(IPAddress(bytes: Array(bytes)) ?? address, prefixLength: kept * 8)
    }
}
