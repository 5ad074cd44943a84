import Dispatch
import Glibc
import TestSupport
import Testing

@testable import Curl

extension TransferEngine {
    /// Keeps the engine's thread from everything else for a second: longer than anything over loopback takes, whatever runs beside it.
    /// Returns once the thread is held.
    func holdThread() {
        let isHeld = DispatchSemaphore(value: 0)
        Task(executorPreference: executor) {
            isHeld.signal()
            _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .seconds(1))
        }
        isHeld.wait()
    }
}

/// What a busy thread reads late is no time of the wire's or the server's: it is no part of a phase, and stands in a figure of its own.
@Suite(.timeLimit(.minutes(5))) struct BusyThreadTests {
    private static let half: Duration = .milliseconds(500)
    private static let answer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"
    private let engine: TransferEngine

    init() throws { engine = try TransferEngine() }

    @Test(arguments: [false, true])
    func anAnswerThatIsReadLateTookNoLonger(keepsConnection: Bool) async throws {
        let engine = engine
        let server = try ConnectionServer { connection in
            while !connection.readRequest().isEmpty {
                engine.holdThread()
                connection.send(Self.answer)
            }
        }
        for _ in 0..<2 {
            let report = await engine.transfer(
                try request(server.url()) { $0.connection = keepsConnection ? .reuse : $0.connection })
            #expect(report.text == "fine")
            #expect(report.duration < Self.half && report.selfDelay > Self.half, "\(report.duration), \(report.selfDelay)")
            #expect(report.duration == report.sumOfPhases && !report.wasHeldUp)
        }
    }

    @Test func aBodyThatIsReadLateTookNoLonger() async throws {
        let engine = engine
        let server = try ConnectionServer { connection in
            connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
            engine.holdThread()
            connection.send("fine")
        }
        let report = await engine.transfer(try request(server.url()))
        #expect(report.text == "fine" && report.transfer ?? .zero < Self.half && report.selfDelay > Self.half)
    }

    /// Nothing is read of a connection that is closed, so the kernel notes no time.
    @Test func anEndThatIsReadLateTookNoLonger() async throws {
        let engine = engine
        let server = try ConnectionServer { connection in
            connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\n\r\nfine")
            engine.holdThread()
        }
        let report = await engine.transfer(try request(server.url()))
        #expect(report.text == "fine" && report.transfer ?? .zero < Self.half && report.selfDelay > Self.half)
    }

    @Test(arguments: [false, true])
    func aHandshakeThatIsReadLateTookNoLonger(isTLS12: Bool) async throws {
        let (engine, authority) = (engine, try TestAuthority())
        let certificate = try authority.issue("leaf")
        let server = try ConnectionServer { connection in
            connection.awaitBytes()
            engine.holdThread()
            let tls = try? TLSConnection(connection, authority, certificate: certificate, isTLS12: isTLS12, offersHTTP2: false)
            guard tls?.readBytes() != nil else { return }
            tls?.send(Array(Self.answer.utf8))
        }
        let report = await engine.transfer(try request("https://127.0.0.1:\(server.port)/") { $0.caFile = authority.bundle })
        #expect(report.text == "fine" && report.tlsVersion == (isTLS12 ? .tls12 : .tls13))
        #expect(report.tls ?? .zero > .zero && report.tls ?? .zero < Self.half && report.selfDelay > Self.half)
        #expect(report.duration < Self.half && report.duration == report.sumOfPhases)
    }

    @Test func aLookupWhoseAnswerIsReadLateTookNoLonger() async throws {
        let held = Watched<TransferEngine?>(nil)
        let engine = try TransferEngine(resolver: { _ in
            held.value?.holdThread()
            return .addresses([SocketAddress("127.0.0.1")].compactMap(\.self))
        })
        held.change { $0 = engine }
        let server = try ConnectionServer { $0.answer() }
        let report = await engine.transfer(try request("http://slow.test:\(server.port)/"))
        held.change { $0 = nil }
        #expect(report.status == 200 && report.dns ?? .zero < Self.half && report.selfDelay > Self.half)
    }
}

