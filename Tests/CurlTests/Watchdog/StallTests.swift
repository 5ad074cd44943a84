import Foundation
import TestSupport
import Testing

@testable import Curl

/// A server that keeps libcurl reading is cut off, and nobody else.
@Suite(.timeLimit(.minutes(1))) struct StallTests {
    let engine: TransferEngine
    init() throws { engine = try TransferEngine() }

    /// Of HTTP/2, what is to be read and is neither header nor body.
    private static let emptyFrames = [[UInt8]](repeating: [0, 0, 0, 0, 0, 0, 0, 0, 1], count: 4000).flatMap(\.self)
    private static let http2Head: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 0, 0] + [0, 0, 1, 1, 4, 0, 0, 0, 1, 0x88]

    @Test func aHealthyServerIsReadWhileAnotherSendsEmptyFramesForEver() async throws {
        let isFlooding = Watched(false)
        let hostile = try ConnectionServer {
            $0.readRequest()
            $0.send(Self.http2Head)
            isFlooding.change { $0 = true }
            $0.sendForEver(Self.emptyFrames)
        }
        let healthy = try ConnectionServer { $0.answer("fine") }
        async let overrun = engine.transfer(try request(hostile.url()) { $0.httpVersion = .http2 })
        try await isFlooding.until(\.self)
        #expect(await engine.transfer(try request(healthy.url())).text == "fine")
        let failure = try await overrun.failure
        #expect(failure?.code == .protocolError && failure?.systemError == nil, "\(String(describing: failure))")
        #expect(failure?.detail.contains("neither header nor body") == true)
    }

    @Test func aKeptConnectionThatTurnsHostileIsCutOffToo() async throws {
        let server = try ConnectionServer {
            $0.readRequest()
            // The second request has stream 3: the first is answered, and what follows is an answer's head and no end.
            $0.send([0, 0, 0, 4, 0, 0, 0, 0, 0] + [0, 0, 1, 1, 5, 0, 0, 0, 1, 0x88])
            while let bytes = $0.readBytes(), !Self.hasHeaders(bytes) {}
            $0.send([0, 0, 1, 1, 4, 0, 0, 0, 3, 0x88])
            $0.sendForEver([[UInt8]](repeating: [0, 0, 0, 0, 0, 0, 0, 0, 3], count: 4000).flatMap(\.self))
        }
        let reusing = try request(server.url()) {
            $0.httpVersion = .http2
            $0.connection = .reuse
        }
        #expect(await engine.transfer(reusing).status == 200)
        let report = await engine.transfer(reusing)
        #expect(report.code == .protocolError, "\(String(describing: report.failure))")
        #expect(server.connections == 1)
    }

    @Test func anotherKeptConnectionThatEndsInTheSameTurnIsNotBlamed() async throws {
        let reusing = try request("http://host.test:81/") { $0.connection = .reuse }
        let place = KeptConnections.Place(host: "host.test", port: 81, address: try address("127.0.0.1"))
        let elsewhere = KeptConnections.Place(host: "host.test", port: 82, address: place.address)
        var (isBlamed, isBlamedForAnother) = (false, false)
        _ = await withCheckedContinuation { continuation in
            let submission = Submission(id: 1, request: reusing, continuation: continuation)
            let transfer = Transfer(submission, KeptConnections(Watchdog()), Authorities(systemBundle: ""))
            transfer.report.address = place.address
            transfer.lost([SocketOpening(number: 1, place: elsewhere), SocketOpening(number: 2, place: nil)], isEnding: true)
            isBlamedForAnother = transfer.isOverrun
            transfer.lost([SocketOpening(number: 1, place: place)], isEnding: true)
            isBlamed = transfer.isOverrun
            continuation.resume(returning: transfer.report)
        }
        #expect(isBlamed && !isBlamedForAnother)
    }

    @Test func aProxyWhoseRefusalNeverEndsIsTheProxysFailure() async throws {
        let proxy = try ConnectionServer {
            $0.readRequest()
            $0.send("HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\nContent-Length: 1000000000000\r\n\r\n")
            $0.sendForEver([UInt8](repeating: 0x78, count: 65_536))
        }
        let report = await engine.transfer(
            try request("http://127.0.0.1:1/") { $0.proxy = (host: "127.0.0.1", port: proxy.port) })
        #expect(report.code == .proxyFailed, "\(String(describing: report.failure))")
    }

    @Test func aLargeAnswerThatIsReadInOneGoIsNoStall() async throws {
        let body = String(repeating: "x", count: 32 << 20)
        let server = try ConnectionServer { $0.answer(body) }
        let report = await engine.transfer(try request(server.url()) { $0.maxBody = 256 << 20 })
        #expect(report.failure == nil && report.bodyLength == body.utf8.count)
    }

    @Test(arguments: [(60_000, 1), (20_000, 4)])
    func anAnswerOfTinyChunksIsNoStall(chunks: Int, bytes: Int) async throws {
        let authority = try TestAuthority()
        let chunk = "\(bytes)\r\n\(String(repeating: "x", count: bytes))\r\n"
        let body = String(repeating: chunk, count: chunks) + "0\r\n\r\n"
        try authority.folder.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body, to: "page")
        let server = try TLSServer(authority, certificate: authority.issue("leaf"), options: "-HTTP")
        let report = await engine.transfer(
            try request("https://127.0.0.1:\(server.port)/page") { $0.caFile = authority.bundle })
        #expect(report.failure == nil && report.bodyLength == chunks * bytes, "\(String(describing: report.failure))")
    }

    /// Whether these whole frames have a HEADERS frame among them.
    private static func hasHeaders(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while rest.count >= 9 {
            let head = Array(rest.prefix(9))
            if head[3] == 1 { return true }
            rest = rest.dropFirst(9 + Int(head[0]) << 16 + Int(head[1]) << 8 + Int(head[2]))
        }
        return false
    }
}
