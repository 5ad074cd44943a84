import Health
import Testing

@testable import Exposition

@Suite struct TargetSeriesTests {
    private func values(_ series: TargetSeries, _ name: String) -> [String] {
        series.lines().filter { $0.hasPrefix(name + "{") }.map { String($0.split(separator: " ").last ?? "") }
    }

    @Test func hasNoProbeSeriesBeforeTheFirstResult() {
        let series = Samples.series([Samples.target("t1")])
        #expect(!series.lines().contains { $0.hasPrefix("probe_") })
        #expect(values(series, "rangefinder_target_status_code") == ["0"])
    }

    @Test func exactlyOneStatusIsOne() {
        let series = Samples.series([Samples.target("t1")])
        series.see([Samples.bad("t1"), Samples.bad("t1"), Samples.bad("t1")])
        #expect(values(series, "rangefinder_target_status") == ["0", "0", "0", "1"])
        #expect(values(series, "rangefinder_target_consecutive_failures") == ["3"])
    }

    @Test func aVoidResultOnlyCounts() {
        let series = Samples.series([Samples.target("t1")])
        let judge = series.see([Samples.good("t1")])
        let before = series.lines().filter { !$0.contains("result=\"void\"") }
        var later = judge
        let judgement = later.judge(Samples.void("t1"), policy: ProbePolicy())
        series.record(Samples.void("t1"), judgement, judge: later)
        #expect(series.lines().filter { !$0.contains("result=\"void\"") } == before)
        #expect(values(series, "rangefinder_target_probes_total") == ["1", "0", "1"])
    }

    @Test func theReasonIsPresentOnlyWhileTheLastProbeWasBad() {
        let series = Samples.series([Samples.target("t1")])
        series.see([Samples.bad("t1", .timeout)])
        #expect(series.lines().contains { $0.contains("reason=\"timeout\"} 1") })
        series.see([Samples.bad("t1", .dnsFailed)])
        #expect(!series.lines().contains { $0.contains("reason=\"timeout\"") })
        series.see([Samples.good("t1")])
        #expect(values(series, "rangefinder_target_failure_reason").isEmpty)
    }

    @Test func theCauseIsThatOfTheStatus() {
        let series = Samples.series([Samples.target("t1")])
        var slow = Samples.good("t1")
        slow.outcome = .poor(.slow)
        series.see([slow])
        #expect(series.lines().contains { $0.hasPrefix("rangefinder_target_degraded_cause") && $0.contains("\"slow\"} 1") })
        #expect(values(series, "probe_success") == ["1"])
    }

    @Test func aFailureLeavesNothingOfTheAnswerBeforeIt() {
        let series = Samples.series([Samples.target("t1")])
        series.see([Samples.good("t1"), Samples.bad("t1")])
        #expect(values(series, "probe_http_status_code") == ["0"])
        #expect(values(series, "probe_http_version") == ["0"])
        #expect(values(series, "probe_ssl_earliest_cert_expiry").isEmpty)
        #expect(values(series, "probe_ssl_last_chain_expiry_timestamp_seconds").isEmpty)
        #expect(values(series, "probe_ssl_last_chain_info").isEmpty)
        #expect(values(series, "probe_tls_version_info").isEmpty)
        #expect(values(series, "probe_tls_cipher_info").isEmpty)
        #expect(values(series, "probe_http_last_modified_timestamp_seconds").isEmpty)
    }

    @Test(arguments: TLSVersion.allCases) func everyVersionOfTLSIsOnThePage(_ version: TLSVersion) {
        let series = Samples.series([Samples.target("t1")])
        var result = Samples.good("t1")
        result.facts.tlsVersion = version
        series.see([result])
        let lines = series.lines().filter { $0.hasPrefix("probe_tls_version_info{") }
        #expect(lines.count == 1 && lines[0].contains("version=\"\(version.rawValue)\"} 1"))
    }

    @Test func aNewCertificateAndANewCipherReplaceTheOldOnes() {
        let series = Samples.series([Samples.target("t1")])
        var renewed = Samples.good("t1")
        renewed.facts.leaf = LeafCertificate(fingerprint: [0xab]) { .init(subject: "CN=new", issuer: "CN=a", hosts: []) }
        renewed.facts.tlsCipher = "TLS_CHACHA20_POLY1305_SHA256"
        series.see([Samples.good("t1"), renewed])
        let lines = series.lines().filter { $0.hasPrefix("probe_ssl_last_chain_info{") || $0.hasPrefix("probe_tls_cipher_info{") }
        #expect(lines.count == 2)
        #expect(lines[0].contains(#",fingerprint_sha256="ab",issuer="CN=a",subject="CN=new",subjectalternative=""} 1"#))
        #expect(lines[1].contains(#",cipher="TLS_CHACHA20_POLY1305_SHA256"} 1"#))
    }

    @Test func aCertificateIsShownAfterTheListHasChangedAndGoesWithTheAnswer() {
        let series = Samples.series([Samples.target("t1")])
        series.see([Samples.good("t1")])
        series.replace([Samples.target("t0"), Samples.target("t1")])
        #expect(values(series, "probe_ssl_last_chain_info") == ["1"])
        series.see([Samples.bad("t1")])
        #expect(values(series, "probe_ssl_last_chain_info").isEmpty)
    }

    /// Those of blackbox_exporter for the same addresses.
    @Test(arguments: [("127.0.0.1", 3_668_918_509), ("::ffff:127.0.0.1", 3_668_918_509), ("", 0)])
    func anAddressHasTheHashThatBlackboxExporterGivesIt(address: String, hash: Double) {
        #expect(addressHash(address) == hash)
    }

