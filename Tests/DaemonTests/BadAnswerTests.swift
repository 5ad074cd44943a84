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
        (.http(200, headers: ["Content-Encoding: br"], body: "x"), "not_json"),
        (.http(401, headers: ["Content-Encoding: br"], body: "x"), "unauthorized"),
        (.http(503, headers: ["Content-Encoding: gzip"], body: "x"), "http_status"),
        (.http(200, body: #"{"targets":[{"sKey":"tgt_1","targetName":7}]}"#), "malformed"),
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

    @Test(arguments: ["none", "UTF-8", "aws-chunked"]) func anUnknownCodingOfTheListIsNone(coding: String) async throws {
        let records = #"{"targets":[\#(record("tgt_1", url: "http://a.example"))]}"#
        let bench = try Bench(try ScriptedAPI(.http(200, headers: ["Content-Encoding: \(coding)"], body: records)))
        #expect(await bench.sync.syncNow() == [])
        #expect(bench.applied.last?.map(\.identity.key) == ["tgt_1"])
    }

    // MARK: Pages

    @Test(arguments: [
        "?page=2", "targets?page=2", "./targets?page=2", "../\(documentedClient)/targets?page=2", "ABSOLUTE", "CASE",
    ])
    func theNextPageIsFoundFromTheRequestsURL(reference: String) async throws {
        let place = Watched("")
        let path = "/base/api/clients/\(documentedClient)/targets"
        let api = try LoopbackServer { request in
            let reference =
                switch reference {
                case "ABSOLUTE": "\(place.value)\(path)?page=2"
                case "CASE": "HTTP\(place.value.dropFirst(4))\(path)?page=2"
                default: reference
                }
            let isFirst = request.path == path
            return .http(
                request.path.hasPrefix(path) ? 200 : 404, headers: isFirst ? [#"Link: <\#(reference)>; rel="next""#] : [],
                body: #"{"targets":[\#(record(isFirst ? "tgt_1" : "tgt_2", url: "http://a.example"))]}"#)
        }
        place.change { $0 = api.url }
        let bench = try Bench(url: api.url + "/base/")
        #expect(await bench.sync.syncNow() == [])
        #expect(bench.applied.last?.map(\.identity.key) == ["tgt_1", "tgt_2"])
        #expect(api.requests.map(\.path) == [path, "\(path)?page=2"])
    }

    @Test(arguments: [
        "//127.0.0.1:1/x", "http://evil.example/base/x", "/elsewhere?page=2", "/base?page=2", "http://[", "https:?page=2",
    ])
    func aListThatGoesOnElsewhereIsAFailedSync(reference: String) async throws {
        let api = try LoopbackServer { _ in
            .http(200, headers: [#"Link: <\#(reference)>; rel="next""#], body: #"{"targets":[]}"#)
        }
        let bench = try Bench(url: api.url + "/base")
        #expect(await bench.sync.syncNow().first?.contains("goes on elsewhere than below base_url") == true)
        #expect(bench.applied.isEmpty && api.requests.count == 1)
    }

    @Test func aLinkInAnotherEncodingKeepsItsBytes() async throws {
        let paths = Watched<[String]>([])
        let api = try ConnectionServer { connection in
            let path = connection.readRequest().split(separator: " ")[1]
            paths.change { $0.append(String(path)) }
            let link = path.contains("?") ? [] : Array("Link: <?after=men".utf8) + [0xfc] + Array(">; rel=next\r\n".utf8)
            connection.send(Array("HTTP/1.1 200 OK\r\nConnection: close\r\n".utf8) + link + Array("\r\n{\"targets\":[]}".utf8))
        }
        #expect(await (try Bench(url: api.url(""))).sync.syncNow() == [])
        #expect(paths.value.last?.hasSuffix("?after=men%fc") == true)
    }

    // MARK: Retry-After

    @Test func anAPIThatWantsToBeLeftAloneIsNotAskedByTheClockButByAPerson() async throws {
        let clock = Watched(ContinuousClock.now)
        let advance = { (duration: Duration) in clock.change { $0 += duration } }
        let api = try ScriptedAPI(.http(429, headers: ["Retry-After: 120"]))
        let bench = try Bench(api, now: { clock.value })
        #expect(await bench.sync.syncNow(isAskedFor: false).count == 1)
        #expect(bench.log.lines.contains { $0.contains("asked again in 120 s") })
        advance(.seconds(119))
        #expect(await bench.sync.syncNow(isAskedFor: false) == [])
        #expect(api.server.requests.count == 1)
        #expect(await bench.sync.syncNow().count == 1)
        #expect(api.server.requests.count == 2)
        advance(.seconds(119))
        _ = await bench.sync.syncNow(isAskedFor: false)
        #expect(api.server.requests.count == 2)
        api.answer(list([record("tgt_1", url: "http://a.example")]))
        advance(.seconds(1))
        #expect(await bench.sync.syncNow(isAskedFor: false) == [])
        #expect(bench.applied.count == 1)
    }

    @Test(arguments: [("Fri, 01 Jan 2999 00:00:00 GMT", 3599, 3600), ("86400", 3599, 3600), ("99999999999999999999", 3599, 3600)])
    func anHourIsAsLongAsItIsLeftAlone(value: String, quiet: Int, over: Int) async throws {
        let clock = Watched(ContinuousClock.now)
        let start = clock.value
        let api = try ScriptedAPI(.http(503, headers: ["Retry-After: \(value)"]))
        let bench = try Bench(api, now: { clock.value })
        _ = await bench.sync.syncNow(isAskedFor: false)
        clock.change { $0 = start + .seconds(quiet) }
        _ = await bench.sync.syncNow(isAskedFor: false)
        #expect(api.server.requests.count == 1)
        clock.change { $0 = start + .seconds(over) }
        _ = await bench.sync.syncNow(isAskedFor: false)
        #expect(api.server.requests.count == 2)
    }

    @Test func aDateIsReadInAllItsForms() {
        let now = Timestamp("1994-11-06T08:49:07Z") ?? Timestamp(milliseconds: 0)
        for text in ["30", "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            #expect(retryAfter(text, now: now) == .seconds(30))
        }
        #expect(retryAfter("Sun, 06 Nov 1994 08:49:00 GMT", now: now) == .zero)
        for text in ["", "-1", "1.5", "soon"] { #expect(retryAfter(text, now: now) == nil) }
    }

    @Test(arguments: [[], ["Retry-After: 1"]]) func newsOfAChangeOutlivesASyncThatFailed(headers: [String]) async throws {
        let isBroken = Watched(true)
        let server = try LoopbackServer { _ in
            isBroken.value ? .http(503, headers: headers) : list([record("tgt_1", url: "http://a.example")])
        }
        let bench = try Bench(url: server.url)
        async let followed: Void = bench.sync.poll(documentedClient)
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

    init(_ api: ScriptedAPI, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) throws {
        try self.init(url: api.server.url, api, now: now)
    }

    init(
        url: String, _ api: ScriptedAPI? = nil, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) throws {
        self.api = api
        var settings = testSettings(try TemporaryFolder(), api: url)
        settings.targetsAPI.maxList = 8 << 20
        let effects = effects
        sync = SyncService(
            plan: .init(settings, engine: try TransferEngine()), remembered: [:], metrics: metrics,
            logger: log.logger(LogLevel(.debug)), now: now,
            apply: { _, list in effects.applied.withLock { $0.append(list) } },
            onRejected: { count in effects.rejected.withLock { $0 = count } })
    }

    var page: String {
        MetricsPage(format: .text, targets: TargetSeries(), daemon: metrics)
            .map { String(decoding: $0, as: UTF8.self) }.joined()
    }
}
