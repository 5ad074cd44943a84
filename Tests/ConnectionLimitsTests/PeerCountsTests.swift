import ConnectionLimits
import NIOCore
import NIOEmbedded
import Testing

@Suite struct PeerCountsTests {
    private func channel(_ address: String) throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        channel.remoteAddress = try SocketAddress(ipAddress: address, port: 1)
        return channel
    }

    @Test func eachPeerHasItsShareAndGivesItBack() throws {
        let counts = PeerCounts(limit: 2)
        let (one, other) = (try channel("192.0.2.1"), try channel("192.0.2.2"))
        let shares = [counts.enter(one), counts.enter(one), counts.enter(one), counts.enter(other)]
        #expect(shares.map { $0 != nil } == [true, true, false, true])
        // A channel that has closed has no address.
        one.remoteAddress = nil
        if let share = shares[0] { counts.leave(share) }
        let again = try channel("192.0.2.1")
        #expect(counts.enter(again) != nil)
        #expect(counts.enter(again) == nil)
    }

    @Test(arguments: [
        ("2001:db8::1", "2001:db8::2", false), ("2001:db8::1", "2001:db8:0:1::1", true), ("::ffff:192.0.2.1", "192.0.2.1", false),
    ])
    func ofIPv6ANetworkIsOnePeer(first: String, second: String, isAnother: Bool) throws {
        let counts = PeerCounts(limit: 1)
        #expect(counts.enter(try channel(first)) != nil)
        #expect((counts.enter(try channel(second)) != nil) == isAnother)
    }

    @Test func thisMachineHasNoLimit() throws {
        let counts = PeerCounts(limit: 1)
        for address in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            let here = try channel(address)
            for _ in 0..<5 { #expect(counts.enter(here) != nil) }
        }
        // An address of 6to4 that contains 127.0.0.1 is not this machine.
        let far = try channel("2002:7f00:1::1")
        #expect(counts.enter(far) != nil)
        #expect(counts.enter(far) == nil)
    }
}
