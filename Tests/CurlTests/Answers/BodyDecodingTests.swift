import TestSupport
import Testing

@testable import Curl

/// What a body is encoded in, by what its headers say and by what it is.
@Suite(.timeLimit(.minutes(5))) struct BodyDecodingTests {
    let engine: TransferEngine
    init() throws { engine = try TransferEngine() }

    private static let codings = ["none", "UTF-8", "aws-chunked", "br", "zstd", "gzip", "gzip, gzip", "br, gzip", ","]

    /// Sends the head, then the pieces one after another, and ends.
    private func get(
        _ head: String, _ pieces: [[UInt8]], _ change: (inout TransferRequest) -> Void = { _ in }
    ) async throws -> TransferReport {
        let server = try ConnectionServer { connection in
            connection.readRequest()
            connection.send("HTTP/1.1 \(head)\r\nConnection: close\r\n\r\n")
            for piece in pieces { connection.send(piece) }
        }
        return await engine.transfer(try request(server.url(), change))
    }

    private func gzipped(_ text: String) throws -> [UInt8] { try filtered("gzip -9n", text) }

    private func filtered(_ command: String, _ text: String) throws -> [UInt8] {
        let process = try ChildProcess("sh", ["-c", "printf %s '\(text)' | \(command)"])
        var output: [UInt8] = []
        while let more = process.readOutput() { output += more }
        try #require(process.waitForEnd() == 0)
        return output
    }

    /// The bare stream in a gzip file without a name: 10 bytes stand before it, and 8 behind it.
    private func deflated(_ text: String) throws -> [UInt8] { Array(try gzipped(text).dropFirst(10).dropLast(8)) }

    /// RFC 1950: a head, the stream, and Adler's sum of what it holds.
    private func zlibbed(_ text: String) throws -> [UInt8] {
        var (a, b): (UInt32, UInt32) = (1, 0)
        for byte in text.utf8 {
            a = (a + UInt32(byte)) % 65_521
            b = (b + a) % 65_521
        }
        let sum = b << 16 | a
        return try [0x78, 0xda] + deflated(text) + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: sum >> $0) }
    }

    @Test(
        arguments: codings,
        ["200 OK\r\nContent-Length: 0", "204 No Content", "302 Found", "304 Not Modified", "401 Unauthorized"])
    func anAnswerWithoutABodyNeverFailsByItsCoding(coding: String, head: String) async throws {
        let length = head.hasPrefix("302") || head.hasPrefix("401") ? "\r\nContent-Length: 0" : ""
        let report = try await get("\(head)\(length)\r\nContent-Encoding: \(coding)", [])
        #expect(report.failure == nil && report.bodyProblem == nil, "\(String(describing: report.failure))")
        #expect(report.status == Int(head.prefix(3)))
    }

    @Test(arguments: codings) func theAnswerToHEADNeverFailsByItsCoding(coding: String) async throws {
        let report = try await get(
            "200 OK\r\nContent-Length: 9\r\nContent-Encoding: \(coding)\r\nTransfer-Encoding: \(coding)", []
        ) {
            $0.method = "HEAD"
        }
        #expect(report.failure == nil && report.bodyProblem == nil, "\(String(describing: report.failure))")
    }

    @Test(arguments: ["none", "UTF-8", "aws-chunked", "identity", "Identity, x-nothing", "binary", "", ",,", "gzipped"])
    func anUnknownCodingIsNone(coding: String) async throws {
        let report = try await get("200 OK\r\nContent-Encoding: \(coding)", [Array("fine".utf8)])
        #expect(report.failure == nil && report.bodyProblem == nil)
        #expect(report.text == "fine" && report.bodyLength == 4)
    }

    @Test(arguments: [
        ("br", "br"), ("BR", "br"), ("zstd", "zstd"), ("compress", "compress"), ("gzip, gzip", "gzip, gzip"),
        ("gzip, br", "gzip, br"), ("gzip\r\nContent-Encoding: deflate", "gzip, deflate"),
        (Array(repeating: "gzip", count: 50).joined(separator: ","), "gzip, gzip, gzip, gzip"),
    ])
    func whatIsNotDecodedIsTakenAndNamed(coding: String, named: String) async throws {
        let report = try await get("200 OK\r\nContent-Encoding: \(coding)", [Array("whatever".utf8)])
        #expect(report.failure == nil && report.status == 200)
        #expect(report.bodyProblem == BodyProblem(kind: .coding, codings: named))
        #expect(report.body.isEmpty && report.bodyLength == 0)
    }

    @Test func whatIsNotDecodedStaysInBoundsOnTheWire() async throws {
        let server = try ConnectionServer {
            $0.readRequest()
            $0.send("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n")
            $0.sendForEver([UInt8](repeating: 0, count: 65_536))
        }
        let report = await engine.transfer(try request(server.url()) { $0.maxBody = 200_000 })
        #expect(report.code == .bodyTooLarge)
    }

    @Test(arguments: ["gzip", "x-gzip", "GZIP", "gzip, aws-chunked", "identity, gzip"])
    func gzipIsDecoded(coding: String) async throws {
        let report = try await get("200 OK\r\nContent-Encoding: \(coding)", [gzipped("all is well")])
        #expect(report.text == "all is well" && report.bodyProblem == nil)
    }

    @Test func deflateIsDecodedWithItsHeadAndWithout() async throws {
        for body in [try zlibbed("all is well"), try deflated("all is well")] {
            let report = try await get("200 OK\r\nContent-Encoding: deflate", [body])
            #expect(report.text == "all is well" && report.bodyProblem == nil)
        }
    }

    @Test func aBodyThatComesByteByByteIsDecoded() async throws {
        for (coding, body) in [
            ("gzip", try gzipped("slow")), ("deflate", try zlibbed("slow")), ("deflate", try deflated("slow")),
        ] {
            let chunks = body.map { Array("1\r\n".utf8) + [$0] + Array("\r\n".utf8) }
            let report = try await get(
                "200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: \(coding)", chunks + [Array("0\r\n\r\n".utf8)])
            #expect(report.text == "slow" && report.bodyProblem == nil, "\(String(describing: report.failure))")
        }
    }

    @Test func whatFollowsTheEndOfGzipIsNoPartOfTheBody() async throws {
        let body = try gzipped("first")
        for tail in [[UInt8](repeating: 0, count: 20_000), try gzipped("second"), Array("garbage".utf8), [0]] {
            let whole = try await get("200 OK\r\nContent-Encoding: gzip", [body + tail])
            #expect(whole.failure == nil && whole.bodyProblem == nil && whole.text == "first" && whole.bodyLength == 5)
            let chunked = [body, tail].map { Array("\(String($0.count, radix: 16))\r\n".utf8) + $0 + Array("\r\n".utf8) }
            let apart = try await get(
                "200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip", chunked + [Array("0\r\n\r\n".utf8)])
            #expect(apart.failure == nil && apart.bodyProblem == nil && apart.text == "first")
        }
    }

    @Test func aTailWithoutEndEndsAtTheBoundOnTheWire() async throws {
        let body = try gzipped("first")
        let server = try ConnectionServer {
            $0.readRequest()
            $0.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
            $0.send(body)
            $0.sendForEver([UInt8](repeating: 0, count: 65_536))
        }
        let report = await engine.transfer(try request(server.url()) { $0.maxBody = 200_000 })
        #expect(report.code == .bodyTooLarge && report.bodyLength == 5)
    }

    @Test func whatIsNoGzipIsBrokenAndNamed() async throws {
        var flipped = try gzipped("all is well")
        flipped[flipped.count - 8] ^= 1
        for body in [Array("hello world".utf8), flipped] {
            let report = try await get("200 OK\r\nContent-Encoding: gzip", [body])
            #expect(report.failure == nil && report.bodyProblem == BodyProblem(kind: .broken, codings: "gzip"))
        }
        let report = try await get("200 OK\r\nContent-Encoding: deflate", [Array("hello world".utf8)])
        #expect(report.bodyProblem == BodyProblem(kind: .broken, codings: "deflate"))
    }

    @Test func theCodingIsThatOfTheFinalAnswerAlone() async throws {
        let server = try ConnectionServer {
            $0.readRequest()
            $0.send("HTTP/1.1 103 Early Hints\r\nContent-Encoding: br\r\n\r\nHTTP/1.1 200 OK\r\n")
            $0.send("Transfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\nContent-Encoding: br\r\n\r\n")
        }
        #expect(await engine.transfer(try request(server.url())).text == "fine")
    }

    // MARK: What frames the body

    @Test(arguments: ["zstd", "br, chunked", "x-unknown", "gzip, zstd, chunked"])
    func aTransferCodingThatIsNotKnownIsAProtocolError(coding: String) async throws {
        let report = try await get("200 OK\r\nTransfer-Encoding: \(coding)", [Array("4\r\nfine\r\n0\r\n\r\n".utf8)])
        #expect(report.code == .protocolError && report.failure?.detail.contains("Transfer-Encoding") == true)
    }

    @Test(arguments: ["204 No Content", "304 Not Modified"])
    func withoutABodyATransferCodingMattersNot(head: String) async throws {
        let report = try await get("\(head)\r\nTransfer-Encoding: zstd", [])
        #expect(report.failure == nil && report.status == Int(head.prefix(3)))
    }

    @Test func gzipAsATransferCodingIsDecoded() async throws {
        let body = try gzipped("all is well")
        let chunk = Array("\(String(body.count, radix: 16))\r\n".utf8) + body + Array("\r\n0\r\n\r\n".utf8)
        let report = try await get("200 OK\r\nTransfer-Encoding: gzip, chunked", [chunk])
        #expect(report.text == "all is well", "\(String(describing: report.failure))")
    }

    // MARK: What is asked for

    @Test func onlyWhatMayBeDecodedIsAskedFor() async throws {
        let server = try LoopbackServer { _ in .http(200) }
        _ = await engine.transfer(try request(server.url))
        _ = await engine.transfer(try request(server.url) { $0.headers = [(name: "accept-encoding", value: "identity")] })
        #expect(server.requests.map { $0.headers["accept-encoding"] } == ["gzip, deflate", "identity"])
    }
}

