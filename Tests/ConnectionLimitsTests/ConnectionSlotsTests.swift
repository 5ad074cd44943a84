import NIOCore
import NIOEmbedded
import Testing

@testable import ConnectionLimits

@Suite struct ConnectionSlotsTests {
    private let slots = ConnectionSlots(total: 4)

    private func connect(_ address: String) throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        try channel.connect(to: SocketAddress(ipAddress: address, port: 1)).wait()
        channel.remoteAddress = try SocketAddress(ipAddress: address, port: 1)
        if !slots.enter(channel) { try channel.close().wait() }
        return channel
    }

    @Test func thePeerWithTheMostSlotsLosesItsOldestConnection() throws {
        let quiet = try connect("192.0.2.9")
        let greedy = try (0..<3).map { _ in try connect("192.0.2.1") }
        let another = try connect("192.0.2.7")
        #expect(greedy.map(\.isActive) == [false, true, true])
        #expect(quiet.isActive && another.isActive)
        // The peer gains nothing when it connects again.
        let again = try connect("192.0.2.1")
        #expect(greedy.map(\.isActive) == [false, false, true] && again.isActive)
        #expect(quiet.isActive && another.isActive)
    }

    @Test func anAddressOfThisMachineIsAPeerLikeAnyOther() throws {
        let quiet = try connect("127.0.0.1")
        let greedy = try (0..<3).map { _ in try connect("127.0.0.2") }
        let another = try connect("127.0.0.1")
        #expect(quiet.isActive && another.isActive && !greedy[0].isActive)
    }

    @Test func aTrustedConnectionIsNotClosedForAnother() throws {
        let trusted = try (0..<4).map { _ in try connect("192.0.2.1") }
        for channel in trusted { slots.trust(channel) }
        #expect(try !connect("192.0.2.7").isActive)
        #expect(trusted.allSatisfy { $0.isActive })
    }

    @Test func aSlotIsGivenBackWhenItsConnectionCloses() throws {
        let first = try (0..<4).map { _ in try connect("192.0.2.1") }
        try first[3].close().wait()
        first[3].embeddedEventLoop.run()
        let next = try connect("192.0.2.7")
        #expect(first.dropLast().allSatisfy { $0.isActive } && next.isActive)
    }
}
