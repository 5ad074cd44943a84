import TestSupport
import Testing

@testable import Curl

/// libcurl forgets a timeout when a byte comes less than a millisecond before it. Nothing would end such a transfer.
@Suite(.timeLimit(.minutes(2))) struct OverdueTests {
    private static let timeout = Duration.milliseconds(100)

    @Test func aTransferEndsThoughAByteJustBeforeItsTimeoutMakesLibcurlForgetIt() async throws {
        let engine = try TransferEngine()
        let server = try ConnectionServer { connection in
            let began = ContinuousClock.now
            connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            guard !connection.waitForClose(atMost: Self.timeout - .milliseconds(8)) else { return }
            // The client's time began before this one's, by less than it takes to connect. Where in the last millisecond the last byte
            // comes is chance, so there are many transfers.
            let last = Self.timeout - .microseconds(Int.random(in: 0...1200))
            while began.duration(to: .now) < last { connection.send("x") }
            connection.waitForClose()
        }
        let reports = try await withThrowingTaskGroup(of: TransferReport.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var last: TransferReport?
                    for _ in 0..<40 {
                        let report = await engine.transfer(try request(server.url()) { $0.timeout = Self.timeout })
                        if report.failure?.code != .timedOut { return report }
                        last = report
                    }
                    return try #require(last)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        for report in reports {
            #expect(report.failure?.code == .timedOut, "\(String(describing: report.failure))")
            #expect(report.status == 200)
        }
        await engine.shutDown()
    }
}