/// A deadline is the server's. What had come by then and this process had not read says nothing against the server.
@Suite(.timeLimit(.minutes(5))) struct BusyAtDeadlineTests {
    private static let timeout: Duration = .milliseconds(400)
    private let engine: TransferEngine

    init() throws { engine = try TransferEngine() }

    private func report(_ script: @escaping @Sendable (Connection) -> Void) async throws -> TransferReport {
        let server = try ConnectionServer(script)
        let report = await engine.transfer(try request(server.url(), timeout: Self.timeout))
        #expect(report.duration <= Self.timeout && report.duration == report.sumOfPhases)
        return report
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfi", "HTTP/1.",
    ])
    func anAnswerThatLayUnreadThenCountsForNothing(_ answer: String) async throws {
        let engine = engine
        let report = try await report { connection in
            connection.readRequest()
            engine.holdThread()
            connection.send(answer)
            connection.waitForClose()
        }
        #expect(report.wasHeldUp && report.selfDelay > .milliseconds(500))
        #expect(report.code == (answer.hasSuffix("fine") ? nil : .timedOut))
    }

    @Test func anEndThatLayUnreadThenCountsForNothing() async throws {
        let engine = engine
        let report = try await report { connection in
            connection.readRequest()
            engine.holdThread()
        }
        #expect(report.wasHeldUp)
    }

    @Test func aServerThatIsSilentHasTimedOut() async throws {
        let engine = engine
        let report = try await report { connection in
            connection.readRequest()
            engine.holdThread()
            connection.waitForClose()
        }
        #expect(report.code == .timedOut && !report.wasHeldUp && report.processing ?? .zero > .milliseconds(200))
    }

    @Test func anAnswerThatCameLaterHasTimedOutThoughItIsReadWhole() async throws {
        let engine = engine
        let report = try await report { connection in
            connection.readRequest()
            engine.holdThread()
            _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .milliseconds(600))
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine")
            connection.waitForClose()
        }
        #expect(report.code == .timedOut && !report.wasHeldUp)
    }

    @Test func aHandshakeThatLayUnreadThenCountsForNothing() async throws {
        let (engine, authority) = (engine, try TestAuthority())
        let certificate = try authority.issue("leaf")
        let server = try ConnectionServer { connection in
            connection.awaitBytes()
            engine.holdThread()
            let tls = try? TLSConnection(connection, authority, certificate: certificate, isTLS12: false, offersHTTP2: false)
            while tls?.readBytes() != nil {}
        }
        let asked = try request("https://127.0.0.1:\(server.port)/", timeout: Self.timeout) { $0.caFile = authority.bundle }
        // The bundle is read by then.
        _ = await engine.transfer(try request("https://127.0.0.1:1/") { $0.caFile = authority.bundle })
        let report = await engine.transfer(asked)
        #expect(report.code != nil && report.wasHeldUp && report.duration <= Self.timeout)
    }

    @Test func aLookupWhoseAnswerLayUnreadThenCountsForNothing() async throws {
        let held = Watched<TransferEngine?>(nil)
        let engine = try TransferEngine(resolver: { _ in
            held.value?.holdThread()
            return .addresses([SocketAddress("127.0.0.1")].compactMap(\.self))
        })
        held.change { $0 = engine }
        let report = await engine.transfer(try request("http://slow.test:1/", timeout: Self.timeout))
        held.change { $0 = nil }
        #expect(report.code == .lookupTimedOut && report.wasHeldUp && report.duration <= Self.timeout)
    }
}

extension Connection {
    /// Until there is something to read, which stays unread.
    fileprivate func awaitBytes() {
        var byte: UInt8 = 0
        _ = recv(descriptor, &byte, 1, Int32(MSG_PEEK))
    }
}
