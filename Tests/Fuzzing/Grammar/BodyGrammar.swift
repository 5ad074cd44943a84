/// A body with the headers that say where it ends and how it is coded (RFC 9112 sections 6 and 7, RFC 9110 section 8.4).
struct BodyGrammar {
    var dice: Dice
    let isHostile: Bool
    private(set) var headers: [(name: String, value: String)] = []
    private(set) var bytes: [UInt8] = []

    init(isHostile: Bool, dice: Dice) { (self.isHostile, self.dice) = (isHostile, dice) }

    private mutating func odd(_ times: Int) -> Bool { isHostile && dice.once(in: times) }

    /// - Parameter wanted: what it decodes to in an honest answer.
    mutating func write(_ wanted: [UInt8]?) {
        var content = wanted ?? text()
        if dice.once(in: isHostile ? 5 : 8) { content = coded(content) }
        switch isHostile ? dice.below(20) : dice.below(8) {
        case ..<6:
            headers.append(("Content-Length", "\(content.count)"))
            bytes = content
        case ..<8: writeChunks(content)
        case ..<10:
            // Up to the end of the connection.
            bytes = content
        case ..<13: writeLie(content)
        case ..<18: writeChunks(content)
        case 18:
            writeChunks(content)
            headers.append(("Content-Length", "\(content.count)"))
        default: headers.append(("Content-Length", "0"))
        }
    }

    private mutating func text() -> [UInt8] {
        if odd(40) { return [UInt8](repeating: 120, count: dice.length(upTo: 140_000)) }
        if odd(10) { return dice.bytes(dice.below(200)) }
        if odd(40) { return [UInt8](repeating: UInt8(ascii: "["), count: dice.within(510...516)) }
        return [UInt8](
            dice.one(of: [
                "", "ok", "hello", "{\"status\":\"ok\"}", "{\"status\":\"ok\",\"status\":\"down\"}", "0\r\n\r\n", "a\0b",
                "\u{fc}",
            ]))
    }

    private mutating func writeLie(_ content: [UInt8]) {
        let count = content.count
        let lies = [
            "\(count + 1)", "\(count + 9)", "\(max(0, count - 1))", "-1", "+\(count)", "0x\(String(count, radix: 16))", "", " ",
            "\(count), \(count)",
            "\(count), \(count + 1)", "9223372036854775807", "9223372036854775808", "99999999999999999999",
            "\(count)\r\nContent-Length: \(count + 1)",
            "\(count)\r\nContent-Length: \(count)", "\(count) x", "1e3", "00\(count)", "\(count);", "\u{661}", "\(count)\0",
            "4294967296", "many",
        ]
        headers.append(
            (dice.one(of: ["Content-Length", "Content-Length", "content-length", "Content-length "]), dice.one(of: lies)))
        bytes = content
    }

    // MARK: Chunks

    private mutating func writeChunks(_ content: [UInt8]) {
        let names = [
            "chunked", "chunked", "chunked", "Chunked", "chunked, chunked", "gzip, chunked", "identity", "chunked;q=1", "x", "",
            "chunked, identity",
        ]
        headers.append(("Transfer-Encoding", isHostile ? dice.one(of: names) : "chunked"))
        let size = max(1, dice.within(1...max(1, content.count)))
        for start in stride(from: 0, to: content.count, by: max(size, content.count / 50)) {
            let part = content[start..<min(start + max(size, content.count / 50), content.count)]
            writeChunk(Array(part))
        }
        if odd(12) { return }
        bytes += odd(12) ? dice.one(of: ["0", "00000000", "0\r\n", "0;x", "-0", "0 ", "0\n", "", "0\r", "0\0"]) : "0"
        writeLineEnd()
        if dice.once(in: 4) { writeTrailers() }
        bytes += odd(15) ? dice.one(of: ["", "\n", "\r", "HTTP/1.1 200 OK\r\n\r\n", "\r\n\r\n", " \r\n"]) : "\r\n"
    }

    private static let extensions = [";a=b", ";a=\"b\r\n\"", ";", " ;a", ";\0", ";a\rb", "\t", ";a=b;c", "; a = b"]

    /// `n` stands for the right one, `+` for one more.
    private static let oddSizes = [
        "n0", "-n", "0xn", " n", "n ", "+n", "7fffffffffffffff", "8000000000000000", "ffffffffffffffff", "fffffffffffffffff", "",
        "g", "+",
        "0000000000000000000000n", "n\0", "n\r", "{",
    ]

