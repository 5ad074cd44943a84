import Dispatch
import TestSupport
import Testing

@testable import Curl

/// Kept connections that are of no use any more by the time that a request wants one.
@Suite(.timeLimit(.minutes(5))) struct LostConnectionTests {
    private static let timeout408 = "HTTP/1.1 408 Request Time-out\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

    /// Answers the first request of its first connection, and says `words` there when it is told to; answers all others with `ok`.
    private final class IdleServer: Sendable {
        private let gate = DispatchSemaphore(value: 0)
        private let hasSpoken = Watched(false)
        private let server: ConnectionServer

        init(_ words: String) throws {
            let numbers = Counter()
            server = try ConnectionServer { [gate, hasSpoken] connection in
                let isFirst = numbers.next() == 1
                connection.answer(isFirst ? "first" : "ok")
                guard isFirst else { return connection.waitForClose() }
                gate.wait()
                connection.send(words)
                hasSpoken.change { $0 = true }
                connection.waitForClose()
            }
        }

        var connections: Int { server.connections }
        func url() -> String { server.url() }

        /// Over loopback the other end has the bytes when send() returns.
        func speak() async throws {
            gate.signal()
            try await hasSpoken.until { $0 }
        }
    }

    @Test(arguments: [timeout408, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstale"])
    func anAnswerThatNobodyAskedForIsNotTakenForTheNextOne(_ words: String) async throws {
        let server = try IdleServer(words)
        let engine = try TransferEngine()
        let reusing = try request(server.url()) { $0.connection = .reuse }
        #expect(await engine.transfer(reusing).text == "first")
        try await server.speak()
        let report = await engine.transfer(reusing)
        #expect(report.failure == nil && report.status == 200 && report.text == "ok")
        #expect(server.connections == 2)
    }

    @Test func whatMayChangeSomethingIsNotSentAgain() async throws {
        let server = try IdleServer(Self.timeout408)
        let engine = try TransferEngine()
        #expect(await engine.transfer(try request(server.url()) { $0.connection = .reuse }).text == "first")
        try await server.speak()
        let report = await engine.transfer(
            try request(server.url()) { ($0.connection, $0.method, $0.body) = (.reuse, "POST", Array("pay".utf8)) })
        #expect(report.code == .protocolError && report.failure?.detail.contains("nobody had asked for") == true)
        #expect(server.connections == 1)
    }

    @Test(arguments: ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
    func aTimedOutRequestOnAKeptConnectionIsMadeOnceMoreOnANewOne(_ method: String) async throws {
        let numbers = Counter()
        let server = try ConnectionServer {
            let isFirst = numbers.next() == 1
            $0.answer("")
            if isFirst {
                $0.readRequest()
                $0.send(Self.timeout408)
            }
            $0.waitForClose()
        }
        let engine = try TransferEngine()
        let reusing = try request(server.url()) { ($0.connection, $0.method) = (.reuse, method) }
        #expect(await engine.transfer(reusing).status == 200)
        let report = await engine.transfer(reusing)
        #expect(report.status == 200 && report.failure == nil)
        #expect(report.connect ?? .zero > .zero)
        #expect(server.connections == 2)
    }

    @Test func aSecondTimeOutIsTheAnswer() async throws {
        let numbers = Counter()
        let server = try ConnectionServer {
            if numbers.next() == 1 { $0.answer() }
            $0.readRequest()
            $0.send(Self.timeout408)
            $0.waitForClose()
        }
        let engine = try TransferEngine()
        let reusing = try request(server.url()) { $0.connection = .reuse }
        #expect(await engine.transfer(reusing).status == 200)
        #expect(await engine.transfer(reusing).status == 408)
        #expect(server.connections == 2)
    }

    @Test func aTimeOutOnANewConnectionIsTheAnswer() async throws {
        let server = try ConnectionServer {
            $0.readRequest()
            $0.send(Self.timeout408)
            $0.waitForClose()
        }
        let report = try await TransferEngine().transfer(try request(server.url()) { $0.connection = .reuse })
        #expect(report.status == 408 && server.connections == 1)
    }

    @Test func theSecondTryEndsWithTheTimeoutOfBoth() async throws {
        let numbers = Counter()
        let server = try ConnectionServer {
            let isFirst = numbers.next() == 1
            if isFirst { $0.answer() }
            $0.readRequest()
            if isFirst { $0.send(Self.timeout408) }
            $0.waitForClose()
        }
        let engine = try TransferEngine()
        #expect(await engine.transfer(try request(server.url()) { $0.connection = .reuse }).status == 200)
        let report = await engine.transfer(try request(server.url(), timeout: .milliseconds(400)) { $0.connection = .reuse })
        #expect(report.code == .timedOut && report.duration <= .milliseconds(400) && report.duration >= .milliseconds(200))
        #expect(report.sumOfPhases == report.duration)
    }

    /// RFC 9113 section 6.8: what the server has not looked at is asked for on a new connection.
    @Test(arguments: ["goaway", "goaway and close", "refused", "refused and goaway"])
    func aStreamThatWasNotLookedAtIsMadeOnceMoreOnANewConnection(_ kind: String) async throws {
        let server = try HTTP2Server { connection, request, stream in
            guard connection == 1, request == 2 else { return HTTP2.head(stream) + HTTP2.data(stream, "ok", isLast: true) }
            switch kind {
            case "goaway": return HTTP2.goAway(last: stream - 2)
            case "refused": return HTTP2.reset(stream, HTTP2.refusedStream)
            case "refused and goaway": return HTTP2.reset(stream, HTTP2.refusedStream) + HTTP2.goAway(last: stream - 2)
            default: return nil
            }
        }
        let engine = try TransferEngine()
        let reusing = try request(server.url()) { ($0.connection, $0.caFile) = (.reuse, server.authority.bundle) }
        #expect(await engine.transfer(reusing).status == 200)
        let report = await engine.transfer(reusing)
        #expect(report.failure == nil && report.status == 200 && report.httpVersion == 2 && report.text == "ok")
        #expect(report.certificates.count == 1 && report.tlsVersion == .tls13)
        #expect(server.connections == 2)
    }

    @Test func aNewConnectionThatEndsBeforeItsFirstStreamIsMadeOnceMore() async throws {
        let server = try HTTP2Server { connection, _, stream in
            connection == 1 ? HTTP2.goAway(last: 0) : HTTP2.head(stream) + HTTP2.data(stream, "ok", isLast: true)
        }
        let report = try await TransferEngine().transfer(try request(server.url()) { $0.caFile = server.authority.bundle })
        #expect(report.failure == nil && report.status == 200)
        #expect(server.connections == 2)
    }

    @Test func aServerThatSendsEveryStreamAwayIsAProtocolErrorAfterTwoTries() async throws {
        let server = try HTTP2Server { _, _, _ in HTTP2.goAway(last: 0) }
        let report = try await TransferEngine().transfer(try request(server.url()) { $0.caFile = server.authority.bundle })
        #expect(report.code == .protocolError)
        #expect(server.connections == 2)
    }

    @Test func aConnectionOnWhichSomethingFailedCarriesNothingMore() async throws {
        let server = try HTTP2Server { _, _, stream in
            HTTP2.head(stream) + HTTP2.data(stream, String(repeating: "x", count: 2000), isLast: true)
        }
        let engine = try TransferEngine()
        let reusing = try request(server.url()) { ($0.connection, $0.caFile) = (.reuse, server.authority.bundle) }
        let short = try request(server.url()) { ($0.connection, $0.caFile, $0.maxBody) = (.reuse, server.authority.bundle, 1000) }
        #expect(await engine.transfer(reusing).status == 200)
        #expect(await engine.transfer(short).code == .bodyTooLarge)
        #expect(server.connections == 1)
        #expect(await engine.transfer(reusing).status == 200)
        #expect(server.connections == 2)
    }

    /// RFC 9113 section 8.1: NO_ERROR is for after the whole answer.
    @Test(arguments: [true, false]) func halfABodyThatEndsInAResetWithoutAnErrorIsAProtocolError(isAtOnce: Bool) async throws {
        let server = try ConnectionServer { connection in
            _ = connection.readBytes()
            connection.send(HTTP2.settings + HTTP2.head(1) + HTTP2.data(1, "half", isLast: false))
            // What the client says of its settings comes after it has read them, and so what was sent with them.
            if !isAtOnce { _ = connection.readBytes() }
            connection.send(HTTP2.reset(1, HTTP2.noError))
            connection.waitForClose()
        }
        let report = try await TransferEngine().transfer(try request(server.url()) { $0.httpVersion = .http2 })
        #expect(report.code == .protocolError, "\(report.failure as Any)")
    }

    @Test func aResetWithoutAnErrorBehindTheWholeAnswerChangesNothing() async throws {
        let server = try ConnectionServer {
            _ = $0.readBytes()
            $0.send(
                HTTP2.settings + HTTP2.head(1) + HTTP2.data(1, "whole", isLast: true) + HTTP2.reset(1, HTTP2.noError))
            $0.waitForClose()
        }
        let report = try await TransferEngine().transfer(try request(server.url()) { $0.httpVersion = .http2 })
        #expect(report.failure == nil && report.status == 200 && report.text == "whole")
    }
}
