import Health
import Testing

@testable import TargetsAPI

@Suite struct RouteTests {
    @Test func placesAreThoseOfTheDocument() {
        #expect(TargetsRoute.list(clientID: "c1").path == "/api/clients/c1/targets")
        #expect(TargetsRoute.target(TargetIdentity(clientID: "c1", key: "tgt_1")).path == "/api/clients/c1/targets/tgt_1")
    }

    @Test(arguments: ["plain", "with space", "a/b", "ü€", "\u{FFFD}", "100%", "?q#f", ".", "..", "a.b", "\u{0}", "\u{1B}[31m"])
    func everyIdComesBackFromItsPath(id: String) {
        let route = TargetsRoute.target(TargetIdentity(clientID: id, key: id))
        #expect(TargetsRoute(path: route.path) == route)
    }

    @Test func dotsCannotClimbOutOfTheirPlace() {
        #expect(TargetsRoute.target(TargetIdentity(clientID: "c", key: "..")).path == "/api/clients/c/targets/%2E%2E")
    }

    @Test(arguments: [
        "", "/", "/api/clients/c", "/api/clients//targets", "/api/clients/c/targets/", "/api/clients/c/targets/t/x",
        "/API/clients/c/targets", "/api/clients/%FF/targets", "/api/clients/%2/targets", "/api/clients/%zz/targets",
        "api/clients/c/targets", "/api/clients/\u{FFFD}/targets", "/api/clients/c/targets/a\u{FFFD}",
        "/api/clients/\(String(repeating: "x", count: 257))/targets",
    ])
    func whatIsNoPlaceIsRefused(path: String) {
        #expect(TargetsRoute(path: path) == nil)
    }
}
