import Testing

@testable import Curl

@Suite struct AddressChoiceTests {
    private let all = ["192.0.2.1", "192.0.2.2", "2001:db8::1"]

    private func choice(
        _ change: (inout TransferRequest) -> Void = { _ in }, reachable: ([SocketAddress]) -> [SocketAddress] = { $0 }
    ) throws -> AddressChoice {
        AddressChoice(try request("http://a.test/", change), of: try all.map { try address($0) }, reachable: reachable)
    }

    @Test func thePinGoesRoundTheAddresses() throws {
        for pin in 0..<6 {
            #expect(try choice { $0.pin = UInt64(pin) }.address?.text == all[pin % 3])
        }
    }

    @Test func theFamilyLeavesTheOtherOut() throws {
        let chosen = try choice { $0.family = .v6 }
        #expect(chosen.address?.text == "2001:db8::1" && chosen.resolved.count == 1)
    }

    @Test func withoutAnAddressOfTheFamilyThereIsNone() throws {
        let chosen = AddressChoice(
            try request("http://a.test/") { $0.family = .v6 }, of: [try address("192.0.2.1")], reachable: { $0 })
        #expect(chosen.address == nil && chosen.failure?.code == .noAddress)
    }

    @Test func aDeniedAddressIsToldOfAndNotChosen() throws {
        let chosen = try choice { $0.allows = { $0.text != "192.0.2.1" } }
        #expect(chosen.address?.text == "192.0.2.2" && chosen.resolved.map(\.text) == all)
    }

    @Test func whereAllAreDeniedThatIsSaid() throws {
        let chosen = try choice { $0.allows = { _ in false } }
        #expect(chosen.failure?.code == .addressDenied && chosen.resolved.map(\.text) == all)
    }

    @Test func anAddressWithoutARouteIsNeitherChosenNorToldOf() throws {
        let chosen = try choice(reachable: { $0.filter(\.isIPv4) })
        #expect(chosen.resolved.map(\.text) == ["192.0.2.1", "192.0.2.2"])
    }

    @Test func aProxyHasRoutesOfItsOwn() throws {
        let chosen = try choice({ ($0.proxy, $0.pin) = ((host: "192.0.2.9", port: 1), 2) }, reachable: { _ in [] })
        #expect(chosen.address?.text == "2001:db8::1")
    }
}
