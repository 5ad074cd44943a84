import Testing

@testable import Daemon

@Suite struct DescriptorSharesTests {
    @Test(arguments: [64, 100, 256, 1024, 4096, 20_000, 65_536, 1 << 20], [1, 2, 8])
    func whatIsSharedOutFitsBesideWhatIsOpenAnyway(all: Int, processors: Int) {
        let shares = DescriptorShares(of: all, probes: 10_000, lookups: 256, processors: processors, withTargetsServer: false)
        let sum = shares.probes + shares.idleConnections + shares.secondLooks + 2 * shares.lookups + shares.connections
        #expect(sum + 28 + 3 * processors <= all || shares.probes == 1)
        #expect(min(shares.probes, shares.idleConnections, shares.secondLooks, shares.lookups) >= 1)
        #expect(shares.connections >= 2)
    }

    @Test func aLargeLimitGivesEachWhatItWants() {
        let shares = DescriptorShares(of: 65_536, probes: 10_000, lookups: 256, processors: 8, withTargetsServer: true)
        #expect((shares.probes, shares.lookups, shares.connections) == (10_000, 256, 512))
        #expect((shares.idleConnections, shares.secondLooks) == (1024, 256))
    }
}
