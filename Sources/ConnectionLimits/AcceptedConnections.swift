// ConnectionLimits: what a listener grants to each client, so that a slow or greedy client costs the other clients nothing.
// What lives here: how long a request and its answer may take, when a connection ends, how many connections one peer may have, and why an
// address can't be listened on. A state machine decides (`RequestDeadline`, `ConnectionPersistence`), and a channel handler carries out the
// decision (`RequestTimer`, `ConnectionClosePolicy`).
// What doesn't: sockets, routes, who may ask. These are in Web and TargetsServer, whose listeners both keep these limits.
// The terms are defined in docs/glossary.md.

package import NIOCore
import Synchronization

/// The connections that a listener has accepted and doesn't serve yet.
///
/// NIO drops a connection that is accepted while the listener ends. A `NIOAsyncChannel` that is dropped while its connection is open ends
/// the process ("Deinited NIOAsyncWriter without calling finish()"). Here each accepted connection has an owner, whatever NIO does with it.
package final class AcceptedConnections: Sendable {
    private struct Connection: Sendable {
        let channel: any Channel
        /// What NIO makes of the channel, such as a `NIOAsyncChannel`.
        let value: any Sendable
    }

    /// The state returns what is to be done, and its caller does it outside of the lock.
    private struct State: Sendable {
        enum Listener { case listening, ended }
        enum Action { case hold, holdUntilClosed }

        private var listener = Listener.listening
        private var held: [ObjectIdentifier: Connection] = [:]

        /// A connection is held after the end, too: NIO may drop the connection before it has closed.
        mutating func accept(_ connection: Connection) -> Action {
            held[ObjectIdentifier(connection.channel)] = connection
            return switch listener {
            case .listening: .hold
            case .ended: .holdUntilClosed
            }
        }

        mutating func release(_ channel: any Channel) -> Connection? { held.removeValue(forKey: ObjectIdentifier(channel)) }

        /// Returns the channels to close. Their connections are held until they have closed.
        mutating func end() -> [any Channel] {
            listener = .ended
            return held.values.map(\.channel)
        }
    }

    private let state = Mutex(State())

    package init() {}

    /// Holds the value that `setUp` gives, until the connection is served or has closed. Closes a connection whose setup fails, because NIO
    /// leaves such a connection open.
    package func hold<Value: Sendable>(_ setUp: EventLoopFuture<Value>, of channel: any Channel) -> EventLoopFuture<Value> {
        setUp.whenFailure { _ in channel.close(promise: nil) }
        return setUp.map { value in
            let action = self.state.withLock { $0.accept(Connection(channel: channel, value: value)) }
            // When a channel has closed, NIO has finished its writer: the writer may be dropped then.
            channel.closeFuture.whenComplete { _ in self.release(channel) }
            switch action {
            case .hold: break
            case .holdUntilClosed: channel.close(promise: nil)
            }
            return value
        }
    }

    /// From now on the caller owns the connection and closes it.
    package func release(_ channel: any Channel) {
        // Outside of the lock, because the deinitializer of the value may call back.
        let released = state.withLock { $0.release(channel) }
        withExtendedLifetime(released) {}
    }

    /// Closes each connection that nobody serves, and each connection that is accepted later. Called after the listener has ended.
    package func end() {
        let unserved = state.withLock { $0.end() }
        for channel in unserved { channel.close(promise: nil) }
    }
}
