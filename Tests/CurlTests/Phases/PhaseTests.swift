import TestSupport
import Testing

@testable import Curl

/// The phases of real transfers over loopback.
@Suite(.timeLimit(.minutes(5))) struct PhaseTests {
    private let engine: TransferEngine
    init() throws { engine = try TransferEngine() }

    /// The phases that were reached are a part of the time that went by, and all of the duration.
    private func transfer(
        _ text: String, _ change: (inout TransferRequest) -> Void = { _ in }
    ) async throws -> TransferReport {
        let asked = try request(text, change)
        let began = ContinuousClock.now
        let report = await engine.transfer(asked)
        #expect(report.failure == nil && report.status == 200 && !report.wasHeldUp)
        #expect(report.duration == report.sumOfPhases && report.duration + report.selfDelay <= began.duration(to: .now))
        return report
    }

    @Test func ofHTTP() async throws {
        let server = try ConnectionServer { $0.answer() }
        let report = try await transfer(server.url())
        #expect(report.connect ?? .zero > .zero && report.tls == nil && report.processing ?? .zero > .zero)
    }

    @Test(arguments: ["-www -tls1_3", "-www -tls1_2", "-www -tls1_3 -groups P-384:P-521"])
    func ofHTTPS(options: String) async throws {
        let authority = try TestAuthority()
        let server = try TLSServer(authority, certificate: authority.issue("leaf"), options: options)
        let report = try await transfer("https://127.0.0.1:\(server.port)/") { $0.caFile = authority.bundle }
        #expect(report.connect ?? .zero > .zero && report.tls ?? .zero > .zero && report.processing ?? .zero > .zero)
    }

    /// The server's answers to the handshake are what the phase has: of two rounds of 60 ms each, 120 ms.
    @Test func ofAHandshakeAreAllItsRounds() async throws {
        let authority = try TestAuthority()
        let certificate = try authority.issue("leaf")
        let server = try ConnectionServer { connection in
            guard let slow = try? SlowedConnection(connection, by: .milliseconds(60)) else { return }
            let tls = try? TLSConnection(slow.connection, authority, certificate: certificate, isTLS12: true, offersHTTP2: false)
            guard tls?.readBytes() != nil else { return }
            tls?.send(Array("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".utf8))
            connection.waitForClose()
        }
        let report = try await transfer("https://127.0.0.1:\(server.port)/") { $0.caFile = authority.bundle }
        #expect(report.tls ?? .zero >= .milliseconds(120) && report.processing ?? .zero >= .milliseconds(60))
        #expect(report.connect ?? .zero < .milliseconds(60))
    }

    @Test func ofHTTP2() async throws {
        let server = try HTTP2Server { _, _, stream in HTTP2.head(stream) + HTTP2.data(stream, "ok", isLast: true) }
        for isKept in [false, true] {
            let report = try await transfer(server.url()) { ($0.caFile, $0.connection) = (server.authority.bundle, .reuse) }
            #expect(report.httpVersion == 2 && report.processing ?? .zero > .zero)
            #expect((report.connect == .zero && report.tls == .zero) == isKept)
        }
        #expect(server.connections == 1)
    }

    @Test func ofAKeptConnection() async throws {
        let server = try ConnectionServer { connection in
            connection.answer()
            connection.answer()
            connection.waitForClose()
        }
        let first = try await transfer(server.url()) { $0.connection = .reuse }
        let second = try await transfer(server.url()) { $0.connection = .reuse }
        #expect(first.connect ?? .zero > .zero)
        #expect(second.connect == .zero && second.tls == nil && second.processing ?? .zero > .zero)
        #expect(server.connections == 1)
    }

    /// A SYN that is lost is sent again after a second, and the round trip of the second one hides that.
    @Test func ofAConnectionWhoseSYNWasLost() async throws {
        let listener = try FullListener()
        let asked = Counter()
        let engine = engine
        let report = try await transfer("http://127.0.0.1:\(listener.port)/") {
            // Asked for the address, and then for the socket. The engine's thread comes round again when the SYN is on its way.
            $0.allows = { _ in
                if asked.next() == 2 { Task(executorPreference: engine.executor) { listener.answerAll() } }
                return true
            }
        }
        #expect(report.connect ?? .zero > .milliseconds(900) && report.processing ?? .zero < .milliseconds(900))
    }

    @Test func ofAConnectionWhoseSYNWasLostAndThatIsNoticedLate() async throws {
        let listener = try FullListener()
        let asked = Counter()
        let engine = engine
        let report = try await transfer("http://127.0.0.1:\(listener.port)/") {
            $0.allows = { _ in
                if asked.next() == 2 {
                    Task(executorPreference: engine.executor) {
                        listener.answerAll()
                        listener.holdUntilAllAreAccepted()
                    }
                }
                return true
            }
        }
        #expect(report.connect ?? .zero > .milliseconds(900) && report.selfDelay >= .milliseconds(250))
        #expect(report.duration < .seconds(60))
    }
}