    private mutating func writeChunk(_ part: [UInt8]) {
        let right = String(part.count, radix: 16)
        if odd(15) {
            let size = dice.one(of: Self.oddSizes)
            bytes += size == "+" ? String(part.count + 1, radix: 16) : size.replacing("n", with: right)
        } else {
            bytes += dice.once(in: 4) ? right.uppercased() : right
        }
        if dice.once(in: 8) { bytes += isHostile ? dice.one(of: Self.extensions) : ";a=b" }
        if odd(200) { bytes += ";" + String(repeating: "e", count: dice.length(upTo: 70_000)) }
        writeLineEnd()
        bytes += part
        if odd(30) { bytes += dice.one(of: ["x", "\0", "\r", "5"]) }
        writeLineEnd()
    }

    private mutating func writeLineEnd() {
        bytes += odd(30) ? dice.one(of: ["\n", "\r", "", "\r\r\n", "\n\r", " \r\n"]) : "\r\n"
    }

    private static let rightTrailers = ["X-Trailer: 1\r\n", "X-Empty:\r\n"]
    private static let trailers = [
        "X-Trailer: 1\r\n", "no colon\r\n", " X: a\r\n", "X: a\r\n b\r\n", "X: a\0b\r\n", "X\rY: a\r\n", "HTTP/1.1 200 OK\r\n",
        ": a\r\n",
        "\tX: a\r\n", "Content-Length: 3\r\n", "Content-Encoding: br\r\n", "Transfer-Encoding: chunked\r\n", "X: a\n", "X: a\r",
        "Location: /x\r\n", "\0\r\n", "Set-Cookie: a=b\r\n", "HTTP/1.1 200 OK\r\n\r\n", "X", "\u{ff}: x\r\n",
        "Content-Length: 0\r\n",
    ]

    private mutating func writeTrailers() {
        let count = odd(60) ? dice.within(100...4000) : dice.within(1...3)
        for _ in 0..<count { bytes += dice.one(of: isHostile ? Self.trailers : Self.rightTrailers) }
        if odd(100) { bytes += "X: \(String(repeating: "t", count: dice.length(upTo: 110_000)))\r\n" }
    }

    // MARK: Codings

    private mutating func coded(_ content: [UInt8]) -> [UInt8] {
        let names = [
            "gzip", "gzip", "x-gzip", "deflate", "deflate", "br", "zstd", "none", "UTF-8", "aws-chunked", "identity",
            "gzip, gzip", "gzip,", "", "GZIP",
        ]
        let name = isHostile ? dice.one(of: names) : dice.one(of: ["gzip", "deflate"])
        headers.append(("Content-Encoding", name))
        var coded: [UInt8]
        switch name {
        case "gzip", "x-gzip", "GZIP", "gzip,": coded = Coding.gzip(content)
        case "gzip, gzip": coded = Coding.gzip(Coding.gzip(content))
        case "deflate": coded = isHostile && dice.once(in: 2) ? Coding.stored(content) : Coding.zlib(content)
        default: coded = content
        }
        if odd(4), !coded.isEmpty {
            switch dice.below(6) {
            case 0: coded.removeSubrange(dice.below(coded.count)...)
            case 1: coded += [UInt8](repeating: 0, count: dice.within(1...20))
            case 2: coded += Coding.gzip([UInt8]("second member"))
            case 3: coded[dice.below(coded.count)] = dice.byte()
            // The flags of gzip's head: a name, a comment, an extra field, and what isn't there.
            case 4: coded[min(3, coded.count - 1)] = dice.one(of: [1, 2, 4, 8, 16, 32, 255])
            default: coded += dice.bytes(9)
            }
        }
        return coded
    }
}

/// Compressed forms of bytes, made of blocks that are stored as they are (RFC 1950, 1951 and 1952).
enum Coding {
    static func gzip(_ content: [UInt8]) -> [UInt8] {
        [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3] + stored(content) + little(crc32(content))
            + little(UInt32(truncatingIfNeeded: content.count))
    }

    static func zlib(_ content: [UInt8]) -> [UInt8] { [0x78, 0x01] + stored(content) + little(adler32(content)).reversed() }

    static func stored(_ content: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        var start = 0
        repeat {
            let end = min(start + 65_535, content.count)
            let count = UInt16(end - start)
            bytes.append(end == content.count ? 1 : 0)
            bytes += [UInt8(count & 255), UInt8(count >> 8), UInt8(~count & 255), UInt8(~count >> 8)]
            bytes += content[start..<end]
            start = end
        } while start < content.count
        return bytes
    }

    private static func little(_ value: UInt32) -> [UInt8] { [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: value >> $0) } }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1 }
    }

    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~0) { sum, byte in sum >> 8 ^ table[Int((sum ^ UInt32(byte)) & 255)] }
    }

    private static func adler32(_ bytes: [UInt8]) -> UInt32 {
        let (a, b) = bytes.reduce((UInt32(1), UInt32(0))) { sums, byte in
            let a = (sums.0 + UInt32(byte)) % 65_521
            return (a, (sums.1 + a) % 65_521)
        }
        return b << 16 | a
    }
}
