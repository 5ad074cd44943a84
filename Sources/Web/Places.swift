import ConnectionLimits
import NIOCore
import Synchronization

/// How many answers of one kind are made at once, and how many of them for one peer.
final class Places: Sendable {
    private let limit: Int
    private let taken = Mutex(0)
    private let peers: PeerCounts

    init(limit: Int, ofOnePeer: Int) { (self.limit, peers) = (limit, PeerCounts(limit: ofOnePeer)) }

    /// nil when all are taken. The place is given back when the answer is done or dropped.
    func take(for peer: any Channel) -> Place? {
        guard let share = peers.enter(peer) else { return nil }
        let isFree = taken.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
        // No failing initializer: what fails after its last property is set is deinitialized, and would give back what it never had.
        if isFree { return Place(self, share) }
        peers.leave(share)
        return nil
    }

    final class Place: Sendable {
        private let places: Places
        private let share: PeerCounts.Share

        fileprivate init(_ places: Places, _ share: PeerCounts.Share) { (self.places, self.share) = (places, share) }

        deinit {
            places.taken.withLock { $0 -= 1 }
            places.peers.leave(share)
        }
    }
}
