import Foundation
import TestSupport
import Testing

@testable import Curl

/// Processing ends when the answer comes, and not when the engine's thread comes round to reading it.
@Suite(.timeLimit(.minutes(5))) struct ArrivalTests {
    @Test(arguments: [false, true])
    func aBusyThreadIsNoTimeOfTheServers(keepsConnection: Bool) async throws {
        let engine = try TransferEngine()
        let server = try ConnectionServer { connection in
            while !connection.readRequest().isEmpty {
                let isBusy = DispatchSemaphore(value: 0)
                // Keeps the engine's thread for longer than an answer over loopback takes, whatever runs beside it.
                Task(executorPreference: engine.executor) {
                    isBusy.signal()
                    _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .seconds(1))
                }
                isBusy.wait()
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine")
            }
        }
        for _ in 0..<2 {
            let report = await engine.transfer(
                try request(server.url()) { $0.connection = keepsConnection ? .reuse : $0.connection })
            #expect(report.text == "fine")
            let (processing, transfer) = (try #require(report.processing), try #require(report.transfer))
            #expect(processing < .milliseconds(500) && transfer > .milliseconds(500), "\(processing), \(transfer)")
        }
    }
}