/// A few bytes that decode to very many must not hold up the engine's thread.
@Suite struct DecodingInTurnsTests {
    private func zeros(_ count: Int) throws -> [UInt8] {
        let process = try ChildProcess("sh", ["-c", "head -c \(count) /dev/zero | gzip -9n"])
        var output: [UInt8] = []
        while let more = process.readOutput() { output += more }
        try #require(process.waitForEnd() == 0)
        return output
    }

    @Test func aCallDecodesSoMuchAndNoMore() throws {
        var decoding = BodyDecoding()
        Array("gzip".utf8).withUnsafeBytes { decoding.note($0[...]) }
        var (longest, sum) = (0, 0)
        func decode(_ bytes: ArraySlice<UInt8>) {
            var written = 0
            bytes.withUnsafeBytes { bytes in
                decoding.decode(bytes) { piece in
                    written += piece.count
                    return true
                }
            }
            longest = max(longest, written)
            sum += written
        }
        var rest = try zeros(64 << 20)[...]
        while !rest.isEmpty {
            decode(rest.prefix(8192))
            rest = rest.dropFirst(8192)
        }
        #expect(decoding.isBehind)
        while decoding.isBehind { decode([]) }
        #expect(sum == 64 << 20 && decoding.problem == nil)
        #expect(longest < BodyDecoding.bytesPerTurn + (64 << 10))
    }

