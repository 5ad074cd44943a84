import Curl
import Health
import History
import SampleTargets
import Settings
import TestSupport
import Testing

@testable import Daemon

/// From the API to `/metrics` and the database, in one process, over real sockets and on a real disk.
@Suite(.timeLimit(.minutes(5))) struct WholeLineTests {
    @Test func whatIsListedIsProbedRememberedAndShown() async throws {
        let folder = try TemporaryFolder()
        let target = try LoopbackServer { request in request.path == "/bad" ? .http(500) : .http(200, body: "ok") }
        let api = try ScriptedAPI(
            list([
                record("tgt_good", name: "Good", url: target.url), record("tgt_bad", name: "Bad", url: target.url, path: "/bad"),
            ]))
        try await RunningDaemon.run(testSettings(folder, api: api.server.url)) { running in
            try await running.log.until("Good is up")
            try await running.log.until("Bad is down: HTTP 500, but 200-399 was expected")
            let page = try await running.get("/metrics").body
            #expect(
                page.contains(
                    "probe_success{target_id=\"tgt_good\",target=\"Good\",instance=\"\(target.url)/\",region=\"us-east-1\"} 1\n"))
            #expect(
                page.contains(
                    "rangefinder_target_status{target_id=\"tgt_bad\",target=\"Bad\",instance=\"\(target.url)/bad\",region=\"us-east-1\",status=\"down\"} 1\n"
                ))
            #expect(try await running.metric("rangefinder_targets{state=\"active\"}") == 2)
            #expect(try await running.get("/-/ready").status == 200)
            #expect(try await running.get("/-/healthy").status == 200)
        }
        let statuses = try HistoryReader.open(path: folder.file("history.db")).statuses()
        #expect(statuses.map(\.target.name) == ["Bad", "Good"])
        #expect(statuses.map(\.status) == [.down, .up])
        let incident = try #require(statuses.first?.incident)
        #expect(incident.reason == .statusUnexpected)
        #expect(incident.httpStatus == 500)
        #expect(incident.failedProbes >= 3)
    }

    @Test func aRestartProbesTheRememberedListBeforeAnySyncHasAnswered() async throws {
        let folder = try TemporaryFolder()
        let target = try LoopbackServer { _ in .http(200) }
        let api = try ScriptedAPI(list([record("tgt_1", name: "One", url: target.url)]))
        let settings = testSettings(folder, api: api.server.url)
        try await RunningDaemon.run(settings) { try await $0.log.until("One is up") }
        api.answer(.silence)
        let (probed, report) = AsyncStream.makeStream(of: Void.self)
        let before = target.requests.count
        try await RunningDaemon.run(settings) { running in
            try await running.log.until("probing targets=1")
            try await target.until { $0.count > before }
            report.yield()
            let ready = try await running.get("/-/ready")
            #expect(ready.status == 200)
        }
        _ = await probed.first { _ in true }
    }

    @Test func aRestartInTheMiddleOfAnOutageRemembersIt() async throws {
        let folder = try TemporaryFolder()
        let target = try LoopbackServer { _ in .http(500) }
        let api = try ScriptedAPI(list([record("tgt_1", name: "One", url: target.url)]))
        let settings = testSettings(folder, api: api.server.url)
        try await RunningDaemon.run(settings) { try await $0.log.until("One is down") }
        let first = try #require(try HistoryReader.open(path: settings.history.path).statuses().first?.incident)
        try await RunningDaemon.run(settings) { running in
            let before = target.requests.count
            try await target.until { $0.count >= before + 2 }
            #expect(!running.log.lines.contains { $0.contains("One is down") })
            let page = try await running.get("/metrics").body
            #expect(page.contains("rangefinder_target_status_code{target_id=\"tgt_1\",target=\"One\""))
        }
        let second = try #require(try HistoryReader.open(path: settings.history.path).statuses().first?.incident)
        #expect(second.startedAt == first.startedAt)
        #expect(second.failedProbes > first.failedProbes)
    }

    @Test func aTargetThatLeavesTheListTakesItsSeriesAlongAndClosesItsIncidentAsRemoved() async throws {
        let folder = try TemporaryFolder()
        let target = try LoopbackServer { request in request.path == "/bad" ? .http(500) : .http(200) }
        let good = record("tgt_good", name: "Good", url: target.url)
        let api = try ScriptedAPI(list([good, record("tgt_bad", name: "Bad", url: target.url, path: "/bad")]))
        let settings = testSettings(folder, api: api.server.url)
        try await RunningDaemon.run(settings) { running in
            try await running.log.until("Bad is down")
            api.answer(list([good]))
            #expect(try await running.post("/-/sync").status == 200)
            // It is down: one list that lacks it may be a mistake.
            #expect(try await running.get("/metrics").body.contains("tgt_bad"))
            try await running.log.until("1 target that fails is missing from the list")
            #expect(try await running.post("/-/sync").status == 200)
            let page = try await running.get("/metrics").body
            #expect(!page.contains("tgt_bad"))
            #expect(page.contains("tgt_good"))
        }
        let incident = try #require(try HistoryReader.open(path: settings.history.path).incidents().first)
        #expect(incident.incident.closedAs == .removed)
        #expect(incident.name == "Bad")
    }

    @Test func aChangedURLIsProbedAtOnce() async throws {
        let folder = try TemporaryFolder()
        let (old, new) = (try LoopbackServer { _ in .http(200) }, try LoopbackServer { _ in .http(200) })
        let api = try ScriptedAPI(list([record("tgt_1", name: "One", url: old.url)]))
        var settings = testSettings(folder, api: api.server.url)
        settings.probe.interval = .seconds(2)
        try await RunningDaemon.run(settings) { running in
            try await running.log.until("One is up")
            api.answer(list([record("tgt_1", name: "One", url: new.url)]))
            _ = try await running.post("/-/sync")
            try await new.until { !$0.isEmpty }
        }
        #expect(!new.requests.isEmpty)
    }

    @Test func strangeRecordsCostOnlyThemselves() async throws {
        let folder = try TemporaryFolder()
        let target = try LoopbackServer { _ in .http(200) }
        let hostile = "evil\u{1B}[31m\u{202E}\n\"},{"
        let api = try ScriptedAPI(
            list([
                record("tgt_1", name: "Twin", url: target.url), record("tgt_2", name: "Twin", url: target.url),
                record("tgt_3", name: hostile, url: target.url), record("tgt_4", name: "No URL", url: "not a url"),
                record("tgt_1", name: "Impostor", url: target.url), #"{"targetName":"no key"}"#,
            ]))
        try await RunningDaemon.run(testSettings(folder, api: api.server.url)) { running in
            try await running.log.until("evil\\u{1b}[31m\\u{202e}\\u{a}\"},{ is up")
            while try await running.metric("rangefinder_targets{state=\"unprobeable\"}") != 1 { try Task.checkCancellation() }
            #expect(try await running.metric("rangefinder_targets{state=\"rejected\"}") == 2)
            #expect(try await running.metric("rangefinder_targets{state=\"active\"}") == 3)
            let page = try await running.get("/metrics").body
            #expect(!page.contains("\u{1B}"))
            #expect(page.contains("target_id=\"tgt_1\",target=\"Twin\"") && page.contains("target_id=\"tgt_2\",target=\"Twin\""))
        }
        let names = try HistoryReader.open(path: folder.file("history.db")).statuses().map(\.target.name)
        #expect(names.contains(hostile))
    }

    @Test func theEmbeddedAPIAndTheDaemonWorkInOneProcess() async throws {
        let folder = try TemporaryFolder()
        let samples = try SampleTargets()
        let authority = try folder.write(samples.authorityPEM, to: "ca.pem")
        let (lists, report) = AsyncStream.makeStream(of: [SampleTarget].self)
        let serving = Task { try await samples.run { report.yield($0) } }
        defer { serving.cancel() }
        let wanted = try #require(await lists.first { _ in true })
        var settings = testSettings(folder, api: "http://127.0.0.1:1")
        settings.probe.caFile = authority
        let api = try ScriptedAPI(
            list(wanted.enumerated().map { record("tgt_\($0)", name: $1.name, url: $1.baseURL, path: $1.testPath) }))
        settings.targetsAPI.baseURL = api.server.url
        try await RunningDaemon.run(settings) { running in
            try await running.log.until("Search API is up")
            try await running.log.until("Legacy ERP (failing) is down: HTTP 500")
            try await running.log.until("Ledger (certificate expired) is down: certificate expired 3 h ago")
            try await running.log.until(
                "Partner (self-signed) is down: the certificate of 127.0.0.1 is not signed by a known authority")
            try await running.log.until("Admin (wants credentials) is degraded: HTTP 401: it answers, but wants credentials")
            let page = try await running.get("/metrics").body
            let expiry = page.split(separator: "\n").first {
                $0.hasPrefix("probe_ssl_earliest_cert_expiry{") && $0.contains("Search API")
            }
            #expect(expiry != nil)
            #expect(page.contains("rangefinder_probe_failures_total{reason=\"certificate_expired\"}"))
        }
    }
}
