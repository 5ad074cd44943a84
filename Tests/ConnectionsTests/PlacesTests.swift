import NIOCore
import NIOEmbedded
import Testing

@testable import Connections

@Suite struct PlacesTests {
    private let places = ConnectionPlaces(total: 4)

    private func begin(_ address: String, isTakenUp: Bool = true) throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        try channel.connect(to: SocketAddress(ipAddress: address, port: 1)).wait()
        channel.remoteAddress = try SocketAddress(ipAddress: address, port: 1)
        let begun = places.begin(channel) { channel.eventLoop.makeSucceededVoidFuture() }
        begun.whenFailure { _ in }
        if isTakenUp { places.takeUp(channel) }
        return channel
    }

    @Test func theStrangerThatHasMostLosesItsOldest() throws {
        let quiet = try begin("192.0.2.9")
        let greedy = try (0..<3).map { _ in try begin("192.0.2.1") }
        let another = try begin("192.0.2.7")
        #expect(greedy.map(\.isActive) == [false, true, true])
        #expect(quiet.isActive && another.isActive)
        // It is no better off for coming again.
        let again = try begin("192.0.2.1")
        #expect(greedy.map(\.isActive) == [false, false, true] && again.isActive)
        #expect(quiet.isActive && another.isActive)
    }

    @Test func anAddressOfThisMachineIsAPeerLikeAnother() throws {
        let quiet = try begin("127.0.0.1")
        let greedy = try (0..<3).map { _ in try begin("127.0.0.2") }
        let another = try begin("127.0.0.1")
        #expect(quiet.isActive && another.isActive && !greedy[0].isActive)
    }

    @Test func whoIsTrustedLosesNothing() throws {
        let trusted = try (0..<4).map { _ in try begin("192.0.2.1") }
        for channel in trusted { places.trust(channel) }
        #expect(try !begin("192.0.2.7").isActive)
        #expect(trusted.allSatisfy { $0.isActive })
    }

    @Test func aConnectionThatIsNotServedYetIsNotEndedForAnother() throws {
        let begun = try (0..<3).map { _ in try begin("192.0.2.1", isTakenUp: false) } + [begin("192.0.2.7")]
        #expect(try begin("192.0.2.1").isActive)
        #expect(begun.map(\.isActive) == [true, true, true, false])
    }

    @Test func anEndWaitsForWhatHasBegunAndLetsNothingMoreBegin() async throws {
        let (served, coming) = (try begin("192.0.2.1"), try begin("192.0.2.1", isTakenUp: false))
        places.trust(served)
        async let ended: Void = places.end()
        // Refused as soon as the end has begun.
        while try begin("192.0.2.7").isActive { await Task.yield() }
        places.takeUp(coming)
        await ended
        #expect(served.isActive && coming.isActive)
    }

    @Test func aPlaceIsGivenBackWhenItsConnectionEnds() throws {
        let first = try (0..<4).map { _ in try begin("192.0.2.1") }
        try first[3].close().wait()
        first[3].embeddedEventLoop.run()
        let next = try begin("192.0.2.7")
        #expect(first.dropLast().allSatisfy { $0.isActive } && next.isActive)
    }

    @Test func aConnectionThatCannotBeginIsClosedAndKeepsNoPlace() throws {
        struct Failed: Error {}
        for _ in 0..<5 {
            let channel = EmbeddedChannel()
            try channel.connect(to: SocketAddress(ipAddress: "192.0.2.1", port: 1)).wait()
            let begun: EventLoopFuture<Void> = places.begin(channel) { channel.eventLoop.makeFailedFuture(Failed()) }
            #expect(throws: Failed.self) { try begun.wait() }
            #expect(!channel.isActive)
            channel.embeddedEventLoop.run()
        }
        let rest = try (0..<4).map { _ in try begin("192.0.2.1") }
        #expect(rest.allSatisfy { $0.isActive })
    }
}
