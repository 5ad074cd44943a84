import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Curl

/// Through c-ares, against a name server on loopback.
@Suite struct NameServerTests {
    private typealias Record = NameServer.Query.Record

    private func texts(_ report: TransferReport) -> [String] { report.resolved.map(\.text) }

    @Test func theAddressesOfBothFamiliesAreFoundInOrder() async throws {
        let server = try NameServer { [$0.answer(addresses: ["192.0.2.2", "192.0.2.1", "2001:db8::1"])] }
        let report = try await ResolverBench(port: server.port).look("a.test")
        #expect(texts(report) == ["192.0.2.1", "192.0.2.2", "2001:db8::1"] && report.code == .addressDenied)
        #expect(report.dns ?? .zero > .zero)
        #expect(Set(server.queries.value.map(\.type)) == [.a, .aaaa])
    }

    @Test(arguments: [(TransferRequest.Family.v4, DNSType.a, "192.0.2.1"), (.v6, .aaaa, "2001:db8::1")])
    func oneFamilyIsAskedForAlone(family: TransferRequest.Family, type: DNSType, address: String) async throws {
        let server = try NameServer { [$0.answer(addresses: ["192.0.2.1", "2001:db8::1"])] }
        let report = try await ResolverBench(port: server.port).look("a.test") { $0.family = family }
        #expect(texts(report) == [address] && server.queries.value.map(\.type) == [type])
    }

    @Test func aMachineWithoutIPv6AsksForNoAddressOfIt() async throws {
        let server = try NameServer { [$0.answer(addresses: ["192.0.2.1", "2001:db8::1"])] }
        let bench = try ResolverBench(port: server.port, families: .init(hasIPv4: true, hasIPv6: false))
        #expect(texts(try await bench.look("a.test")) == ["192.0.2.1"])
        #expect(server.queries.value.map(\.type) == [.a])
    }

    @Test func aliasesLeadToTheAddress() async throws {
        let server = try NameServer { query in
            [query.answer([.alias("a.test", "b.test"), .alias("b.test", "c.test"), .address("c.test", "192.0.2.1")])]
        }
        #expect(texts(try await ResolverBench(port: server.port).look("a.test") { $0.family = .v4 }) == ["192.0.2.1"])
    }

    @Test func aProbeConnectsToTheAddressThatIsFound() async throws {
        let (server, target) = (try NameServer { [$0.answer(addresses: ["127.0.0.1"])] }, try ConnectionServer { $0.answer() })
        let engine = try ResolverBench(port: server.port).engine()
        let report = await engine.transfer(try request("http://a.test:\(target.port)/") { $0.usesSearchDomains = false })
        #expect(report.status == 200 && report.address?.text == "127.0.0.1")
    }

    @Test(arguments: [(UInt8(2), "SERVFAIL"), (3, "NXDOMAIN"), (5, "REFUSED"), (1, "error 1")])
    func anErrorOfTheServerIsSaid(code: UInt8, words: String) async throws {
        let server = try NameServer { [$0.answer(code: code)] }
        let report = try await ResolverBench(port: server.port).look("a.test")
        #expect(report.code == .lookupFailed && report.failure?.detail.contains(words) == true, "\(report.failure?.detail ?? "")")
    }

    @Test func aNameWithoutAnAddressIsToldApart() async throws {
        let server = try NameServer { [$0.answer()] }
        let report = try await ResolverBench(port: server.port).look("a.test")
        #expect(report.code == .lookupFailed && report.failure?.detail == "the name has no address")
    }

    @Test func aNameOfASearchDomainIsToldApart() async throws {
        let server = try NameServer {
            $0.name == "a.test.corp.test" ? [$0.answer(addresses: ["192.0.2.1"])] : [$0.answer(code: 3)]
        }
        let bench = try ResolverBench(port: server.port, resolvConf: "nameserver 127.0.0.1\nsearch other.test corp.test\n")
        #expect(try await bench.look("a.test").code == .lookupNeedsSearch)
        #expect(try await bench.look("b.test").code == .lookupFailed)
    }

    @Test func theSecondServerIsAskedWhereTheFirstFails() async throws {
        let first = try NameServer { [$0.answer(code: 2)] }
        let second = try NameServer(address: "127.0.0.2", port: first.port) { [$0.answer(addresses: ["192.0.2.1"])] }
        let bench = try ResolverBench(port: first.port, resolvConf: "nameserver 127.0.0.1\nnameserver 127.0.0.2\n")
        #expect(texts(try await bench.look("a.test") { $0.family = .v4 }) == ["192.0.2.1"])
        #expect(first.count("a.test") == 1 && second.count("a.test") == 1)
    }

    @Test func aTruncatedAnswerIsAskedForByTCP() async throws {
        let many = (0..<50).map { "192.0.2.\($0)" }
        let server = try NameServer { $0.isTCP ? [$0.answer(addresses: many)] : [$0.answer(isTruncated: true)] }
        let report = try await ResolverBench(port: server.port).look("a.test") { $0.family = .v4 }
        #expect(report.resolved.count == 50 && server.queries.value.map(\.isTCP) == [false, true])
    }

