import Curl
import Foundation
import Glibc
import Health
import Settings
import TestSupport
import Testing

@testable import Daemon

/// Debian's Prometheus, set up by the configuration that we ship, scrapes a daemon and answers with what it saw.
@Suite(.timeLimit(.minutes(5))) struct PrometheusTests {
    private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The shipped configuration, pointed at a daemon's port and in a hurry.
    private func configuration(scraping port: Int) throws -> String {
        let folder = Self.repository.appendingPathComponent("config/prometheus")
        let shipped = try String(contentsOf: folder.appendingPathComponent("prometheus.yml"), encoding: .utf8)
        #expect(shipped.contains("127.0.0.1:10115") && shipped.contains("honor_labels: true"))
        return shipped.replacingOccurrences(of: "127.0.0.1:10115", with: "127.0.0.1:\(port)")
            .replacingOccurrences(of: "rangefinder.rules.yml", with: folder.appendingPathComponent("rangefinder.rules.yml").path)
            // Alerts that fire here are no business of an Alertmanager that may run on this machine.
            .replacingOccurrences(of: "127.0.0.1:9093", with: "127.0.0.1:9")
            .replacing(/interval: \d+s/, with: "interval: 1s")
    }

    @Test func scrapesUsAndAnswersAQueryForProbeSuccess() async throws {
        let folder = try TemporaryFolder()
        let target = try LoopbackServer { request in request.path == "/bad" ? .http(500) : .http(200) }
        let api = try ScriptedAPI(
            list([
                record("tgt_good", name: "Good", url: target.url), record("tgt_bad", name: "Bad", url: target.url, path: "/bad"),
            ]))
        try await RunningDaemon.run(testSettings(folder, api: api.server.url)) { running in
            try await running.log.until("Bad is down")
            try await running.log.until("Good is up")
            let file = try folder.write(configuration(scraping: running.port), to: "prometheus.yml")
            let port = try freePort()
            let prometheus = try ChildProcess(
                "/usr/bin/prometheus",
                [
                    "--config.file=\(file)", "--storage.tsdb.path=\(folder.file("tsdb"))",
                    "--web.listen-address=127.0.0.1:\(port)",
                ])
            defer { prometheus.end() }
            let answer = try await ask(port, "probe_success", until: { $0.contains("tgt_good") && $0.contains("tgt_bad") })
            #expect(answer.contains(#""instance":"\#(target.url)/""#))
            #expect(answer.contains(#""target":"Good""#))
            let down = try await ask(port, "probe_success == 0", until: { $0.contains("tgt_bad") })
            #expect(!down.contains("tgt_good"))
            let status = try await ask(port, "rangefinder_target_status_code == 3", until: { $0.contains("tgt_bad") })
            #expect(status.contains(#""region":"us-east-1""#))
        }
    }

    /// Rules that people have for blackbox_exporter, as they are. Of those that want a minute's patience it is enough that they wait for it.
    @Test func rulesForBlackboxExporterFireOnOurPage() async throws {
        let folder = try TemporaryFolder()
        let authority = try TestAuthority()
        let expiring = try TLSServer(authority, certificate: authority.issue("soon", to: authority.stamp(days: 2)))
        let target = try LoopbackServer { request in request.path == "/bad" ? .http(500) : .silence }
        let api = try ScriptedAPI(
            list([
                record("bad", name: "bad", url: target.url, path: "/bad"),
                record("slow", name: "slow", url: target.url, path: "/slow"),
                record("tls", name: "tls", url: "https://127.0.0.1:\(expiring.port)"),
            ]))
        var settings = testSettings(folder, api: api.server.url)
        settings.probe.caFile = authority.bundle
        let rules = Self.repository.appendingPathComponent("Tests/DaemonTests/Fixtures/blackbox.rules.yml").path
        try await RunningDaemon.run(settings) { running in
            let configured = try configuration(scraping: running.port)
                .replacing(/- .*rangefinder.rules.yml/, with: "- \(rules)")
            #expect(configured.contains(rules))
            let port = try freePort()
            let prometheus = try ChildProcess(
                "/usr/bin/prometheus",
                [
                    "--config.file=\(try folder.write(configured, to: "prometheus.yml"))",
                    "--storage.tsdb.path=\(folder.file("tsdb"))",
                    "--web.listen-address=127.0.0.1:\(port)",
                ])
            defer { prometheus.end() }
            for (alert, state, target) in [
                ("BlackboxProbeFailed", "firing", "bad"), ("BlackboxProbeHttpFailure", "firing", "bad"),
                ("BlackboxSlowProbe", "pending", "slow"), ("BlackboxSslCertificateWillExpireVerySoon", "firing", "tls"),
            ] {
                let query = "ALERTS{alertname=\"\(alert)\",alertstate=\"\(state)\",target=\"\(target)\"}"
                _ = try await ask(port, query, until: { $0.contains("\"__name__\":\"ALERTS\"") })
            }
        }
    }

    /// Asks again and again until the answer has what is wanted; the suite's time limit ends it.
    private func ask(_ port: Int, _ query: String, until isThere: (String) -> Bool) async throws -> String {
        let engine = try TransferEngine()
        let escaped = query.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        let url = try #require(URLParts("http://127.0.0.1:\(port)/api/v1/query?query=\(escaped)"))
        while true {
            try Task.checkCancellation()
            var request = TransferRequest(url: url)
            request.keepBody = 1 << 20
            let text = String(decoding: await engine.transfer(request).body, as: UTF8.self)
            if isThere(text) {
                await engine.shutDown()
                return text
            }
        }
    }
}
