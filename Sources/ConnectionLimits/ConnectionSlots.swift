import Health
package import NIOCore
import Synchronization

/// The slots of a listener that knows which clients it trusts. When all slots are taken, a new connection gets the slot of another: of the
/// peers that aren't trusted, the peer with the most slots loses its oldest connection. So clients that aren't trusted keep nobody out, not
/// even from the same machine, and trusted clients keep their slots.
package final class ConnectionSlots: Sendable {
    private struct Slot: Sendable {
        enum Holder { case stranger, trusted }

        let channel: any Channel
        /// An address, or the network of an IPv6 address. Each address of this machine is a peer, too.
        let peer: [UInt8]
        var holder = Holder.stranger
    }

    /// The state returns what is to be done, and its caller does it outside of the lock.
    private struct State: Sendable {
        enum Action {
            case grant
            /// The other connection is closed, and its slot is free already.
            case grantAndClose(any Channel)
            case refuse
        }

        let total: Int
        /// The oldest first.
        private var slots: [Slot] = []

        init(total: Int) { self.total = total }

        mutating func enter(_ channel: any Channel, of peer: [UInt8]) -> Action {
            guard slots.count >= total else {
                slots.append(Slot(channel: channel, peer: peer))
                return .grant
            }
            guard let index = oldestOfGreediest() else { return .refuse }
            let other = slots.remove(at: index)
            slots.append(Slot(channel: channel, peer: peer))
            return .grantAndClose(other.channel)
        }

        private func oldestOfGreediest() -> Int? {
            let counts = Dictionary(
                slots.lazy.filter { $0.holder == .stranger }.map { ($0.peer, 1) }, uniquingKeysWith: +)
            let most = counts.values.max()
            return slots.firstIndex { $0.holder == .stranger && counts[$0.peer] == most }
        }

        mutating func trust(_ channel: any Channel) {
            if let index = slots.firstIndex(where: { $0.channel === channel }) { slots[index].holder = .trusted }
        }

        mutating func leave(_ channel: any Channel) { slots.removeAll { $0.channel === channel } }
    }

    private let state: Mutex<State>

    package init(total: Int) { state = Mutex(State(total: total)) }

    /// Returns whether the connection got a slot. The connection gives its slot back when it closes. The caller closes a connection that
    /// got none.
    package func enter(_ channel: any Channel) -> Bool {
        let peer = channel.remoteAddress?.ipAddress.flatMap { IPAddress($0) }.map(PeerCounts.network(of:)) ?? []
        switch state.withLock({ $0.enter(channel, of: peer) }) {
        case .grant: break
        case .grantAndClose(let other): other.close(promise: nil)
        case .refuse: return false
        }
        channel.closeFuture.whenComplete { _ in self.state.withLock { $0.leave(channel) } }
        return true
    }

    /// The client has shown that it may ask. From now on its connection isn't closed for another.
    package func trust(_ channel: any Channel) { state.withLock { $0.trust(channel) } }
}
