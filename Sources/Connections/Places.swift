import Health
package import NIOCore
import Synchronization

/// The places of a listener that knows whom it trusts, shared out when they are scarce: of the strangers the peer that has most loses its
/// oldest to whoever comes. So strangers keep nobody out, not even on the same machine, and who is trusted stays.
package final class ConnectionPlaces: Sendable {
    private struct Place: Sendable {
        let channel: any Channel
        /// Of this machine, too, each address is a peer.
        let peer: [UInt8]
        var isTrusted = false
    }

    private let total: Int
    /// The oldest first.
    private let places = Mutex<[Place]>([])

    package init(total: Int) { self.total = total }

    /// Whether the connection got a place, which it gives back when it closes. One that got none is to be closed.
    package func enter(_ channel: any Channel) -> Bool {
        let peer = channel.remoteAddress?.ipAddress.flatMap { IPAddress($0) }.map(PeerCounts.network(of:)) ?? []
        let (isIn, ended) = places.withLock { places -> (Bool, (any Channel)?) in
            var ended: (any Channel)?
            if places.count >= total {
                let strangers = places.lazy.filter { !$0.isTrusted }
                let counts = Dictionary(strangers.map { ($0.peer, 1) }, uniquingKeysWith: +)
                let most = counts.values.max()
                guard let index = places.firstIndex(where: { !$0.isTrusted && counts[$0.peer] == most }) else {
                    return (false, nil)
                }
                ended = places.remove(at: index).channel
            }
            places.append(Place(channel: channel, peer: peer))
            return (true, ended)
        }
        ended?.close(promise: nil)
        // One that was ended for another has given its place back already.
        if isIn { channel.closeFuture.whenComplete { _ in self.places.withLock { $0.removeAll { $0.channel === channel } } } }
        return isIn
    }

    /// Whoever is behind it has shown that it may ask: its connection isn't ended for another's.
    package func trust(_ channel: any Channel) {
        places.withLock { places in
            if let index = places.firstIndex(where: { $0.channel === channel }) { places[index].isTrusted = true }
        }
    }
}
