import NIOCore
import NIOEmbedded
import Testing

@testable import ConnectionLimits

/// Each test runs in a process of its own, because the fault that it looks for ends the process.
@Suite struct AcceptedConnectionsTests {
    @Test func aConnectionThatNIODropsIsClosedAtTheEnd() async {
        await #expect(processExitsWith: .success) {
            let accepted = AcceptedConnections()
            let channel = try connected()
            // As NIO does with a connection that comes while the listener ends: nobody keeps the value of the future.
            try await accepted.hold(setUp(channel), of: channel).map { _ in }.get()
            #expect(channel.isActive)
            accepted.end()
            channel.embeddedEventLoop.run()
            #expect(!channel.isActive)
        }
    }

    @Test func aConnectionThatIsAcceptedAfterTheEndIsClosed() async {
        await #expect(processExitsWith: .success) {
            let accepted = AcceptedConnections()
            accepted.end()
            let channel = try connected()
            try await accepted.hold(setUp(channel), of: channel).map { _ in }.get()
            channel.embeddedEventLoop.run()
            #expect(!channel.isActive)
        }
    }

    @Test func aConnectionThatWasReleasedIsNotClosedAtTheEnd() async {
        await #expect(processExitsWith: .success) {
            let accepted = AcceptedConnections()
            let channel = try connected()
            let served = try await accepted.hold(setUp(channel), of: channel).get()
            accepted.release(channel)
            accepted.end()
            #expect(channel.isActive)
            channel.close(promise: nil)
            channel.embeddedEventLoop.run()
            withExtendedLifetime(served) {}
        }
    }

    @Test func aConnectionThatHasClosedIsNotHeld() async {
        await #expect(processExitsWith: .success) {
            let accepted = AcceptedConnections()
            let channel = try connected()
            final class Token: Sendable {}
            weak var token: Token?
            do {
                let made = Token()
                token = made
                try await accepted.hold(channel.eventLoop.makeSucceededFuture(made), of: channel).map { _ in }.get()
            }
            #expect(token != nil)
            channel.close(promise: nil)
            channel.embeddedEventLoop.run()
            #expect(token == nil)
        }
    }

    @Test func aConnectionWhoseSetupFailsIsClosed() throws {
        struct Failed: Error {}
        let channel = try connected()
        let failed: EventLoopFuture<Void> = AcceptedConnections().hold(channel.eventLoop.makeFailedFuture(Failed()), of: channel)
        #expect(throws: Failed.self) { try failed.wait() }
        #expect(!channel.isActive)
        channel.embeddedEventLoop.run()
    }
}

private func connected() throws -> EmbeddedChannel {
    let channel = EmbeddedChannel()
    try channel.connect(to: SocketAddress(ipAddress: "192.0.2.1", port: 1)).wait()
    return channel
}

private func setUp(_ channel: EmbeddedChannel) -> EventLoopFuture<NIOAsyncChannel<ByteBuffer, ByteBuffer>> {
    channel.eventLoop.makeCompletedFuture {
        let connection = try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        // NIO does so when it hands the connection over. From then on the caller owns the connection's writer.
        channel.pipeline.fireChannelActive()
        return connection
    }
}
