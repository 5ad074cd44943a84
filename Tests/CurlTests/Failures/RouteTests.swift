import TestSupport
import Testing

@testable import Curl

/// A name with addresses that this machine has no way to.
@Suite struct RouteTests {
    private static let both = ["127.0.0.1", "2001:db8::1"].compactMap { SocketAddress($0) }

    @Test(arguments: 0..<4) func anAddressWithoutARouteIsPassedOver(pin: UInt64) async throws {
        let engine = try TransferEngine(resolver: { _ in .addresses(Self.both) }, hasRoute: { $0.isIPv4 })
        let server = try ConnectionServer { $0.answer() }
        let report = await engine.transfer(try request("http://both.test:\(server.port)/") { $0.pin = pin })
        #expect(report.status == 200 && report.address?.text == "127.0.0.1")
        #expect(report.resolved.map(\.text) == ["127.0.0.1"])
    }

    @Test func anAddressThatIsDeniedIsNoWay() async throws {
        let engine = try TransferEngine(resolver: { _ in .addresses(Self.both) }, hasRoute: { $0.isIPv4 })
        let report = await engine.transfer(
            try request("http://both.test:1/", timeout: .seconds(2)) { $0.allows = { !$0.isIPv4 } })
        // Alone it is tried, whatever becomes of it.
        #expect(report.address?.text == "2001:db8::1" && report.status == nil)
        #expect(report.resolved == Self.both)
    }

    /// TCP can't go to a broadcast address, and loopback has one: nothing leaves the machine.
    @Test func whereNoneHasARouteTheNetworkIsUnreachable() async throws {
        let addresses = ["127.255.255.255", "127.255.255.255"].compactMap { SocketAddress($0) }
        let engine = try TransferEngine(resolver: { _ in .addresses(addresses) }, hasRoute: { _ in false })
        let report = await engine.transfer(try request("http://none.test:1/"))
        #expect(report.code == .networkUnreachable)
    }

    @Test func theKernelIsAskedOnceASecond() {
        let asked = Counter()
        var routes = Routes { _ in
            asked.next()
            return true
        }
        for now: UInt64 in [1, 500_000_000, 999_999_999] { #expect(routes.reachable(Self.both, now: now) == Self.both) }
        #expect(asked.value == 2)
        _ = routes.reachable(Self.both, now: 1_000_000_001)
        #expect(asked.value == 4)
    }

    @Test func aSingleAddressIsNotAskedAfter() {
        let asked = Counter()
        var routes = Routes { _ in
            asked.next()
            return false
        }
        #expect(routes.reachable([Self.both[1]], now: 1) == [Self.both[1]])
        #expect(asked.value == 0)
    }

    @Test func loopbackHasARoute() {
        #expect(systemHasRoute(Self.both[0]))
    }
}
