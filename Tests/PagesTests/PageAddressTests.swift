import Health
import Testing

@testable import Pages

@Suite struct PageAddressTests {
    @Test(
        arguments: [
            ("/", .overview), ("/index", .overview), ("/targets", .targets(TargetQuery())), ("/certificates", .certificates),
            ("/daemon", .daemon),
            ("/wall", .wall), ("/feed.atom", .feed), ("/incidents/12", .incident(12)),
            ("/incidents", .incidents(IncidentQuery())),
            ("/targets/a%2Fb/%2E%2E", .target(TargetIdentity(clientID: "a/b", key: ".."), .day)),
        ] as [(String, PageAddress)])
    func aPathNamesItsPage(_ path: String, _ address: PageAddress) throws {
        #expect(try PageAddress(path: path, fields: []) == address)
    }

    @Test(arguments: [
        "/nothing", "/targets/", "/targets/a", "/targets/a/b/c", "/targets/%zz/b", "/incidents/x", "/incidents/-1", "/targets//b",
        "",
    ])
    func anotherPathNamesNone(_ path: String) throws {
        #expect(try PageAddress(path: path, fields: []) == nil)
    }

    /// Whatever a stranger calls a target, the link to it reads back.
    @Test(arguments: ["a", "a/b", ".", "..", "x.json", "%2E", "ä ö", "\u{202e}", "a?b#c", "\u{0}"]) func aLinkReadsBack(
        _ text: String
    ) throws {
        let identity = TargetIdentity(clientID: text, key: text)
        let link = targetLink(identity)
        #expect(!link.hasSuffix(".json") && link.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
        #expect(try PageAddress(path: link, fields: []) == .target(identity, .day))
    }

    @Test func aParameterThatIsMisspelledIsAMistake() {
        for (path, name) in [("/", "q"), ("/targets", "stauts"), ("/targets/a/b", "windo"), ("/daemon", "x")] {
            #expect(throws: PageAddress.Mistake.self) { try PageAddress(path: path, fields: [(name, "1")]) }
        }
    }
}
