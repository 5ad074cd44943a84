import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import ServiceLifecycle
import TestSupport
import Testing

@testable import Web

@Suite struct ListenerTests {
    @Test func aConnectionBeyondTheLimitOfItsPeerIsClosed() throws {
        let listener = Listener(
            endpoint: .address(host: "127.0.0.1", port: 0), security: nil, connectionsMax: 1, connectionsPerPeerMax: 0,
            idleTimeout: .seconds(1)
        ) { _, _ in Response(status: .ok) }
        let channel = EmbeddedChannel()
        try channel.connect(to: SocketAddress(ipAddress: "192.0.2.1", port: 1)).wait()
        channel.remoteAddress = try SocketAddress(ipAddress: "192.0.2.1", port: 1)
        #expect(throws: (any Error).self) { try listener.accept(channel).wait() }
        #expect(!channel.isActive)
    }

    /// Runs in a process of its own, because a connection that NIO drops ends the process.
    @Test(arguments: [true, false]) func itEndsUnderAFloodOfConnections(isGraceful: Bool) async {
        await #expect(processExitsWith: .success) { [isGraceful] in
            for _ in 0..<5 {
                let listener = Listener(
                    endpoint: .address(host: "127.0.0.1", port: 0), security: nil, connectionsMax: 512, idleTimeout: .seconds(60)
                ) { _, _ in Response(status: .ok) }
                let (ports, port) = AsyncStream<Int>.makeStream()
                let group = ServiceGroup(
                    services: [Running { try await listener.run { port.yield($0.port) } }],
                    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
                let running = Task { try await group.run() }
                let flood = ConnectionFlood(port: try #require(await ports.first { _ in true }))
                try await flood.until(200)
                if isGraceful { await group.triggerGracefulShutdown() } else { running.cancel() }
                try? await running.value
                try await flood.stop()
            }
        }
    }
}
