import Curl
import Dispatch
import Foundation
import Health
import Logging
import Settings
import Synchronization
import TestSupport
import Testing

@testable import Alerting
@testable import Daemon

/// What webhooks and the heartbeat get, over real sockets.
@Suite(.timeLimit(.minutes(5))) struct WebhookTests {
    private struct Message: Decodable {
        struct Alert: Decodable {
            let name: String
            let status: String
        }
        let id: String
        let kind: String
        let sequence: Int
        let alerts: [Alert]
    }

    /// Holds up whatever thread comes to it.
    private final class Gate: Sendable {
        private let semaphore = DispatchSemaphore(value: 0)
        func wait() { semaphore.wait() }
        func open() { semaphore.signal() }
    }

    private func messages(_ requests: [LoopbackRequest]) -> [Message] {
        requests.compactMap { try? JSONDecoder().decode(Message.self, from: Data($0.body.utf8)) }
    }

    @Test func anOutageIsAMessageAndItsEndAnotherAlsoWhereTheDaemonWasAwayMeanwhile() async throws {
        let folder = try TemporaryFolder()
        let (isBad, isAway) = (Watched(true), Watched(true))
        let target = try LoopbackServer { _ in isBad.value ? .http(500) : .http(200) }
        let hook = try LoopbackServer { _ in isAway.value ? .http(503) : .http(204) }
        let api = try ScriptedAPI(list([record("a", name: "a", url: target.url), record("b", name: "b", url: target.url)]))
        var settings = testSettings(folder, api: api.server.url)
        settings.alerting.webhooks = [.init(url: .plain(hook.url + "/hook"), secret: Secret("s3cret-of-the-webhook"))]
        settings.alerting.groupWindow = .seconds(3)
        try await RunningDaemon.run(settings, level: .notice) { running in
            // Sent, and not taken: it has to survive.
            try await hook.until { !$0.isEmpty }
            try await running.log.until("doesn't take alerts: it answered HTTP 503")
            #expect(!running.log.lines.contains { $0.contains("s3cret") })
            #expect(try await running.metric("rangefinder_alerts_queued") == 1)
        }
        isAway.change { $0 = false }
        let before = hook.requests.count
        try await RunningDaemon.run(settings, level: .notice) { _ in
            try await hook.until { $0.count > before }
            isBad.change { $0 = false }
            try await hook.until { messages($0).contains { $0.kind == "resolved" } }
        }
        let all = messages(hook.requests)
        let firing = all.filter { $0.kind == "firing" }
        // At least once, and the same each time; both targets are of one host.
        #expect(Set(firing.map(\.id)).count == 1)
        #expect(firing.allSatisfy { $0.sequence == 1 && $0.alerts.count == 2 })
        let resolved = all.filter { $0.kind == "resolved" }
        #expect(resolved.map(\.sequence) == [2])
        #expect(resolved.first?.alerts.map(\.status) == ["resolved", "resolved"])
        #expect(hook.requests.allSatisfy { $0.headers["x-rangefinder-signature"]?.hasPrefix("sha256=") == true })
    }

    @Test func theHeartbeatStopsWhenProbingIsWedgedAndTheDaemonIsNotReady() async throws {
        let folder = try TemporaryFolder()
        let (target, heart) = (try LoopbackServer { _ in .http(200) }, try LoopbackServer { _ in .http(200) })
        let api = try ScriptedAPI(list([record("a", name: "a", url: target.url)]))
        var settings = testSettings(folder, api: api.server.url)
        settings.limits.threads = 1
        settings.probe.interval = .seconds(1)
        settings.alerting.heartbeat = .init(url: Secret(heart.url), interval: .milliseconds(500), posts: true)
        try await RunningDaemon.run(settings, level: .notice) { running in
            try await heart.until { $0.count >= 2 && $0.last?.body.contains("\"up\":1") == true }
            let beat = try #require(heart.requests.last)
            #expect(
                beat.method == "POST" && beat.body.contains("\"kind\":\"heartbeat\",")
                    && beat.body.contains("\"vantage\":\"test\""))
            #expect(try await running.get("/-/ready").status == 200)
            let gate = Gate()
            Task(executorPreference: running.daemon.parts.engines.probes[0].executor) { gate.wait() }
            // The suite's own limit is the bound: how soon depends on what else the machine does.
            while try await running.get("/-/ready").status == 200 { try Task.checkCancellation() }
            let (notReadyAt, before) = (ContinuousClock.now, heart.requests.count)
            // A page every turn takes its time; three intervals of the heartbeat pass.
            while notReadyAt.duration(to: .now) < .seconds(2) { _ = try await running.get("/-/healthy") }
            #expect(heart.requests.count <= before + 1)
            gate.open()
        }
    }

    @Test func theHeartbeatIsNotFedWhereNothingIsWatched() async throws {
        let (folder, heart) = (try TemporaryFolder(), try LoopbackServer { _ in .http(200) })
        let api = try ScriptedAPI(.http(401, body: "{}"))
        var settings = testSettings(folder, api: api.server.url)
        settings.alerting.heartbeat = .init(url: Secret(heart.url), interval: .milliseconds(500))
        try await RunningDaemon.run(settings, level: .notice) { running in
            let began = ContinuousClock.now
            while began.duration(to: .now) < .seconds(2) { #expect(try await running.get("/-/ready").status == 503) }
            #expect(heart.requests.isEmpty)
            api.answer(list([]))
            _ = try await running.post("/-/sync")
            try await heart.until { !$0.isEmpty }
        }
    }

    private static let oddAnswers = [
        "HTTP/1.1 200 OK\r\nContent-Encoding: none\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + String(repeating: "x", count: 2_000_000),
        "HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut off",
    ]

    @Test(arguments: oddAnswers) func anAnswerOf2xxIsTakenWhateverItsBodyIs(answer: String) async throws {
        let hook = try LoopbackServer { _ in .raw(answer) }
        let engine = try TransferEngine()
        let send = alertTransport(userAgent: "test", over: engine)
        #expect(await send(AlertRequest(url: .plain(hook.url), body: Array("{}".utf8))) == .taken)
        await engine.shutDown()
    }

    @Test func anAnswerThatSaysLaterSaysWhen() async throws {
        let engine = try TransferEngine()
        let send = alertTransport(userAgent: "test", over: engine)
        for (status, headers, answer) in [
            (503, ["Retry-After: 120"], AlertAnswer.later("it answered HTTP 503", after: .seconds(120))),
            (429, ["Retry-After: soon"], .later("it answered HTTP 429")),
            (500, ["Retry-After: Thu, 01 Jan 1970 00:00:00 GMT"], .later("it answered HTTP 500", after: .zero)),
            (400, ["Retry-After: 120"], .refused("it answered HTTP 400")),
        ] {
            let hook = try LoopbackServer { _ in .http(status, headers: headers) }
            #expect(await send(AlertRequest(url: .plain(hook.url), body: Array("{}".utf8))) == answer)
        }
        await engine.shutDown()
    }

    /// A key that is set for the first time by a reload works from then on.
    @Test func aReloadAddsAWebhook() async throws {
        let folder = try TemporaryFolder()
        let (target, hook) = (try LoopbackServer { _ in .http(500) }, try LoopbackServer { _ in .http(200) })
        let api = try ScriptedAPI(list([record("a", name: "a", url: target.url)]))
        let settings = testSettings(folder, api: api.server.url)
        try await RunningDaemon.run(settings, level: .notice) { running in
            var changed = settings
            changed.alerting.webhooks = [.init(url: .plain(hook.url), secret: nil)]
            changed.alerting.groupWindow = .zero
            await running.daemon.parts.reloader.take(changed)
            try await hook.until { messages($0).contains { $0.kind == "firing" } }
        }
    }
}
