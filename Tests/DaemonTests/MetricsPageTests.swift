import Curl
import Foundation
import Health
import Settings
import TestSupport
import Testing

@testable import Daemon

/// The page of a real daemon that probes real targets, held against what docs/metrics.md promises.
@Suite(.timeLimit(.minutes(5))) struct MetricsPageTests {
    private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// One row of a table of docs/metrics.md.
    struct Documented: Sendable {
        var name: String
        /// With their values, where the document lists them.
        var labels: [String: [String]]
    }

    /// The rows of the tables under a heading.
    private static func documented(under heading: String) throws -> [Documented] {
        let text = try String(contentsOf: repository.appendingPathComponent("docs/metrics.md"), encoding: .utf8)
        let section = try #require(text.components(separatedBy: "\n## \(heading)\n").dropFirst().first)
            .components(separatedBy: "\n## ")[0]
        let rows = section.split(separator: "\n").filter { $0.hasPrefix("| `") }
            .map { $0.split(separator: "|", omittingEmptySubsequences: false).map(words) }
        let labelColumn = heading == "Per target" ? 2 : 3
        return rows.compactMap { cells in
            guard let name = cells[1].first, !name.hasSuffix("*") else { return nil }
            let cell = cells[labelColumn]
            // One label with its values, or labels alone.
            let isListed = section.contains("`\(cell.first ?? "")`: ")
            return Documented(
                name: name,
                labels: isListed ? [cell[0]: Array(cell.dropFirst())] : Dictionary(uniqueKeysWithValues: cell.map { ($0, []) }))
        }
    }

    /// What stands between back ticks.
    private static func words(_ cell: Substring) -> [String] {
        cell.split(separator: "`", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 1 }.map {
            String($0.element)
        }
    }

    /// The lines of a family; a histogram's have more to their names.
    private static func lines(_ page: String, _ name: String, of target: String? = nil) -> [Substring] {
        page.split(separator: "\n").filter { line in
            let isNamed = line.hasPrefix(name + "{") || line.hasPrefix(name + " ") || line.hasPrefix(name + "_bucket{")
            return isNamed && target.map { line.contains("target_id=\"\($0)\"") } ?? true
        }
    }

    private static func expect(_ page: String, has metric: Documented, of target: String? = nil) {
        let found = lines(page, metric.name, of: target)
        #expect(!found.isEmpty, "\(metric.name) of \(target ?? "the daemon") is not on the page")
        for (label, values) in metric.labels {
            for value in values.isEmpty ? [""] : values {
                let text = values.isEmpty ? "\(label)=\"" : "\(label)=\"\(value)\""
                #expect(found.contains { $0.contains(text) }, "\(metric.name) has no \(text)")
            }
        }
    }

    /// A page over TLS with all that an answer can have.
    private static func server(_ authority: TestAuthority, daysLeft: Double) throws -> TLSServer {
        try authority.folder.write(
            "HTTP/1.1 200 OK\r\nLast-Modified: Mon, 22 Jan 2024 12:00:00 GMT\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
            to: "page")
        return try TLSServer(
            authority, certificate: authority.issue("leaf", to: authority.stamp(days: daysLeft)), options: "-HTTP")
    }

    @Test func hasEveryMetricThatIsDocumented() async throws {
        let folder = try TemporaryFolder()
        let authority = try TestAuthority()
        let (good, expiring) = (try Self.server(authority, daysLeft: 30), try Self.server(authority, daysLeft: 5))
        let failing = try LoopbackServer { _ in .http(500) }
        let api = try ScriptedAPI(
            list([
                record("good", name: "Good", url: "https://localhost:\(good.port)", path: "/page"),
                record("old", name: "Old", url: "https://localhost:\(expiring.port)", path: "/page"),
                record("bad", name: "Bad", url: failing.url),
            ]))
        var settings = testSettings(folder, api: api.server.url)
        (settings.probe.caFile, settings.probe.addressFamily) = (authority.bundle, .v4)
        // A channel has series of its own.
        settings.alerting.webhooks = [.init(url: .plain(failing.url + "/hook"))]
        let running = settings
        let page = try await RunningDaemon.run(running) { running in
            for words in ["Good is up", "Old is degraded", "Bad is down"] { try await running.log.until(words) }
            return try await running.get("/metrics").body
        }
        let perTarget = try Self.documented(under: "Per target")
        #expect(perTarget.count > 30)
        for metric in perTarget {
            let whose = ["rangefinder_target_failure_reason": "bad", "rangefinder_target_degraded_cause": "old"][metric.name]
            Self.expect(page, has: metric, of: whose ?? "good")
        }
        let daemons = try Self.documented(under: "Of the daemon")
        #expect(daemons.count >= 24)
        for metric in daemons { Self.expect(page, has: metric) }
        #expect(page.contains("\nprocess_"))
        let documented = Set((perTarget + daemons).map(\.name))
        let shown = page.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ")[2] }
        for name in shown where !name.hasPrefix("process_") {
            #expect(documented.contains(String(name)), "docs/metrics.md has no \(name)")
        }
        Self.expectValues(page)
    }

    /// What is known of the target beforehand.
    private static func expectValues(_ page: String) {
        let wanted = [
            ("probe_tls_version_info", "version=\"TLS 1.3\"} 1"), ("probe_tls_cipher_info", "cipher=\"TLS_"),
            (
                "probe_ssl_last_chain_info",
                ",issuer=\"CN=Test-Authority\",subject=\"CN=leaf\",subjectalternative=\"localhost\"} 1"
            ),
            ("probe_http_last_modified_timestamp_seconds", "} 1705924800"), ("probe_ip_protocol", "} 4"),
            ("probe_ip_addr_hash", "} 3668918509"), ("probe_timeout_seconds", "} 2"), ("probe_http_content_length", "} 2"),
            ("probe_failed_due_to_regex", "} 0"), ("rangefinder_target_interval_seconds", "} 2"),
        ]
        for (name, text) in wanted {
            #expect(lines(page, name, of: "good").contains { $0.contains(text) }, "\(name): \(lines(page, name, of: "good"))")
        }
    }

    private static let blackbox = "/usr/bin/prometheus-blackbox-exporter"

    /// Names, help, types and labels of what both have. The peer's test package is prometheus-blackbox-exporter.
    @Test(
        .enabled(if: FileManager.default.isExecutableFile(atPath: Self.blackbox), "prometheus-blackbox-exporter is not installed")
    )
    func isLikeBlackboxExportersForTheSameTarget() async throws {
        let folder = try TemporaryFolder()
        let authority = try TestAuthority()
        let server = try Self.server(authority, daysLeft: 30)
        let url = "https://localhost:\(server.port)"
        let api = try ScriptedAPI(list([record("good", name: "Good", url: url, path: "/page")]))
        var settings = testSettings(folder, api: api.server.url)
        (settings.probe.caFile, settings.probe.addressFamily) = (authority.bundle, .v4)
        // A channel has series of its own.
        settings.alerting.webhooks = [.init(url: .plain(failing.url + "/hook"))]
        let ours = try await RunningDaemon.run(settings) { running in
            try await running.log.until("Good is up")
            return try await running.get("/metrics").body
        }
        let theirs = try await Self.blackboxPage(of: url + "/page", folder, authority)
        let (our, their) = (Self.families(ours), Self.families(theirs))
        #expect(their.count >= 18)
        for (name, family) in their {
            #expect(our[name]?.head == family.head, "\(name)")
            // The target is told apart by labels of ours.
            #expect(our[name]?.labels.subtracting(["target_id", "target", "instance", "region"]) == family.labels, "\(name)")
        }
        for name in ["probe_ssl_last_chain_info", "probe_tls_version_info", "probe_http_status_code", "probe_ip_addr_hash"] {
            let value = { (page: String) in Self.lines(page, name).first?.split(separator: " ").last.flatMap { Double($0) } }
            #expect(value(ours) == value(theirs), "\(name)")
        }
        let info = try #require(Self.lines(theirs, "probe_ssl_last_chain_info").first).split(separator: "{")[1]
        #expect(Self.lines(ours, "probe_ssl_last_chain_info").first?.contains(info) == true)
    }

    private static func families(_ page: String) -> [String: (head: [Substring], labels: Set<String>)] {
        var found: [String: (head: [Substring], labels: Set<String>)] = [:]
        for line in page.split(separator: "\n") {
            if line.hasPrefix("# ") {
                found[String(line.split(separator: " ")[2]), default: ([], [])].head.append(line)
            } else {
                let labels = line.matches(of: /[{,]([a-z_0-9]+)="/).map { String($0.1) }
                found[String(line.prefix { $0 != "{" && $0 != " " }), default: ([], [])].labels.formUnion(labels)
            }
        }
        return found
    }

    private static func blackboxPage(of url: String, _ folder: TemporaryFolder, _ authority: TestAuthority) async throws -> String
    {
        let port = try freePort()
        let file = try folder.write(
            """
            modules:
              m: {prober: http, timeout: 5s, http: {preferred_ip_protocol: ip4, tls_config: {ca_file: \(authority.bundle)}}}
            """, to: "blackbox.yml")
        let process = try ChildProcess(
            blackbox, ["--config.file=\(file)", "--web.listen-address=127.0.0.1:\(port)"], errors: .withOutput)
        defer { process.end() }
        var said = ""
        while !said.contains("TLS is disabled") {
            guard let more = try await onThread({ process.readOutput() }) else { throw SupportError(said) }
            said += String(decoding: more, as: UTF8.self)
        }
        let engine = try TransferEngine()
        var request = TransferRequest(url: try #require(URLParts("http://127.0.0.1:\(port)/probe?module=m&target=\(url)")))
        request.keepBody = 1 << 20
        let report = await engine.transfer(request)
        await engine.shutDown()
        #expect(report.status == 200)
        return String(decoding: report.body, as: UTF8.self)
    }
}
