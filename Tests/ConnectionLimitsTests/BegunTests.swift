import NIOCore
import NIOEmbedded
import Testing

@testable import ConnectionLimits

/// Each in a process of its own: what they guard against ends the process.
@Suite struct BegunTests {
    @Test func aConnectionThatItsListenerDropsIsClosedAtTheEndAndHarmsNobody() async {
        await #expect(processExitsWith: .success) {
            let begun = BegunConnections()
            let channel = try connected()
            // As NIO does with one that comes while the listener ends: nobody holds on to what the future gave.
            try await begun.keep(begin(channel), of: channel).map { _ in }.get()
            #expect(channel.isActive)
            begun.end()
            channel.embeddedEventLoop.run()
            #expect(!channel.isActive)
        }
    }

    @Test func aConnectionThatBeginsAfterTheEndIsClosed() async {
        await #expect(processExitsWith: .success) {
            let begun = BegunConnections()
            begun.end()
            let channel = try connected()
            try await begun.keep(begin(channel), of: channel).map { _ in }.get()
            channel.embeddedEventLoop.run()
            #expect(!channel.isActive)
        }
    }

    @Test func aConnectionThatIsServedBelongsToWhoServesIt() async {
        await #expect(processExitsWith: .success) {
            let begun = BegunConnections()
            let channel = try connected()
            let served = try await begun.keep(begin(channel), of: channel).get()
            begun.drop(channel)
            begun.end()
            #expect(channel.isActive)
            channel.close(promise: nil)
            channel.embeddedEventLoop.run()
            withExtendedLifetime(served) {}
        }
    }

    @Test func aConnectionThatClosesIsKeptNoLonger() async {
        await #expect(processExitsWith: .success) {
            let begun = BegunConnections()
            let channel = try connected()
            final class Token: Sendable {}
            weak var token: Token?
            do {
                let made = Token()
                token = made
                try await begun.keep(channel.eventLoop.makeSucceededFuture(made), of: channel).map { _ in }.get()
            }
            #expect(token != nil)
            channel.close(promise: nil)
            channel.embeddedEventLoop.run()
            #expect(token == nil)
        }
    }

    @Test func aConnectionThatCannotBeginIsClosed() throws {
        struct Failed: Error {}
        let channel = try connected()
        let failed: EventLoopFuture<Void> = BegunConnections().keep(channel.eventLoop.makeFailedFuture(Failed()), of: channel)
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

private func begin(_ channel: EmbeddedChannel) -> EventLoopFuture<NIOAsyncChannel<ByteBuffer, ByteBuffer>> {
    channel.eventLoop.makeCompletedFuture {
        let begun = try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        // What NIO does when it hands the connection over: from then on its writer is the caller's.
        channel.pipeline.fireChannelActive()
        return begun
    }
}
