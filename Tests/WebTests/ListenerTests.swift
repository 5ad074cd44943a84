import Hummingbird
import NIOCore
import NIOEmbedded
import Testing

@testable import Web

@Suite struct ListenerTests {
    @Test func aConnectionTooManyIsClosed() throws {
        let listener = Listener(
            place: .address(host: "127.0.0.1", port: 0), security: nil, connectionsMax: 1, ofOnePeer: 0, idleTimeout: .seconds(1)
        ) { _, _ in Response(status: .ok) }
        let channel = EmbeddedChannel()
        try channel.connect(to: SocketAddress(ipAddress: "192.0.2.1", port: 1)).wait()
        channel.remoteAddress = try SocketAddress(ipAddress: "192.0.2.1", port: 1)
        #expect(throws: (any Error).self) { try listener.begin(channel).wait() }
        #expect(!channel.isActive)
    }
}
