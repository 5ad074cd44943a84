import TestSupport
import Testing

@testable import Curl

/// libcurl forgets a timeout when a byte comes less than a millisecond before it. Nothing would end such a transfer.
@Suite(.timeLimit(.minutes(2))) struct OverdueTests {
    private static let timeout = Duration.milliseconds(100)
    private static let attempts = 400

    @Test func aTransferEndsThoughAByteJustBeforeItsTimeoutMakesLibcurlForgetIt() async throws {
        let engine = try TransferEngine()
        let server = try ConnectionServer { connection in
            // The path says when the transfer began, by the clock that both ends have.
            let words = connection.readRequest().split(separator: " ")
            guard words.count > 1, let began = UInt64(words[1].dropFirst()) else { return }
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
            // Where in the last millisecond the byte must come depends on when the engine began.
            let last = began + Self.timeout.boundedNanoseconds - UInt64.random(in: 0...1_000_000)
            guard !connection.waitForClose(atMost: Self.timeout - .milliseconds(5)) else { return }
            while monotonicNanoseconds() < last {}
            connection.send("x")
            connection.waitForClose()
        }
        let reports = try await withThrowingTaskGroup(of: [TransferReport].self) { group in
            for _ in 0..<4 {
                // On the engine's thread, which then begins at once.
                group.addTask(executorPreference: engine.executor) {
                    var reports: [TransferReport] = []
                    for _ in 0..<Self.attempts / 4 {
                        let url = server.url("/\(monotonicNanoseconds())")
                        reports.append(await engine.transfer(try request(url) { $0.timeout = Self.timeout }))
                    }
                    return reports
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(reports.count == Self.attempts)
        for report in reports { #expect(report.failure?.code == .timedOut, "\(String(describing: report.failure))") }
        // One that nobody ended would end here, and with another failure.
        await engine.shutDown()
    }
}