    @Test func aPatternThatDidNotMatchIsSaid() {
        let series = Samples.series([Samples.target("t1")])
        var mismatch = Samples.good("t1")
        (mismatch.outcome, mismatch.facts.failedPattern) = (.bad(.bodyMismatch), true)
        series.see([mismatch])
        #expect(values(series, "probe_failed_due_to_regex") == ["1"])
        series.see([Samples.good("t1")])
        #expect(values(series, "probe_failed_due_to_regex") == ["0"])
    }

    @Test func aNameThatDoesNotResolveHasOnlyThatPhase() {
        let series = Samples.series([Samples.target("t1")])
        var result = Samples.bad("t1", .dnsFailed)
        result.facts.address = nil
        series.see([result])
        #expect(values(series, "probe_http_duration_seconds") == ["0.001"])
        #expect(values(series, "probe_ip_protocol") == ["0"])
    }

    @Test func aRemovedTargetVanishesAtOnceAndComesBackEmpty() {
        let series = Samples.series([Samples.target("t1"), Samples.target("t2")])
        series.see([Samples.good("t1")])
        series.replace([Samples.target("t2")])
        #expect(!series.lines().contains { $0.contains("\"t1\"") })
        series.see([Samples.good("t1")])
        #expect(!series.lines().contains { $0.contains("\"t1\"") })
        series.replace([Samples.target("t1"), Samples.target("t2")])
        #expect(values(series, "probe_success").isEmpty)
    }

    @Test func anUpdatedTargetKeepsItsValuesUnderItsNewLabels() {
        let series = Samples.series([Samples.target("t0"), Samples.target("t1")])
        series.see([Samples.good("t1")])
        series.replace([Samples.target("t1", name: "Renamed"), Samples.target("t0")])
        #expect(
            series.lines().first == "probe_success{target_id=\"t1\",target=\"Renamed\","
                + "instance=\"https://api.example/health\",region=\"us-east-1\"} 1"
        )
        #expect(values(series, "rangefinder_target_probes_total") == ["1", "0", "0", "0", "0", "0"])
    }

    @Test func aRestoredStatusShowsBeforeTheFirstProbe() {
        let series = Samples.series([Samples.target("t1")])
        let judge = Judge(status: .down, streaks: Streaks(bad: 7))
        series.restore(TargetIdentity(clientID: "c1", key: "t1"), judge: judge)
        #expect(values(series, "rangefinder_target_status_code") == ["3"])
        #expect(values(series, "rangefinder_target_consecutive_failures") == ["7"])
        #expect(values(series, "probe_success").isEmpty)
    }

    @Test func essentialLeavesTheSevenNamesOfTheContract() {
        let series = Samples.series([Samples.target("t1")], perTarget: .essential)
        series.see([Samples.good("t1")])
        #expect(
            series.lines().map { $0.prefix { $0 != "{" } } == [
                "probe_success", "probe_duration_seconds", "probe_http_status_code",
                "probe_ssl_last_chain_expiry_timestamp_seconds", "rangefinder_target_status_code",
                "rangefinder_target_last_probe_timestamp_seconds", "rangefinder_target_interval_seconds",
            ])
    }

    @Test func noneLeavesOnlyTheDaemonsOwn() {
        let series = Samples.series([Samples.target("t1")], perTarget: .none)
        series.see([Samples.good("t1")])
        #expect(series.lines().isEmpty)
        #expect(series.page().contains("rangefinder_build_info{version=\"0.1.0\"} 1\n"))
    }

    @Test func aReloadChangesLabelsAndDetailAndKeepsValues() {
        let series = Samples.series([Samples.target("t1")])
        series.see([Samples.good("t1")])
        series.configure(perTarget: .essential, withClientID: true)
        #expect(series.lines().count == 7)
        #expect(series.lines().allSatisfy { $0.contains(",client_id=\"c1\"}") })
        #expect(values(series, "probe_success") == ["1"])
    }
}

@Suite struct SelectionTests {
    private let series: TargetSeries = {
        let series = TargetSeries(withClientID: true)
        series.replace(
            (0..<50).map { Samples.target("t\($0)", client: $0 % 2 == 0 ? "c1" : "c2", region: $0 < 10 ? "eu" : "us") })
        return series
    }()

    private func ids(_ selection: MetricsSelection) -> [String] {
        series.lines(selection).filter { $0.hasPrefix("rangefinder_target_status_code") }
    }

    @Test func selectsByClientAndRegion() {
        #expect(ids(MetricsSelection(clientID: "c1")).count == 25)
        #expect(ids(MetricsSelection(region: "eu")).count == 10)
        #expect(ids(MetricsSelection(clientID: "c2", region: "eu")).count == 5)
        #expect(ids(MetricsSelection(clientID: "nobody")).isEmpty)
    }

    @Test func shardsPartTheTargets() throws {
        let parts = try (1...3).map { number in
            let shard: Shard = try #require(Shard(index: number, count: 3))
            return ids(MetricsSelection(shard: shard))
        }
        #expect(parts.allSatisfy { !$0.isEmpty })
        #expect(parts.flatMap { $0 }.sorted() == ids(MetricsSelection()).sorted())
        let first = TargetIdentity(clientID: "c1", key: "t0")
        #expect(parts[Int(stableHash(first) % 3)].contains { $0.contains("\"t0\"") })
    }
}
