/// Where probes may connect, judged on the address of every connection that a target causes.
///
/// An address in `allow` is allowed. Else it is denied when a class of `deny` holds it, or when nothing can be a target there at all.
package struct EgressRule: Hashable, Sendable {
    package enum AddressClass: String, Hashable, Sendable, CaseIterable {
        case `private`, loopback
        case linkLocal = "link-local"
        case metadata

        var blocks: [CIDR] {
            switch self {
            case .private: Self.privateBlocks
            case .loopback: Self.loopbackBlocks
            case .linkLocal: Self.linkLocalBlocks
            case .metadata: Self.metadataBlocks
            }
        }

        /// The last one is what fc00::/7 took the place of (RFC 3879), and some networks still have.
        private static let privateBlocks = [
            "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fec0::/10",
        ].compactMap { CIDR($0) }
        private static let loopbackBlocks = ["127.0.0.0/8", "::1"].compactMap { CIDR($0) }
        private static let linkLocalBlocks = ["169.254.0.0/16", "fe80::/10"].compactMap { CIDR($0) }
        private static let metadataBlocks = [
            "169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "fd00:ec2::254",
        ].compactMap { CIDR($0) }
    }

    package enum Denial: Hashable, Sendable, CustomStringConvertible {
        case addressClass(AddressClass)
        case block(CIDR)
        /// 0/8, ::, multicast and 240/4: only a block in `allow` opens them.
        case neverATarget

        package var description: String {
            switch self {
            case .addressClass(let addressClass): addressClass.rawValue
            case .block(let block): block.description
            case .neverATarget: "unspecified, multicast or reserved"
            }
        }
    }

    package enum DenyEntry: Hashable, Sendable {
        case addressClass(AddressClass)
        case block(CIDR)
    }

    package var allow: [CIDR]
    package var deny: [DenyEntry]

    package init(allow: [CIDR] = [], deny: [DenyEntry] = AddressClass.allCases.map { .addressClass($0) }) {
        self.allow = allow
        self.deny = deny
    }

    /// For a URL that a person typed: the rule is about what others may name.
    package static let unlimited = EgressRule(allow: ["0.0.0.0/0", "::/0"].compactMap { CIDR($0) }, deny: [])

    private static let neverTargets = ["0.0.0.0/8", "::", "224.0.0.0/4", "ff00::/8", "240.0.0.0/4"].compactMap { CIDR($0) }

    /// Why an address may not be connected to, or nil when it may.
    package func denial(of address: IPAddress) -> Denial? {
        for judged in address.carried { if let denial = denial(of: judged, in: address) { return denial } }
        return nil
    }

    private func denial(of judged: IPAddress, in address: IPAddress) -> Denial? {
        // `::/0` in `allow` must not open the IPv4 addresses that are carried inside IPv6 ones.
        if allow.contains(where: { $0.contains(judged) }) { return nil }
        func isIn(_ block: CIDR) -> Bool { block.contains(judged) || block.contains(address) }
        for entry in deny {
            switch entry {
            case .addressClass(let addressClass) where addressClass.blocks.contains(where: isIn):
                return .addressClass(addressClass)
            case .block(let block) where isIn(block):
                return .block(block)
            default: continue
            }
        }
        return Self.neverTargets.contains(where: isIn) ? .neverATarget : nil
    }
}
