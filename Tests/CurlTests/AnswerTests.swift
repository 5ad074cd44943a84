import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Curl

@Suite struct AnswerTests {
    let engine: TransferEngine
    init() throws { engine = try TransferEngine(userAgent: "rangefinder/test") }

    @Test func reportsStatusBodyAndPhasesOfAGoodAnswer() async throws {
        let server = try ConnectionServer { $0.answer("hello") }
        let before = (here: ContinuousClock.now, wall: Date())
        let report = await engine.transfer(try request(server.url("/a?b=c")))
        let after = Date()
        #expect(report.failure == nil)
        #expect(report.status == 200)
        #expect(report.httpVersion == 1.1)
        #expect(report.text == "hello")
        #expect(report.bodyLength == 5)
        #expect(report.contentLength == 5)
        #expect(report.address?.text == "127.0.0.1")
        #expect(report.dns == .zero)
        #expect(report.tls == nil)
        #expect(!report.usedTLS)
        let connect = try #require(report.connect)
        let processing = try #require(report.processing)
        let transfer = try #require(report.transfer)
        #expect(connect > .zero && processing >= .zero && transfer >= .zero)
        #expect(connect + processing + transfer == report.duration)
        #expect(report.startedAt >= before.here && report.startedAt + report.duration <= .now)
        let milliseconds = [before.wall, after].map { $0.timeIntervalSince1970 * 1000 }
        // Cut to whole ones.
        #expect(
            Double(report.startedAtMilliseconds) > milliseconds[0] - 1 && Double(report.startedAtMilliseconds) <= milliseconds[1])
    }

    @Test func sendsMethodHeadersBodyAndUserAgentAndNothingElse() async throws {
        let server = try ConnectionServer { connection in
            var text = connection.readRequest()
            while !text.hasSuffix("payload"), let more = connection.readSome() { text += more }
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)")
        }
        let report = await engine.transfer(
            try request(server.url("/p")) {
                $0.method = "PATCH"
                $0.headers = [("X-One", "1"), ("X-Empty", "")]
                $0.body = Array("payload".utf8)
            })
        let lines = report.text.split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
        #expect(lines.first == "PATCH /p HTTP/1.1")
        #expect(
            Set(lines.dropFirst()) == [
                "Host: 127.0.0.1:\(server.port)", "User-Agent: rangefinder/test", "Accept: */*",
                lines.first { $0.hasPrefix("Accept-Encoding: ") } ?? "no Accept-Encoding", "X-One: 1", "X-Empty:",
                "Content-Length: 7",
                "", "payload",
            ])
    }

    @Test(arguments: ["POST", "PUT"]) func sendsAnEmptyBodyAsLengthZero(_ method: String) async throws {
        let server = try ConnectionServer { connection in
            let text = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)")
        }
        let report = await engine.transfer(try request(server.url()) { $0.method = method })
        #expect(report.text.hasPrefix("\(method) / HTTP/1.1\r\n"))
        #expect(report.text.contains("Content-Length: 0\r\n"))
    }

    @Test func takesNoBodyWithHEAD() async throws {
        let server = try ConnectionServer {
            $0.readRequest()
            $0.send("HTTP/1.1 200 OK\r\nContent-Length: 900000000\r\n\r\n")
        }
        let report = await engine.transfer(try request(server.url()) { $0.method = "HEAD" })
        #expect(report.failure == nil)
        #expect(report.contentLength == 900_000_000 && report.bodyLength == 0)
    }

    @Test func leavesRedirectsToTheCaller() async throws {
        let server = try ConnectionServer { $0.answer(status: "302 Found", headers: "Location: ../x y\r\n") }
        let report = await engine.transfer(try request(server.url()) { $0.keepHeaders = true })
        #expect(report.status == 302 && report.location == "../x y")
        #expect(report.headers.map(\.name) == ["Content-Length", "Location"])
        #expect(server.connections == 1)
    }

    @Test(arguments: [
        ("/men\u{fc}".unicodeScalars.map { UInt8($0.value) }, "/men%fc"), (Array("/menü".utf8), "/menü"),
        (Array("/menü?".utf8) + [0xff], "/men%c3%bc?%ff"),
    ])
    func aRedirectKeepsItsBytes(location: [UInt8], text: String) async throws {
        let server = try ConnectionServer {
            $0.readRequest()
            $0.send(Array("HTTP/1.1 302 Found\r\nLink: <".utf8) + location + Array(">; rel=next\r\nLocation: ".utf8) + location)
            $0.send("\r\nContent-Length: 0\r\n\r\n")
        }
        let report = await engine.transfer(try request(server.url()) { $0.keepHeaders = true })
        #expect(report.location == text)
        #expect(report.headers.first { $0.name == "Link" }?.value == "<\(text)>; rel=next")
    }

    @Test func headersAreReportedAsTheyCameAndWithoutThoseOfOtherAnswers() async throws {
        let server = try ConnectionServer {
            $0.readRequest()
            $0.send("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nA: 1\r\nb:  two \t\r\nA:\r\nC: x\r\n  y\r\n")
            $0.send("Transfer-Encoding: chunked\r\n\r\n0\r\nD: trailer\r\n\r\n")
        }
        let report = await engine.transfer(try request(server.url()) { $0.keepHeaders = true })
        #expect(report.headers.map { "\($0.name)=\($0.value)" } == ["A=1", "b=two", "A=", "C=x y", "Transfer-Encoding=chunked"])
    }

    @Test func manyShortHeadersAreAllReported() async throws {
        let server = try ConnectionServer {
            $0.answer(headers: (0..<9000).map { "\($0 % 10):\r\n" }.joined())
        }
        let report = await engine.transfer(try request(server.url()) { $0.keepHeaders = true })
        #expect(report.failure == nil && report.headers.count == 9001)
    }

    @Test func cookiesAreReportedByteForByteAndSentSo() async throws {
        let server = try ConnectionServer { connection in
            let head = connection.readBytes() ?? []
            connection.send("HTTP/1.1 302 Found\r\nLocation: /\r\nset-cookie:a=1\r\nSet-Cookie: b=")
            connection.send([0xfc] + Array("; Path=/ \r\nContent-Length: \(head.count)\r\n\r\n".utf8) + head)
        }
        let report = await engine.transfer(try request(server.url()) { $0.cookie = [0x62, 0x3d, 0xfc] })
        #expect(report.setCookies == [Array("a=1".utf8), Array("b=".utf8) + [0xfc] + Array("; Path=/".utf8)])
        #expect(
            report.body.split(separator: UInt8(ascii: "\n")).contains {
                $0.elementsEqual(Array("Cookie: b=".utf8) + [0xfc, 0x0d])
            })
    }

    @Test(arguments: [[0x0d, 0x0a], [0x00], [0x7f]] as [[UInt8]])
    func aCookieThatNoHeaderCanCarryIsNotSent(bytes: [UInt8]) async throws {
        let server = try LoopbackServer { _ in .http(200) }
        #expect(await engine.transfer(try request(server.url) { $0.cookie = Array("a=".utf8) + bytes }).code == .localFault)
        #expect(server.requests.isEmpty)
    }

    @Test func skipsInterimAnswers() async throws {
        let server = try ConnectionServer {
            $0.readRequest()
            $0.send("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")
        }
        let report = await engine.transfer(try request(server.url()))
        #expect(report.failure == nil && report.status == 204)
    }

    /// On a kept connection of this kind libcurl 7.88.1 fails whatever it is asked for.
    @Test func opensAConnectionEachTimeForHTTP2WithoutTLS() async throws {
        let server = try ConnectionServer {
            $0.readRequest()
            $0.send([0, 0, 0, 4, 0, 0, 0, 0, 0] + [0, 0, 1, 1, 5, 0, 0, 0, 1, 0x88])
            $0.waitForClose()
        }
        let wanted = try request(server.url()) { ($0.connection, $0.httpVersion) = (.reuse, .http2) }
        for _ in 0..<2 { #expect(await engine.transfer(wanted).status == 200) }
        #expect(server.connections == 2)
    }

    @Test func reusesAConnectionWhenAskedTo() async throws {
        let server = try ConnectionServer { connection in
            while !connection.readRequest().isEmpty { connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") }
        }
        let wanted = try request(server.url()) { $0.connection = .reuse }
        _ = await engine.transfer(wanted)
        let second = await engine.transfer(wanted)
        #expect(second.failure == nil && second.connect == .zero && second.processing != nil)
        #expect(second.address?.text == "127.0.0.1")
        #expect(server.connections == 1)
    }

    @Test func opensAFreshConnectionWhenAskedTo() async throws {
        let server = try ConnectionServer { $0.answer() }
        for _ in 0..<3 { _ = await engine.transfer(try request(server.url())) }
        #expect(server.connections == 3)
    }

    @Test func speaksHTTP2WithPriorKnowledge() async throws {
        let server = try ConnectionServer {
            _ = $0.readSome()
            $0.send([0, 0, 0, 4, 0, 0, 0, 0, 0])  // SETTINGS
            $0.send([0, 0, 1, 1, 5, 0, 0, 0, 1, 0x88])  // HEADERS of stream 1, :status 200, the end
            $0.waitForClose()
        }
        let report = await engine.transfer(try request(server.url()) { $0.httpVersion = .http2 })
        #expect(report.failure == nil && report.status == 200 && report.httpVersion == 2)
    }

    @Test func refusesARequestThatCannotBeSentAsItIs() async throws {
        let server = try ConnectionServer { $0.answer() }
        let split = await engine.transfer(try request(server.url()) { $0.headers = [("X", "1\r\nY: 2")] })
        let method = await engine.transfer(try request(server.url()) { $0.method = "GET / HTTP/1.1\r\nX:" })
        #expect(split.code == .localFault && method.code == .localFault)
        #expect(server.connections == 0)
    }

    @Test func ignoresTheProxyOfTheEnvironment() async throws {
        setenv("http_proxy", "http://127.0.0.1:1", 1)
        defer { unsetenv("http_proxy") }
        let server = try ConnectionServer { $0.answer() }
        let report = await engine.transfer(try request(server.url()))
        #expect(report.status == 200)
    }
}

@Suite struct KeptConnectionTests {
    private func request(_ port: Int) throws -> TransferRequest {
        try CurlTests.request("http://moving.test:\(port)/") { $0.connection = .reuse }
    }

    /// A server that keeps its connections, and counts those that their clients closed.
    private func server(_ ended: Watched<Int>) throws -> ConnectionServer {
        try ConnectionServer(address: "0.0.0.0") { connection in
            while !connection.readRequest().isEmpty { connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") }
            ended.change { $0 += 1 }
        }
    }

    @Test func liveNoLongerThanTheirAddressIsInTheAnswer() async throws {
        let answer = Mutex(["127.0.0.1"])
        let engine = try TransferEngine(resolver: { _ in .addresses(answer.withLock { $0.compactMap { SocketAddress($0) } }) })
        let ended = Watched(0)
        let server = try server(ended)
        #expect(await engine.transfer(try request(server.port)).status == 200)
        #expect(await engine.transfer(try request(server.port)).connect == .zero)
        answer.withLock { $0 = ["127.0.0.2"] }
        let moved = await engine.transfer(try request(server.port))
        #expect(moved.status == 200 && moved.address?.text == "127.0.0.2" && moved.connect != .zero)
        try await ended.until { $0 == 1 }
        #expect(server.connections == 2)
    }

    @Test func areClosedWhenAskedTo() async throws {
        let engine = try TransferEngine(resolver: { _ in .addresses([SocketAddress("127.0.0.1")].compactMap(\.self)) })
        let ended = Watched(0)
        let server = try server(ended)
        #expect(await engine.transfer(try request(server.port)).status == 200)
        engine.closeKeptConnections()
        try await ended.until { $0 == 1 }
        let again = await engine.transfer(try request(server.port))
        #expect(again.status == 200 && again.connect != .zero)
    }
}
