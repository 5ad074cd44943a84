package import NIOCore
import Synchronization

/// What a listener has begun of each connection, until the connection is served or has closed.
///
/// NIO drops a connection that comes while its listener ends, and a `NIOAsyncChannel` that is dropped while its connection is open ends the
/// process ("Deinited NIOAsyncWriter without calling finish()"). Here each has somebody who keeps it, whatever NIO does with it.
package final class BegunConnections: Sendable {
    private struct Begun: Sendable {
        let channel: any Channel
        let value: any Sendable
    }

    private struct State: Sendable {
        var begun: [ObjectIdentifier: Begun] = [:]
        var isEnded = false
    }

    private let state = Mutex(State())

    package init() {}

    /// Keeps what `begun` gives. A connection that can't begin is closed here: NIO leaves one whose initializer fails as it is.
    package func keep<Value: Sendable>(_ begun: EventLoopFuture<Value>, of channel: any Channel) -> EventLoopFuture<Value> {
        begun.whenFailure { _ in channel.close(promise: nil) }
        return begun.map { value in
            let isLate = self.state.withLock { state in
                state.begun[ObjectIdentifier(channel)] = Begun(channel: channel, value: value)
                return state.isEnded
            }
            // By then the writer has been finished by NIO, and may be dropped.
            channel.closeFuture.whenComplete { _ in self.drop(channel) }
            if isLate { channel.close(promise: nil) }
            return value
        }
    }

    /// Whoever serves it ends it, too.
    package func drop(_ channel: any Channel) {
        // Outside of the lock: what is let go may call back.
        let dropped = state.withLock { $0.begun.removeValue(forKey: ObjectIdentifier(channel)) }
        withExtendedLifetime(dropped) {}
    }

    /// After the listener has ended: closes whatever nobody serves, and whatever begins from now on.
    package func end() {
        let left = state.withLock { state in
            state.isEnded = true
            return state.begun.values.map(\.channel)
        }
        for channel in left { channel.close(promise: nil) }
    }
}
