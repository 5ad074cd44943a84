import Foundation
import Glibc
import TestSupport
import Testing

/// A webhook that refuses one message for good, and what an operator sees of it.
@Suite(.timeLimit(.minutes(5))) struct SetAsideCommandTests {
    @Test func aMessageThatIsRefusedForGoodIsShownAndKeepsNoOtherBack() async throws {
        let isBad = Watched(true)
        let hook = try LoopbackServer { request in
            guard request.body.contains("\"kind\":\"firing\"") else { return .http(200) }
            // Its end waits behind it.
            isBad.change { $0 = false }
            return .http(400)
        }
        let site = try Site(
            paths: ["a"], more: "alerting: {webhooks: [{url: \"\(hook.url)/hook\"}], group_window: 0s}"
        ) { _ in isBad.value ? .http(500) : .http(200) }
        let (program, port) = try await site.start()
        #expect(try await program.errors.until("refused a message 5 times: it answered HTTP 400; it is set aside"))
        try await hook.until { $0.contains { $0.body.contains("\"kind\":\"resolved\"") } }
        #expect(hook.requests.count { $0.body.contains("\"kind\":\"firing\"") } == 5)
        let page = try await exchange(port, WireRequest("GET", "/metrics")).text
        #expect(page.contains("rangefinder_alerts_set_aside_total{channel=\"webhook \(hook.url)/hook\"} 1\n"))
        program.send(SIGTERM)
        #expect(await program.ended() == 0)
        // Also by a life that is over.
        let ended = try await Program.run(["doctor", "--config", site.configuration])
        #expect(ended.output.contains("1 message is set aside, because a webhook refused them"), "\(ended.output)")
        #expect(ended.output.contains("it answered HTTP 400"))
    }
}
