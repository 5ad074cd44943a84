/// The headers of an HTTP/2 answer in HPACK (RFC 7541), right and wrong.
struct HeaderBlock {
    var dice: Dice
    let isHostile: Bool
    private(set) var bytes: [UInt8] = []

    init(isHostile: Bool, dice: Dice) { (self.isHostile, self.dice) = (isHostile, dice) }

    private mutating func odd(_ times: Int) -> Bool { isHostile && dice.once(in: times) }

    mutating func write(status: String?, location: String) {
        if odd(10) { writeTableSize() }
        if !odd(30) { writeStatus(status ?? dice.one(of: HTTPGrammar.statuses)) }
        for _ in 0..<dice.below(5) { writeOne() }
        if dice.once(in: 5) {
            writeField("location", odd(4) ? dice.one(of: ["", "/a b", "\u{ff}", "//", "http://127.0.0.2/"]) : location)
        }
        if odd(4) { writeField("content-length", dice.one(of: ["2", "0", "5", "-1", "x", "99999999999999999999"])) }
        if odd(12) { writeField("content-encoding", dice.one(of: ["gzip", "br", "none", "deflate", "gzip, gzip"])) }
        if odd(20) { writeStatus(dice.one(of: HTTPGrammar.oddStatuses)) }
        if odd(20) { writeWrong() }
    }

    mutating func writeTrailers() {
        writeField("x-trailer", "1")
        if odd(4) { writeStatus("200") }
        if odd(4) { writeOne() }
        if odd(6) { writeWrong() }
    }

    private mutating func writeStatus(_ status: String) {
        // Those that the table knows: RFC 7541 appendix A.
        let known = ["200": 8, "204": 9, "206": 10, "304": 11, "400": 12, "404": 13, "500": 14]
        if let index = known[status], !odd(3) { return writeInteger(index, bits: 7, first: 0x80) }
        // By the name of entry 8, not remembered.
        writeInteger(8, bits: 4, first: 0)
        writeString(status)
    }

    private mutating func writeOne() {
        switch isHostile ? dice.below(8) : dice.below(3) {
        case 0:
            // Those without a meaning for the body's end: accept-charset, date, etag, last-modified, server, vary.
            let index = isHostile ? dice.within(15...61) : dice.one(of: [15, 33, 34, 44, 54, 59])
            writeInteger(index, bits: 7, first: 0x80)
        case 1: writeField("x-field", "value")
        case 2: writeField(dice.one(of: ["server", "vary", "etag", "set-cookie"]), "a=b")
        case 3:
            let header = dice.one(of: HTTPGrammar.headers)
            writeField(header.name.lowercased(), header.value)
        case 4: writeField(dice.one(of: Self.oddNames), dice.one(of: ["", "1", "a\r\nb", "a\0b", "\u{ff}", " a "]))
        case 5: writeInteger(dice.one(of: [0, 1, 2, 3, 5, 7, 62, 63, 70, 127, 200, 1 << 20]), bits: 7, first: 0x80)
        case 6: writeField("x-long", String(repeating: "v", count: dice.length(upTo: 20_000)))
        default: for _ in 0..<dice.within(1...(dice.once(in: 20) ? 5000 : 10)) { writeInteger(62, bits: 7, first: 0x80) }
        }
    }

    private static let oddNames = [
        "", "Upper-Case", ":status", ":path", ":unknown", "connection", "transfer-encoding", "keep-alive", "upgrade", "te",
        "host", "a b", "a:b",
        "a\0b", "a\r\nb", "\u{ff}", " ", "http2-settings", "proxy-connection",
    ]

    /// A literal: remembered, not remembered, or never to be (RFC 7541 section 6.2).
    private mutating func writeField(_ name: String, _ value: String) {
        let form = dice.below(3)
        writeInteger(0, bits: form == 0 ? 6 : 4, first: [0x40, 0, 0x10][form])
        writeString(name)
        writeString(value)
    }

    private mutating func writeString(_ text: String) {
        // In Huffman's code, whatever the text was: RFC 7541 appendix C, or bytes that may be in it or not.
        if odd(10) {
            let coded = dice.one(of: Self.huffman + [dice.bytes(dice.below(12)), [0xff, 0xff, 0xff, 0xff], []])
            writeInteger(coded.count, bits: 7, first: 0x80)
            bytes += coded
            return
        }
        let count = text.utf8.count
        let said = odd(60) ? dice.one(of: [0, max(0, count - 1), count + 1, count + 200, 1 << 30]) : count
        writeInteger(said, bits: 7, first: 0)
        bytes += text
    }

    private static let huffman: [[UInt8]] = [
        [0x64, 0x02], [0x64, 0x0e, 0xff], [0xae, 0xc3, 0x77, 0x1a, 0x4b], [0x9b, 0xd9, 0xab],
        [0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf],
        [0x25, 0xa8, 0x49, 0xe9, 0x5b, 0xa9, 0x7d, 0x7f],
        [0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff],
        [0x9d, 0x29, 0xad, 0x17, 0x18, 0x63, 0xc7, 0x8f, 0x0b, 0x97, 0xc8, 0xe9, 0xae, 0x82, 0xae, 0x43, 0xd3],
    ]

    private mutating func writeTableSize() { writeInteger(dice.one(of: [0, 1, 31, 4096, 4097, 1 << 30]), bits: 5, first: 0x20) }

    private mutating func writeWrong() {
        switch dice.below(4) {
        case 0: writeTableSize()
        // A number without an end: RFC 7541 section 5.1.
        case 1: bytes += [0xff] + [UInt8](repeating: 0xff, count: dice.within(1...40))
        case 2: bytes += dice.bytes(dice.within(1...20))
        default: bytes += [dice.one(of: [0x40, 0, 0x10, 0x7f, 0x0f, 0x1f])]
        }
    }

    private mutating func writeInteger(_ value: Int, bits: Int, first: UInt8) {
        let most = (1 << bits) - 1
        guard value >= most else { return bytes.append(first | UInt8(value)) }
        bytes.append(first | UInt8(most))
        var rest = value - most
        while rest >= 128 {
            bytes.append(UInt8(rest & 127) | 128)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
