import Health
import Logging
import Settings
import TestSupport
import Testing

@testable import Daemon

/// A webhook's receiver whose answer is no HTTP. The daemon outlives it and sends again.
@Suite(.timeLimit(.minutes(5))) struct MalformedReceiverTests {
    @Test func anAnswerWithABlankBeforeItsFirstHeaderIsSentAgainByADaemonThatLives() async throws {
        let folder = try TemporaryFolder()
        let target = try LoopbackServer { _ in .http(500) }
        let count = Counter()
        let hook = try LoopbackServer { _ in
            switch count.next() {
            case 1: .http(503, headers: ["X-First: so that there is a header before"])
            case 2: .raw("HTTP/1.1 500 X\r\n X: a\r\nContent-Length: 0\r\n\r\n")
            default: .http(204)
            }
        }
        let api = try ScriptedAPI(list([record("a", name: "a", url: target.url)]))
        var settings = testSettings(folder, api: api.server.url)
        settings.alerting.webhooks = [.init(url: .plain(hook.url + "/hook"))]
        settings.alerting.groupWindow = .seconds(1)
        try await RunningDaemon.run(settings, level: .notice) { running in
            try await hook.until { $0.count >= 3 }
            try await running.log.until("takes alerts again")
        }
    }
}
