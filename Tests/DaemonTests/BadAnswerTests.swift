import Curl
import Glibc
import Exposition
import Health
import Logging
import Settings
import Synchronization
import TestSupport
import Testing

@testable import Daemon

/// What the API can do to a sync, over real sockets: none of it loses the list.
@Suite(.timeLimit(.minutes(5))) struct BadAnswerTests {
    private static let html = "<!doctype html><title>502 Bad Gateway</title>"

    @Test(arguments: [
        (LoopbackReply.http(500, body: #"{"message":"boom"}"#), "http_status"),
        (.http(502, headers: ["Content-Type: text/html"], body: html), "http_status"),
        (.http(200, headers: ["Content-Type: text/html"], body: html), "not_json"),
        (.http(200), "empty_body"),
        (.http(200, body: #"{"targets":[{"sKey":"#), "not_json"),
        (.http(200, body: #"{"message":"Success"}"#), "malformed"),
        (.http(401, body: #"{"message":"who are you?"}"#), "unauthorized"),
        (.raw("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{\"targets\":["), "transport_failed"),
        (.raw("HTTP/1.1 200 OK\r\n X: a\r\nContent-Length: 14\r\n\r\n{\"targets\":[]}"), "transport_failed"),
        (.reset, "transport_failed"),
        (.endless(head: "HTTP/1.1 200 OK\r\n\r\n", chunk: String(repeating: " ", count: 65_536), bytesMax: 1 << 30), "too_large"),
    ])
    func leavesTheListAsItWasAndIsCountedWithItsReason(reply: LoopbackReply, reason: String) async throws {
        let api = try ScriptedAPI(list([record("tgt_1", url: "http://127.0.0.1:1")]))
        let bench = try Bench(api)
        #expect(await bench.sync.syncNow() == [])
        #expect(bench.applied.count == 1)
        api.answer(reply)
        let said = await bench.sync.syncNow()
        #expect(said.count == 1)
        #expect(bench.applied.count == 1)
        #expect(bench.page.contains("rangefinder_sync_failures_total{reason=\"\(reason)\"} 1\n"))
        api.answer(list([record("tgt_1", url: "http://127.0.0.1:2")]))
        #expect(await bench.sync.syncNow() == [])
        #expect(bench.applied.last?.first?.baseURL == "http://127.0.0.1:2")
    }

    @Test func newsOfAChangeOutlivesASyncThatFailed() async throws {
        let isBroken = Watched(true)
        let server = try LoopbackServer { _ in
            isBroken.value ? .http(503) : list([record("tgt_1", url: "http://a.example")])
        }
        let bench = try Bench(url: server.url)
        async let followed: Void = bench.sync.follow(documentedClient)
        try await server.until { $0.count >= 2 }
        #expect(bench.applied.isEmpty)
        isBroken.change { $0 = false }
        await followed
        #expect(bench.applied.last?.map(\.identity.key) == ["tgt_1"])
    }

    @Test func anAPIThatIsNotThereIsCounted() async throws {
        let (descriptor, port) = try boundSocket("127.0.0.1")
        defer { close(descriptor) }
        let bench = try Bench(url: "http://127.0.0.1:\(port)")
        #expect(await bench.sync.syncNow().count == 1)
        #expect(bench.page.contains("rangefinder_sync_failures_total{reason=\"connect_failed\"} 1\n"))
    }

    @Test func tenThousandTargetsAreOneList() async throws {
        let records = (0..<10_000).map { record("tgt_\($0)", name: "Target \($0)", url: "https://host-\($0 % 100).example") }
        let api = try ScriptedAPI(list(records))
        let bench = try Bench(api)
        #expect(await bench.sync.syncNow() == [])
        #expect(bench.applied.last?.count == 10_000)
    }

    @Test func oneUnreadableRecordIsRejectedNamedAndCounted() async throws {
        let api = try ScriptedAPI(list([record("tgt_1", url: "http://a.example"), #"{"sKey":"tgt_2","targetName":7}"#]))
        let bench = try Bench(api)
        #expect(await bench.sync.syncNow() == [])
        #expect(bench.applied.last?.map(\.identity.key) == ["tgt_1"])
        #expect(bench.rejected == 1)
        #expect(bench.log.lines.contains { $0.contains("rejected") && $0.contains("tgt_2") && $0.contains("targetName") })
    }

    @Test func theSecondOfTwoWithOneIdentityIsRejected() async throws {
        let api = try ScriptedAPI(list([record("tgt_1", url: "http://a.example"), record("tgt_1", url: "http://b.example")]))
        let bench = try Bench(api)
        _ = await bench.sync.syncNow()
        #expect(bench.applied.last?.map(\.baseURL) == ["http://a.example"])
        #expect(bench.rejected == 1)
    }

    @Test func aListThatLosesTooMuchIsHeld() async throws {
        let api = try ScriptedAPI(list((0..<20).map { record("tgt_\($0)", url: "http://a.example") }))
        let bench = try Bench(api)
        _ = await bench.sync.syncNow()
        api.answer(list([]))
        #expect(await bench.sync.syncNow().first?.contains("shrink_guard") == true)
        #expect(bench.applied.last?.count == 20)
        #expect(bench.page.contains("rangefinder_sync_held 1\n"))
        #expect(await bench.sync.acceptHeld() == [])
        #expect(bench.applied.last?.count == 0)
        #expect(bench.page.contains("rangefinder_sync_held 0\n"))
    }

    @Test func anAnswerThatWasAskedForUnderEarlierSettingsCountsForNothing() async throws {
        let slow = try ScriptedAPI(.silence)
        let bench = try Bench(slow)
        let sync = bench.sync
        let first = Task { await sync.syncNow() }
        try await slow.server.until { !$0.isEmpty }
        let new = try ScriptedAPI(list([record("tgt_new", url: "http://a.example")]))
        let settings = testSettings(try TemporaryFolder(), api: new.server.url)
        await sync.replace(.init(settings, engine: try TransferEngine()), takeSettings: {})
        try await new.server.until { !$0.isEmpty }
        #expect(await first.value == [])
        #expect(await sync.syncNow() == [])
        #expect(bench.applied.map { $0.map(\.identity.key) } == [["tgt_new"]])
        #expect(slow.server.requests.count == 1)
    }

    @Test func theTokenIsNotSentOverHttpToElsewhere() async throws {
        let bench = try Bench(url: "http://api.example")
        #expect(await bench.sync.syncNow().first?.contains("this machine only") == true)
    }

    @Test func theTokenGoesBareIntoAuthorization() async throws {
        let api = try ScriptedAPI(list([]))
        let bench = try Bench(api)
        _ = await bench.sync.syncNow()
        let request = try #require(api.server.requests.first)
        #expect(request.headers["authorization"] == testToken)
        #expect(request.path == "/api/clients/\(documentedClient)/targets")
    }
}

/// A sync service with a real engine, whose effects are kept.
private struct Bench {
    let sync: SyncService
    let metrics = DaemonMetrics(build: [:], loadedAt: Timestamp(milliseconds: 0))
    let log = LogCapture()
    private let effects = Effects()
    /// Lives as long as the bench.
    private let api: ScriptedAPI?

    private final class Effects: Sendable {
        let applied = Mutex<[[Target]]>([])
        let rejected = Mutex(0)
    }

    var applied: [[Target]] { effects.applied.withLock { $0 } }
    var rejected: Int { effects.rejected.withLock { $0 } }

    init(_ api: ScriptedAPI) throws { try self.init(url: api.server.url, api) }

    init(url: String, _ api: ScriptedAPI? = nil) throws {
        self.api = api
        var settings = testSettings(try TemporaryFolder(), api: url)
        settings.targetsAPI.maxList = 8 << 20
        let effects = effects
        sync = SyncService(
            plan: .init(settings, engine: try TransferEngine()), remembered: [:], metrics: metrics,
            logger: log.logger(LogLevel(.debug)),
            apply: { _, list in effects.applied.withLock { $0.append(list) } },
            onRejected: { count in effects.rejected.withLock { $0 = count } })
    }

    var page: String {
        MetricsPage(format: .text, targets: TargetSeries(), daemon: metrics)
            .map { String(decoding: $0, as: UTF8.self) }.joined()
    }
}
