import Dispatch
import TestSupport
import Testing

@testable import Curl

/// Requests that libcurl repeats within one transfer: the time of the first try was the server's.
@Suite(.timeLimit(.minutes(5))) struct RepeatedRequestTests {
    private static func pause(milliseconds: Int) {
        _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .milliseconds(milliseconds))
    }

    @Test func theTimeOnAKeptConnectionThatEndedIsCounted() async throws {
        let numbers = Counter()
        let server = try ConnectionServer { connection in
            let isFirst = numbers.next() == 1
            connection.answer("ok")
            guard isFirst else { return connection.waitForClose() }
            connection.readRequest()
            Self.pause(milliseconds: 300)
        }
        let engine = try TransferEngine()
        let reusing = try request(server.url()) { $0.connection = .reuse }
        #expect(await engine.transfer(reusing).text == "ok")
        let report = await engine.transfer(reusing)
        #expect(report.failure == nil && report.text == "ok" && server.connections == 2)
        #expect(report.duration >= .milliseconds(280) && report.connect ?? .zero >= .milliseconds(280), "\(report.duration)")
    }

    @Test func theTimeUntilAStreamIsRefusedIsCounted() async throws {
        let server = try HTTP2Server { connection, request, stream in
            guard connection == 1, request == 1 else { return HTTP2.head(stream) + HTTP2.data(stream, "ok", isLast: true) }
            Self.pause(milliseconds: 300)
            return HTTP2.reset(stream, HTTP2.refusedStream)
        }
        let report = try await TransferEngine().transfer(try request(server.url()) { $0.caFile = server.authority.bundle })
        #expect(report.failure == nil && report.text == "ok")
        #expect(report.duration >= .milliseconds(280), "\(report.duration)")
    }

    @Test func aServerThatRefusesAStreamLateAndIsSilentThenHasTimedOut() async throws {
        let server = try HTTP2Server { connection, request, stream in
            guard connection == 1, request == 1 else { return [] }
            Self.pause(milliseconds: 500)
            return HTTP2.reset(stream, HTTP2.refusedStream)
        }
        let timeout = Duration.milliseconds(800)
        let asked = try request(server.url(), timeout: timeout) { $0.caFile = server.authority.bundle }
        let report = try await TransferEngine().transfer(asked)
        #expect(report.code == .timedOut && !report.wasHeldUp, "\(String(describing: report.failure))")
        #expect(report.duration >= .milliseconds(700) && report.duration <= timeout, "\(report.duration)")
    }
}
