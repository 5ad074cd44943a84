import TestSupport
import Testing

@testable import Curl

@Suite struct DNSMessageTests {
    private typealias Record = NameServer.Query.Record

    private let name: DNSName

    init() throws { name = try #require(DNSName("www.example.test")) }

    private func message(
        _ records: [Record], question: String = "www.example.test", type: DNSType = .a, flags: UInt16 = 0x8180
    ) throws -> [UInt8] {
        let head = [UInt8(flags >> 8), UInt8(truncatingIfNeeded: flags), 0, 1]
        let count = [UInt8(records.count >> 8), UInt8(truncatingIfNeeded: records.count), 0, 0, 0, 0]
        let asked = try #require(DNSName(question)).bytes + [0, UInt8(type.rawValue), 0, 1]
        return [7, 7] + head + count + asked + records.flatMap(\.bytes)
    }

    private func read(_ message: [UInt8], _ type: DNSType = .a) -> DNSReply {
        message.withUnsafeBytes { DNSMessage.read($0, asked: name, type) }
    }

    private func addresses(_ texts: String..., seconds: UInt32) -> DNSReply {
        .addresses(texts.compactMap { SocketAddress($0) }, timeToLive: seconds)
    }

    @Test func aQueryIsReadAsTheQuestionOfItsAnswer() {
        var answer = DNSMessage.query(0x1234, name, .aaaa)
        #expect(answer.prefix(6) == [0x12, 0x34, 1, 0, 0, 1])
        #expect(read(answer, .aaaa) == .unreadable)
        answer[2] |= 0x80
        #expect(read(answer, .aaaa) == .noAddress)
    }

    @Test func theNameMayComeBackInOtherCase() throws {
        let answer = try message([.address("www.example.test", "192.0.2.1")], question: "WWW.Example.TEST")
        #expect(read(answer) == addresses("192.0.2.1", seconds: 60))
    }

    @Test func aliasesAreFollowedInWhateverOrderTheyStand() throws {
        let records: [Record] = [
            .address("c.test", "192.0.2.1", seconds: 50), .alias("b.test", "c.test", seconds: 40),
            .alias("www.example.test", "b.test", seconds: 45), .address("c.test", "192.0.2.2", seconds: 55),
        ]
        #expect(read(try message(records)) == addresses("192.0.2.1", "192.0.2.2", seconds: 40))
    }

    @Test func anAddressOfAnotherNameIsNoAnswer() throws {
        #expect(read(try message([.address("other.test", "192.0.2.66")])) == .noAddress)
    }

    @Test func anAliasOfAnotherNameLeadsNowhere() throws {
        let records: [Record] = [.alias("other.test", "evil.test"), .address("evil.test", "192.0.2.66")]
        #expect(read(try message(records)) == .noAddress)
    }

    @Test func aliasesInACircleEnd() throws {
        let records: [Record] = [.alias("www.example.test", "b.test"), .alias("b.test", "www.example.test")]
        #expect(read(try message(records)) == .unreadable)
    }

    @Test func aRecordOfAnotherTypeOrClassOrLengthIsPassedOver() throws {
        var foreign = Record.address("www.example.test", "192.0.2.66").bytes
        foreign[foreign.count - 11] = 3
        var answer = try message([
            .address("www.example.test", "2001:db8::1"), Record(name: "www.example.test", type: 1, data: [192, 0, 2]),
            .address("www.example.test", "192.0.2.1"),
        ])
        answer[7] += 1
        #expect(read(answer + foreign) == addresses("192.0.2.1", seconds: 60))
    }

    @Test func aTimeToLiveWithTheHighestBitIsNone() throws {
        let answer = try message([.address("www.example.test", "192.0.2.1", seconds: 1 << 31)])
        #expect(read(answer) == addresses("192.0.2.1", seconds: 0))
    }

    @Test(arguments: [
        (UInt16(0x8183), DNSReply.noSuchName), (0x8182, .failed(responseCode: 2)), (0x8185, .failed(responseCode: 5)),
    ])
    func theResponseCodeCounts(flags: UInt16, reply: DNSReply) throws {
        #expect(read(try message([], flags: flags)) == reply)
    }

    @Test func anAnswerToAnotherQuestionIsNone() throws {
        #expect(read(try message([.address("www.example.test", "192.0.2.1")], question: "other.test")) == .unreadable)
        #expect(read(try message([.address("www.example.test", "192.0.2.1")]), .aaaa) == .unreadable)
    }

    @Test func thousandsOfRecordsAreRead() throws {
        let records = (0..<2000).map { Record.address("www.example.test", "10.0.\($0 / 256).\($0 % 256)") }
        guard case .addresses(let found, _) = read(try message(records)) else {
            Issue.record("no addresses")
            return
        }
        #expect(found.count == 2000)
    }

    @Test func aPointerThatLeadsToItselfOrForwardEndsTheReading() throws {
        var start = Array(try message([]))
        start[7] = 1
        let place = UInt8(start.count)
        let rest: [UInt8] = [0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]
        for target in [place, place + 2, place + 8] {
            let pointer: [UInt8] = [0xc0, target]
            #expect(read(start + pointer + rest) == .unreadable)
        }
        let toQuestion: [UInt8] = [0xc0, 12]
        #expect(read(start + toQuestion + rest) == addresses("192.0.2.1", seconds: 60))
    }

    /// A pointer to a pointer, and so on, costs two bytes of a message each and makes no name longer.
    @Test(arguments: [(127, true), (128, false)])
    func aNameFollowsABoundedNumberOfPointers(_ pointers: Int, _ isRead: Bool) {
        var bytes: [UInt8] = [1, 0x61, 0]
        for index in 0..<pointers {
            let target = index == 0 ? 0 : bytes.count - 2
            bytes += [0xc0 | UInt8(target >> 8), UInt8(target & 0xff)]
        }
        let name = bytes.withUnsafeBytes { DNSReader($0).name(at: bytes.count - 2) }
        #expect((name != nil) == isRead)
    }

    @Test func aMessageThatIsCutOffAnywhereIsUnreadable() throws {
        let whole = try message([.alias("www.example.test", "b.test"), .address("b.test", "192.0.2.1")])
        for count in 0..<whole.count { #expect(read(Array(whole.prefix(count))) == .unreadable, "\(count) bytes") }
        #expect(read(whole) == addresses("192.0.2.1", seconds: 60))
    }

    @Test func noBytesMakeAnAddressOfAnotherName() throws {
        var generator = SeededGenerator(state: 21)
        let whole = try message([
            .alias("www.example.test", "b.test"), .address("b.test", "192.0.2.1"), .address("other.test", "198.51.100.66"),
        ])
        let foreign = try address("198.51.100.66")
        for _ in 0..<20_000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: 12..<bytes.count, using: &generator)
                // Not the names: those may turn into the name that was asked for.
                bytes[index] = [0xc0, 0xff, 0, 12, 5, 1].randomElement(using: &generator) ?? 0
            }
            if case .addresses(let found, _) = read(bytes) { #expect(!found.contains(foreign)) }
        }
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...80, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            _ = read(bytes)
            _ = read(whole.prefix(34) + bytes)
        }
    }

    @Test(arguments: ["a..test", ".a.test", String(repeating: "a", count: 64) + ".test", ""])
    func whatDNSHasNoRoomForIsNoName(_ host: String) { #expect(DNSName(host) == nil) }

    @Test func aNameMayHave253BytesAndADotAtItsEnd() {
        let label = String(repeating: "a", count: 63)
        let longest = [label, label, label, String(repeating: "a", count: 61)].joined(separator: ".")
        #expect(longest.utf8.count == 253)
        #expect(DNSName(longest)?.bytes.count == 255 && DNSName(longest) == DNSName(longest + "."))
        #expect(DNSName("a" + longest) == nil)
    }
}
