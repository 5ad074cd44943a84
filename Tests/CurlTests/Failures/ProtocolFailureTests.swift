import Foundation
import TestSupport
import Testing

@testable import Curl

/// What a broken or hostile server sends, and the bounds that end it.
@Suite struct ProtocolFailureTests {
    let engine: TransferEngine
    init() throws { engine = try TransferEngine() }

    struct Broken: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let answer: String
        init(_ description: String, _ answer: String) { (testDescription, self.answer) = (description, answer) }
    }

    @Test(arguments: [
        Broken("garbage", "\u{1}\u{2}\u{3} this is no HTTP at all\r\n\r\n"),
        Broken("HTTP/0.9", "<html>hello</html>"),
        Broken("a short body", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"),
        Broken("a chunk size that is none", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n"),
        Broken("chunks without an end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
        Broken("a NUL in a header", "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n"),
        Broken("headers that end early", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"),
        Broken("a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabc"),
        Broken("a header line of 150 KB", "HTTP/1.1 200 OK\r\nX: \(String(repeating: "a", count: 150_000))\r\n\r\n"),
        Broken("400 KB of headers", "HTTP/1.1 200 OK\r\n\(String(repeating: "X: aaaaaaaaaaaaaaa\r\n", count: 20_000))\r\n"),
        Broken("an endless row of interim answers", String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 50_000)),
    ]) func isAProtocolError(_ broken: Broken) async throws {
        let server = try ConnectionServer {
            $0.readRequest()
            $0.send(broken.answer)
            shutdown($0.descriptor, Int32(SHUT_WR))
            $0.waitForClose()
        }
        let report = await engine.transfer(try request(server.url()))
        #expect(report.code == .protocolError, "\(String(describing: report.failure))")
        #expect(report.failure?.detail.isEmpty == false)
    }

    @Test func anHTTP2StreamErrorIsAProtocolError() async throws {
        let server = try ConnectionServer {
            _ = $0.readSome()
            $0.send([0, 0, 0, 4, 0, 0, 0, 0, 0])  // SETTINGS
            $0.send([0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 1])  // RST_STREAM of stream 1: PROTOCOL_ERROR
            $0.waitForClose()
        }
        let report = await engine.transfer(try request(server.url()) { $0.httpVersion = .http2 })
        #expect(report.code == .protocolError)
    }

    @Test func aBodyWithoutALengthEndsWhenItPassesItsBound() async throws {
        let server = try ConnectionServer {
            $0.readRequest()
            $0.send("HTTP/1.1 200 OK\r\n\r\n")
            while $0.send([UInt8](repeating: 97, count: 65536)) {}
        }
        let report = await engine.transfer(try request(server.url()) { $0.maxBody = 100_000 })
        #expect(report.code == .bodyTooLarge && report.status == 200)
        #expect(report.bodyLength > 100_000 && report.bodyLength < 200_000)
        #expect(report.body.count == 4096)
    }

    @Test func aBodyOfExactlyItsBoundIsWhole() async throws {
        let server = try ConnectionServer { $0.answer(String(repeating: "a", count: 10_000)) }
        let report = await engine.transfer(
            try request(server.url()) {
                $0.maxBody = 10_000
                $0.keepBody = 10_000
            })
        #expect(report.failure == nil && report.body.count == 10_000)
    }

    @Test func gzipIsDecodedAndCountedAsDecoded() async throws {
        let bomb = try gzippedZeros(count: 20_000)
        let server = try ConnectionServer {
            $0.readRequest()
            $0.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(bomb.count)\r\n\r\n")
            $0.send(bomb)
        }
        let report = await engine.transfer(try request(server.url()))
        #expect(report.failure == nil && report.bodyLength == 20_000 && report.contentLength == bomb.count)
    }

    @Test func aGzipBombEndsAtTheBound() async throws {
        let bomb = try gzippedZeros(count: 200_000_000)
        let server = try ConnectionServer {
            $0.readRequest()
            $0.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(bomb.count)\r\n\r\n")
            $0.send(bomb)
            $0.waitForClose()
        }
        let report = await engine.transfer(try request(server.url()) { $0.maxBody = 1_000_000 })
        #expect(report.code == .bodyTooLarge && report.bodyLength < 1_200_000)
    }

    @Test func aStreamThatDecodesToNothingEndsAtTheBoundOnTheWire() async throws {
        // A gzip header, then empty stored blocks for ever.
        let server = try ConnectionServer {
            $0.readRequest()
            $0.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
            $0.send([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])
            let blocks = Array(repeatElement([0, 0, 0, 0xff, 0xff] as [UInt8], count: 2000).joined())
            while $0.send(blocks) {}
        }
        let report = await engine.transfer(try request(server.url()) { $0.maxBody = 200_000 })
        #expect(report.code == .bodyTooLarge && report.bodyLength == 0)
    }

    private func gzippedZeros(count: Int) throws -> [UInt8] {
        let process = try ChildProcess("sh", ["-c", "head -c \(count) /dev/zero | gzip -9"])
        var zipped: [UInt8] = []
        while let more = process.readOutput() { zipped += more }
        return process.waitForEnd() == 0 ? zipped : []
    }
}
