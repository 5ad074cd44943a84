import Testing

@testable import Daemon

@Suite struct DescriptorSharesTests {
    @Test(
        arguments: [64, 100, 256, 1024, 4096, 20_000, 65_536, 1 << 20],
        [(1, false), (2, false), (8, false), (2, true), (8, true)])
    func whatIsSharedOutFitsBesideWhatIsOpenAnyway(all: Int, rest: (processors: Int, isServer: Bool)) {
        let (processors, isServer) = rest
        let shares = DescriptorShares(
            of: all, probes: 10_000, lookups: 256, processors: processors, lanes: processors, withTargetsServer: isServer)
        let sum =
            shares.probes + shares.idleConnections + shares.alternateChecks + 2 * shares.lookups + shares.connections
            + shares.apiConnections
        #expect(sum + 48 + 3 * processors + 2 * (processors - 1) + (isServer ? 12 : 0) <= all || shares.probes == 1)
        #expect(isServer == (shares.apiConnections >= 3))
        #expect(min(shares.probes, shares.idleConnections, shares.alternateChecks, shares.lookups) >= 1)
        #expect(shares.connections >= 2)
    }

    @Test func aLargeLimitGivesEachWhatItWants() {
        let shares = DescriptorShares(of: 65_536, probes: 10_000, lookups: 256, processors: 8, withTargetsServer: true)
        #expect((shares.probes, shares.lookups, shares.connections) == (10_000, 256, 512))
        #expect((shares.idleConnections, shares.alternateChecks, shares.apiConnections) == (1024, 256, 320))
    }
}
