import TestSupport
import Testing

@testable import Curl

/// What a name server, or someone who guesses at its answers, can send: no address of another name, and no end of the process.
@Suite struct HostileNameServerTests {
    private typealias Query = NameServer.Query

    private static let evil = "198.51.100.66"

    private static func evilAnswer(_ query: Query, _ change: (inout [UInt8]) -> Void) -> [UInt8] {
        var answer = query.answer(addresses: [evil])
        change(&answer)
        return answer
    }

    private static let forged: [(name: String, forge: @Sendable (Query) -> [[UInt8]])] = [
        ("nothing", { _ in [[]] }), ("a byte", { _ in [[0]] }), ("bytes", { _ in [(0..<200).map { UInt8($0) }] }),
        ("a header alone", { [Array($0.answer().prefix(12))] }),
        ("another id", { [$0.answer([.address($0.name, evil)], id: $0.id &+ 1)] }),
        (
            "another name",
            { query in
                [evilAnswer(query) { $0[13] ^= 1 }]
            }
        ),
        (
            "another type",
            { query in
                [evilAnswer(query) { $0[12 + query.name.utf8.count + 3] = 15 }]
            }
        ),
        (
            "no question",
            { query in
                [evilAnswer(query) { $0[5] = 0 }]
            }
        ),
    ]

    @Test(arguments: forged.indices)
    func whatDoesNotAnswerTheQuestionIsPassedOver(_ index: Int) async throws {
        let forge = Self.forged[index].forge
        let server = try NameServer { forge($0) + [$0.answer(addresses: ["192.0.2.1"])] }
        let report = try await ResolverBench(port: server.port).look("a.test") { $0.family = .v4 }
        #expect(report.resolved.map(\.text) == ["192.0.2.1"], "\(Self.forged[index].name): \(report.failure?.detail ?? "")")
    }

    private static let unusable: [(name: String, answer: @Sendable (Query) -> [UInt8])] = [
        ("an address of another name", { $0.answer([.address("evil.test", evil)]) }),
        ("an alias of another name", { $0.answer([.alias("x.test", "evil.test"), .address("evil.test", evil)]) }),
        ("aliases in a circle", { $0.answer([.alias("a.test", "b.test"), .alias("b.test", "a.test")]) }),
        ("a pointer to itself", { $0.answer([.init(name: "a.test", type: 5, data: [0xc0, 42])]) }),
        (
            "more records than there are",
            { query in
                evilAnswer(query) { $0[7] = 200 }
            }
        ),
        ("a cut record", { $0.answer(addresses: [evil]).dropLast(2) + [] }),
        (
            "its own query",
            { query in
                evilAnswer(query) { $0[2] &= 0x7f }
            }
        ),
    ]

    @Test(arguments: unusable.indices)
    func whatIsNoAnswerGivesNoAddress(_ index: Int) async throws {
        let answer = Self.unusable[index].answer
        let server = try NameServer { [answer($0)] }
        let report = try await ResolverBench(port: server.port).look("a.test") { $0.family = .v4 }
        #expect(report.code == .lookupFailed && report.resolved.isEmpty, "\(Self.unusable[index].name)")
    }

    @Test func ofThousandsOfAddresses64AreTaken() async throws {
        let many = (0..<2000).map { "10.0.\($0 / 256).\($0 % 256)" }
        let server = try NameServer { $0.isTCP ? [$0.answer(addresses: many)] : [$0.answer(isTruncated: true)] }
        let report = try await ResolverBench(port: server.port).look("a.test") { $0.family = .v4 }
        #expect(report.resolved.count == 64 && report.resolved.last?.text == "10.0.0.63")
    }

    @Test func aServerThatEndsItsConnectionInTheMiddleIsGivenUp() async throws {
        let server = try NameServer { query in
            query.isTCP ? [Array(query.answer(addresses: ["192.0.2.1"]).prefix(20))] : [query.answer(isTruncated: true)]
        }
        let bench = try ResolverBench(port: server.port, resolvConf: "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        let report = try await bench.look("a.test") { $0.family = .v4 }
        #expect(report.code == .lookupFailed && report.resolved.isEmpty)
    }

    @Test func randomBytesBehindARightQuestionEndNothing() async throws {
        let seeds = Counter()
        let server = try NameServer { query in
            var generator = SeededGenerator(state: UInt64(seeds.next()))
            var answer = query.answer([.address("evil.test", Self.evil), .alias("x.test", "evil.test")])
            let body = 12 + query.name.utf8.count + 6
            for _ in 0..<4 {
                answer[Int.random(in: body..<answer.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            return [answer]
        }
        let bench = try ResolverBench(port: server.port)
        let engine = try bench.engine()
        for number in 0..<300 {
            let report = try await bench.look("\(number).test", in: engine) { $0.family = .v4 }
            #expect(!report.resolved.map(\.text).contains(Self.evil))
        }
    }
}
