import CReceive
import Foundation
import TestSupport
import Testing

@testable import Curl

/// A server that keeps libcurl reading is cut off, and nobody else.
@Suite(.timeLimit(.minutes(5))) struct FloodTests {
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

    @Test func aKeptConnectionThatTurnsHostileIsCutOffAndNotKept() async throws {
        let server = try ConnectionServer {
            $0.readRequest()
            $0.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine")
            $0.readRequest()
            $0.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;")
            $0.sendForEver([UInt8](repeating: 0x78, count: 10_000))
        }
        let reusing = try request(server.url()) { $0.connection = .reuse }
        #expect(await engine.transfer(reusing).text == "fine")
        let report = await engine.transfer(reusing)
        #expect(report.code == .protocolError, "\(String(describing: report.failure))")
        #expect(server.connections == 1)
        #expect(await engine.transfer(reusing).text == "fine")
        #expect(server.connections == 2)
    }

    /// What one path of a host does must not end another's answer, which comes over a kept connection of its own to the same place.
    @Test func cuttingOneOffLeavesItsNeighboursAlone() async throws {
        let (isUnderWay, gate) = (Watched(false), DispatchSemaphore(value: 0))
        let server = try ConnectionServer { connection in
            while true {
                let head = connection.readRequest()
                if head.isEmpty { return }
                if head.contains("/flood") {
                    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;")
                    connection.sendForEver([UInt8](repeating: 0x78, count: 10_000))
                    return
                }
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfi")
                isUnderWay.change { $0 = true }
                gate.wait()
                connection.send("ne")
            }
        }
        let slow = try request(server.url("/slow")) { $0.connection = .reuse }
        let flood = try request(server.url("/flood")) { $0.connection = .reuse }
        async let neighbour = engine.transfer(slow)
        try await isUnderWay.until(\.self)
        #expect(await engine.transfer(flood).code == .protocolError)
        for _ in 0..<2 { gate.signal() }
        #expect(await neighbour.text == "fine")
        #expect(await engine.transfer(slow).text == "fine")
    }

    @Test func aTurnEndsThoughMoreHasCome() throws {
        let server = try ConnectionServer {
            $0.send([UInt8](repeating: 0x78, count: 100_000))
            $0.waitForClose()
        }
        let connection = try Connection(port: server.port)
        defer { connection.close() }
        var buffer = [UInt8](repeating: 0, count: 1000)
        var most = 0
        for _ in 0..<10 {
            rf_turn_begins(5000)
            defer { rf_turn_ends() }
            var (read, count) = (0, 0)
            repeat {
                read += max(0, count)
                count = recv(connection.descriptor, &buffer, buffer.count, 0)
            } while count > 0
            #expect(count == -1 && errno == EAGAIN)
            #expect(rf_turn_takes() == read && rf_turn_takes() == 0)
            most = max(most, read)
        }
        #expect((1...5999).contains(most))
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

    @Test func aLargeAnswerThatIsReadInOneGoIsNoFlood() async throws {
        let body = String(repeating: "x", count: 32 << 20)
        let server = try ConnectionServer { $0.answer(body) }
        let report = await engine.transfer(try request(server.url()) { $0.maxBody = 256 << 20 })
        #expect(report.failure == nil && report.bodyLength == body.utf8.count)
    }

    @Test(arguments: [(60_000, 1), (20_000, 4)])
    func anAnswerOfTinyChunksIsNoFlood(chunks: Int, bytes: Int) async throws {
        let authority = try TestAuthority()
        let chunk = "\(bytes)\r\n\(String(repeating: "x", count: bytes))\r\n"
        let body = String(repeating: chunk, count: chunks) + "0\r\n\r\n"
        try authority.folder.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body, to: "page")
        let server = try TLSServer(authority, certificate: authority.issue("leaf"), options: "-HTTP")
        let report = await engine.transfer(
            try request("https://127.0.0.1:\(server.port)/page") { $0.caFile = authority.bundle })
        #expect(report.failure == nil && report.bodyLength == chunks * bytes, "\(String(describing: report.failure))")
    }
}
