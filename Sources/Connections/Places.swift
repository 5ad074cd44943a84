package import NIOCore
import Synchronization

/// The places of a listener that knows whom it trusts: so many in all, and so many of one peer. Where none is left, the stranger's connection
/// ends that has been there for longest, so that strangers can't keep anybody out, not even from the same machine; who is trusted stays.
package final class ConnectionPlaces: Sendable {
    private struct Place: Sendable {
        let channel: any Channel
        let share: PeerCounts.Share
        var isTrusted = false
    }

    private let total: Int
    private let peers: PeerCounts
    /// The oldest first.
    private let places = Mutex<[Place]>([])

    package init(total: Int, ofOnePeer: Int) {
        self.total = total
        peers = PeerCounts(limit: ofOnePeer, sparesThisMachine: false)
    }

    /// Begins a connection that gets a place, and gives the place back when it ends. One that gets none, or can't begin, is closed here: NIO
    /// leaves one whose initializer fails as it is.
    package func begin<Value: Sendable>(
        _ channel: any Channel, _ setUp: () -> EventLoopFuture<Value>
    ) -> EventLoopFuture<Value> {
        guard enter(channel) else {
            channel.close(promise: nil)
            return channel.eventLoop.makeFailedFuture(NoPlace())
        }
        channel.closeFuture.whenComplete { _ in self.leave(channel) }
        let begun = setUp()
        begun.whenFailure { _ in channel.close(promise: nil) }
        return begun
    }

    package struct NoPlace: Error {}

    /// Whoever is behind it has shown that it may ask: its connection isn't ended for another's.
    package func trust(_ channel: any Channel) {
        places.withLock { places in
            guard let index = places.firstIndex(where: { $0.channel === channel }) else { return }
            places[index].isTrusted = true
        }
    }

    private func enter(_ channel: any Channel) -> Bool {
        let (isIn, ended) = places.withLock { places -> (Bool, [any Channel]) in
            var ended: [any Channel] = []
            func end(_ isMeant: (Place) -> Bool) {
                guard let index = places.firstIndex(where: { !$0.isTrusted && isMeant($0) }) else { return }
                let place = places.remove(at: index)
                peers.leave(place.share)
                ended.append(place.channel)
            }
            var share = peers.enter(channel)
            if share == nil, let peer = peers.peer(channel) {
                end { $0.share.peer == peer }
                share = peers.enter(channel)
            }
            guard let share else { return (false, ended) }
            if places.count >= total { end { _ in true } }
            guard places.count < total else {
                peers.leave(share)
                return (false, ended)
            }
            places.append(Place(channel: channel, share: share))
            return (true, ended)
        }
        for channel in ended { channel.close(promise: nil) }
        return isIn
    }

    private func leave(_ channel: any Channel) {
        places.withLock { places in
            // One that was ended for another has given it back already.
            guard let index = places.firstIndex(where: { $0.channel === channel }) else { return }
            peers.leave(places.remove(at: index).share)
        }
    }
}
