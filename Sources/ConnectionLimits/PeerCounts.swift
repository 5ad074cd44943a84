import Health
package import NIOCore
import Synchronization

/// Counts how much each peer has of something that is bounded. A peer gets no more than the limit, so a greedy peer leaves room for the
/// other peers. Clients on this machine have no limit.
package final class PeerCounts: Sendable {
    private let limit: Int
    private let counts = Mutex<[[UInt8]: Int]>([:])

    package init(limit: Int) { self.limit = limit }

    /// One part of a peer's limit, until ``leave(_:)`` gives the part back. The share keeps the peer, because a closed channel has no
    /// address.
    package struct Share: Sendable {
        /// nil for a client on this machine.
        fileprivate let peer: [UInt8]?
    }

    /// Returns nil when the peer has reached the limit. The caller gives a share back by ``leave(_:)``.
    package func enter(_ channel: any Channel) -> Share? {
        guard let peer = Self.peer(channel) else { return Share(peer: nil) }
        return counts.withLock { counts in
            let count = counts[peer] ?? 0
            guard count < limit else { return nil }
            counts[peer] = count + 1
            return Share(peer: peer)
        }
    }

    package func leave(_ share: Share) {
        guard let peer = share.peer else { return }
        counts.withLock { counts in
            let count = counts[peer] ?? 1
            counts[peer] = count > 1 ? count - 1 : nil
        }
    }

    /// Returns nil for a client on this machine.
    private static func peer(_ channel: any Channel) -> [UInt8]? {
        guard let text = channel.remoteAddress?.ipAddress, let written = IPAddress(text), !written.isLoopback else { return nil }
        return network(of: written)
    }

    /// Returns the address of IPv4, and the network of IPv6: one IPv6 peer has a whole /64 network (RFC 6177).
    static func network(of written: IPAddress) -> [UInt8] {
        let address = written.unwrapped
        return Array(address.bytes.prefix(address.isIPv4 ? 4 : 8))
    }
}
