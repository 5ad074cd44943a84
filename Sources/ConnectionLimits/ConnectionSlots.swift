import Health
package import NIOCore
import Synchronization

/// The slots of a listener that knows whom it trusts, shared out when they are scarce: of the strangers the peer that has most loses its
/// oldest to whoever comes. So strangers keep nobody out, not even on the same machine, and who is trusted stays.
package final class ConnectionSlots: Sendable {
    private struct Slot: Sendable {
        let channel: any Channel
        /// Of this machine, too, each address is a peer.
        let peer: [UInt8]
        var isTrusted = false
    }

    private let total: Int
    /// The oldest first.
    private let slots = Mutex<[Slot]>([])

    package init(total: Int) { self.total = total }

    /// Whether the connection got a slot, which it gives back when it closes. One that got none is to be closed.
    package func enter(_ channel: any Channel) -> Bool {
        let peer = channel.remoteAddress?.ipAddress.flatMap { IPAddress($0) }.map(PeerCounts.network(of:)) ?? []
        let (isIn, ended) = slots.withLock { slots -> (Bool, (any Channel)?) in
            var ended: (any Channel)?
            if slots.count >= total {
                let strangers = slots.lazy.filter { !$0.isTrusted }
                let counts = Dictionary(strangers.map { ($0.peer, 1) }, uniquingKeysWith: +)
                let most = counts.values.max()
                guard let index = slots.firstIndex(where: { !$0.isTrusted && counts[$0.peer] == most }) else {
                    return (false, nil)
                }
                ended = slots.remove(at: index).channel
            }
            slots.append(Slot(channel: channel, peer: peer))
            return (true, ended)
        }
        ended?.close(promise: nil)
        // One that was ended for another has given its slot back already.
        if isIn { channel.closeFuture.whenComplete { _ in self.slots.withLock { $0.removeAll { $0.channel === channel } } } }
        return isIn
    }

    /// Whoever is behind it has shown that it may ask: its connection isn't ended for another's.
    package func trust(_ channel: any Channel) {
        slots.withLock { slots in
            if let index = slots.firstIndex(where: { $0.channel === channel }) { slots[index].isTrusted = true }
        }
    }
}
