import Curl
import Health
import TestSupport
import Testing

@testable import Alerting
@testable import Daemon

/// What a receiver of alerts says beside its status is nobody's business.
@Suite(.timeLimit(.minutes(5))) struct ReceiverCodingTests {
    @Test(arguments: ["none", "UTF-8", "aws-chunked", "br", "gzip", "gzip, gzip"], ["", "ok"])
    func anAlertIsTakenWhateverTheAnswersCoding(coding: String, body: String) async throws {
        let server = try LoopbackServer { _ in .http(200, headers: ["Content-Encoding: \(coding)"], body: body) }
        let transport = alertTransport(userAgent: "rangefinder/test", over: try TransferEngine())
        let answer = await transport(
            AlertRequest(
                url: .plain(server.url), headers: [], body: Array("{}".utf8), timeout: .seconds(20)))
        #expect("\(answer)" == "taken", "\(answer)")
    }
}
