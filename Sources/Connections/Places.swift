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
        /// Served, and not trusted.
        var mayEnd = false
    }

    private let total: Int
    /// The oldest first.
    private let places = Mutex<[Place]>([])

    package init(total: Int) { self.total = total }

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

    /// It is being served from now on, and can be ended for another. One that is closed between its beginning and this is dropped by NIO, which
    /// ends the process for what was begun of it ("Deinited NIOAsyncWriter without calling finish()").
    package func takeUp(_ channel: any Channel) { mark(channel, mayEnd: true) }

    /// Whoever is behind it has shown that it may ask: its connection isn't ended for another's.
    package func trust(_ channel: any Channel) { mark(channel, mayEnd: false) }

    private func mark(_ channel: any Channel, mayEnd: Bool) {
        places.withLock { places in
            guard let index = places.firstIndex(where: { $0.channel === channel }) else { return }
            places[index].mayEnd = mayEnd
        }
    }

    private func enter(_ channel: any Channel) -> Bool {
        let peer = channel.remoteAddress?.ipAddress.flatMap { IPAddress($0) }.map(PeerCounts.network(of:)) ?? []
        let (isIn, ended) = places.withLock { places -> (Bool, (any Channel)?) in
            var ended: (any Channel)?
            if places.count >= total {
                let strangers = places.lazy.filter { $0.mayEnd }
                let counts = Dictionary(strangers.map { ($0.peer, 1) }, uniquingKeysWith: +)
                let most = counts.values.max()
                guard let index = places.firstIndex(where: { $0.mayEnd && counts[$0.peer] == most }) else {
                    return (false, nil)
                }
                ended = places.remove(at: index).channel
            }
            places.append(Place(channel: channel, peer: peer))
            return (true, ended)
        }
        ended?.close(promise: nil)
        return isIn
    }

    private func leave(_ channel: any Channel) {
        // One that was ended for another has given its place back already.
        places.withLock { places in places.removeAll { $0.channel === channel } }
    }
}
