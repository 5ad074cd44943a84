import Health
import Settings
import TestSupport
import Testing

@testable import Daemon

@Suite(.timeLimit(.minutes(5))) struct FailedStartTests {
    @Test(arguments: [
        ("https://hc.example/ping/uuid", "https://hc.example/ping/uuid/fail"),
        ("https://hc.example/a/?b=c", "https://hc.example/a/fail?b=c"),
        ("https://hc.example", "https://hc.example/fail"),
    ])
    func failIsBehindThePath(url: String, fail: String) { #expect(failURL(url) == fail) }

    @Test func itIsToldOnlyWhereThatIsAskedFor() async throws {
        let (folder, heart) = (try TemporaryFolder(), try LoopbackServer { _ in .http(200) })
        var settings = testSettings(folder, api: "http://127.0.0.1:1")
        settings.alerting.heartbeat = .init(url: Secret(heart.url + "/ping"))
        await tellFailedStart(settings, "not asked for")
        settings.alerting.heartbeat = .init(url: Secret(heart.url + "/ping"), posts: true, tellsFailedStart: true)
        await tellFailedStart(settings, "Rangefinder can't start: the port is taken")
        settings.alerting.heartbeat?.posts = false
        await tellFailedStart(settings, "by GET nothing says why")
        #expect(heart.requests.map(\.path) == ["/ping/fail", "/ping/fail"])
        #expect(heart.requests.map(\.method) == ["POST", "GET"])
        #expect(heart.requests.first?.body == "Rangefinder can't start: the port is taken")
    }
}