    @Test func whatIsLeftIsDecodedAfterTheTransfer() async throws {
        let body = try zeros(64 << 20)
        let server = try ConnectionServer {
            $0.readRequest()
            $0.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(body.count)\r\n\r\n")
            $0.send(body)
        }
        let engine = try TransferEngine()
        let whole = await engine.transfer(
            try request(server.url()) {
                $0.maxBody = 64 << 20
                $0.keepBody = 3 << 20
            })
        #expect(whole.failure == nil && whole.bodyProblem == nil)
        #expect(whole.bodyLength == 64 << 20 && whole.body.count == 3 << 20)
        let tooMuch = await engine.transfer(try request(server.url()) { $0.maxBody = (64 << 20) - 1 })
        #expect(tooMuch.code == .bodyTooLarge && tooMuch.failure?.detail == "more than 67108863 bytes")
        #expect(tooMuch.bodyLength < (64 << 20) + (64 << 10))
    }

    /// What a stream decodes to, and whether it is one, is the same however it comes in pieces; also of one that was damaged.
    @Test func piecesMakeNoDifference() throws {
        var random = SeededGenerator(state: 8)
        let whole = try zeros(50_000) + [0, 0, 7]
        for round in 0..<400 {
            var bytes = whole
            if round > 0 { bytes[.random(in: bytes.indices, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random) }
            let coding = ["gzip", "deflate"].randomElement(using: &random) ?? "gzip"
            let body = coding == "gzip" ? bytes : Array(bytes.dropFirst(10))
            let atOnce = decoded(body, coding) { body.count }
            let inPieces = decoded(body, coding) { .random(in: 1...17, using: &random) }
            #expect(atOnce == inPieces, "round \(round)")
            if round == 0 { #expect(atOnce.count == 50_000 && !atOnce.isBroken) }
        }
    }

    private struct Decoded: Equatable {
        var count = 0
        var isBroken = false
    }

    private func decoded(_ bytes: [UInt8], _ coding: String, _ pieceBytes: () -> Int) -> Decoded {
        var decoding = BodyDecoding()
        Array(coding.utf8).withUnsafeBytes { decoding.note($0[...]) }
        var decoded = Decoded()
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(pieceBytes()))
            rest = rest.dropFirst(piece.count)
            piece.withUnsafeBytes { piece in
                decoding.decode(piece) {
                    decoded.count += $0.count
                    return true
                }
            }
        }
        decoded.isBroken = decoding.problem != nil
        return decoded
    }
}