    @Test func aLostPacketCostsOneSecond() async throws {
        let server = try NameServer { $0.turn == 1 ? [] : [$0.answer(addresses: ["192.0.2.1"])] }
        let report = try await ResolverBench(port: server.port).look("a.test") { $0.family = .v4 }
        let time = report.dns ?? .zero
        #expect(texts(report) == ["192.0.2.1"] && time >= .milliseconds(950) && time < .seconds(3), "\(time)")
    }

    @Test func aSilentServerIsLeftAtTheDeadline() async throws {
        let server = try NameServer { _ in [] }
        let report = try await ResolverBench(port: server.port).look("a.test", timeout: .seconds(3))
        #expect(report.code == .lookupTimedOut && report.dns ?? .zero >= .seconds(3), "\(report.failure?.detail ?? "")")
        #expect(report.duration < .seconds(6))
    }

    @Test func aServerThatStaysSilentIsGivenUpAfterTheAttemptsOfTheFile() async throws {
        let server = try NameServer { _ in [] }
        let bench = try ResolverBench(port: server.port, resolvConf: "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        let report = try await bench.look("a.test") { $0.family = .v4 }
        #expect(report.code == .lookupFailed && report.failure?.detail == "no name server answers")
        #expect(server.queries.value.count == 1)
    }

    @Test func aPortWhereNobodyListensIsSaid() async throws {
        let report = try await ResolverBench(port: try freePort()).look("a.test")
        #expect(report.code == .lookupFailed)
        #expect(report.failure?.detail == "no name server answers: Connection refused")
    }

    @Test func whoComesAfterALookupWasLeftGetsQueriesOfTheirOwn() async throws {
        let server = try NameServer { $0.turn == 1 ? [] : [$0.answer(addresses: ["192.0.2.1"])] }
        let bench = try ResolverBench(port: server.port, resolvConf: "nameserver 127.0.0.1\noptions timeout:30 attempts:1\n")
        let engine = try bench.engine()
        let first = try await bench.look("a.test", in: engine, timeout: .seconds(2)) { $0.family = .v4 }
        let second = try await bench.look("a.test", in: engine) { $0.family = .v4 }
        #expect(first.code == .lookupTimedOut && texts(second) == ["192.0.2.1"])
    }

    @Test func namesOfTheHostsFileAndNamesWithoutADotGoToTheSystem() async throws {
        let server = try NameServer { [$0.answer(addresses: ["192.0.2.1"])] }
        let bench = try ResolverBench(port: server.port, hosts: "192.0.2.5 known.test\n")
        let engine = try bench.engine()
        for host in ["known.test", "moon", "a.localhost"] {
            #expect(texts(try await bench.look(host, in: engine)) == ["192.0.2.99"])
        }
        #expect(bench.askedOfSystem.value == ["known.test", "moon", "a.localhost"] && server.queries.value.isEmpty)
    }

    @Test func theSystemHasTheLastWordWhereItHasOthersToAsk() async throws {
        let server = try NameServer { [$0.answer(code: 3)] }
        let bench = try ResolverBench(port: server.port, services: "hosts: files dns ldap\n")
        #expect(texts(try await bench.look("a.test")) == ["192.0.2.99"] && server.count("a.test") == 2)
    }

    @Test func changedFilesAreTakenUp() async throws {
        let first = try NameServer { [$0.answer(addresses: ["192.0.2.1"])] }
        let second = try NameServer(address: "127.0.0.2", port: first.port) { [$0.answer(addresses: ["192.0.2.2"])] }
        let bench = try ResolverBench(port: first.port)
        let engine = try bench.engine()
        #expect(texts(try await bench.look("a.test", in: engine) { $0.family = .v4 }) == ["192.0.2.1"])
        try bench.folder.write("nameserver 127.0.0.2\n", to: "resolv.conf")
        try bench.folder.write("192.0.2.5 b.test\n", to: "hosts")
        var last: [String] = []
        let start = ContinuousClock.now
        while last != ["192.0.2.2"], ContinuousClock.now - start < .seconds(20) {
            last = texts(try await bench.look("a.test", in: engine) { $0.family = .v4 })
        }
        #expect(last == ["192.0.2.2"] && second.count("a.test") > 0)
        #expect(texts(try await bench.look("b.test", in: engine)) == ["192.0.2.99"])
    }

    @Test func eachLookupHasAPortOfItsOwnWhenNoOtherIsUnderWay() async throws {
        let server = try NameServer { [$0.answer(addresses: ["192.0.2.1"])] }
        let bench = try ResolverBench(port: server.port)
        let engine = try bench.engine()
        for number in 0..<20 { _ = try await bench.look("\(number).test", in: engine) { $0.family = .v4 } }
        #expect(Set(server.queries.value.map(\.port)).count > 10)
        #expect(Set(server.queries.value.map(\.id)).count > 10)
    }
}
