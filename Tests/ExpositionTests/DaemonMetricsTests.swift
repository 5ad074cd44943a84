import Glibc
import Health
import Testing

@testable import Exposition

@Suite struct DaemonMetricsTests {
    private func lines(_ daemon: DaemonMetrics, _ prefix: String) -> [String] {
        let page = wholeText(MetricsPage(format: .text, targets: TargetSeries(), daemon: daemon))
        return page.split(separator: "\n").map(String.init).filter { $0.hasPrefix(prefix) }
    }

    @Test func countsProbesInFlight() {
        let daemon = Samples.daemon()
        daemon.probeStarted()
        daemon.probeStarted()
        daemon.probeEnded(Samples.good("t1"), .good)
        #expect(lines(daemon, "rangefinder_probes_in_flight") == ["rangefinder_probes_in_flight 1"])
    }

    @Test func histogramsAddUpFromBucketToBucket() {
        let daemon = Samples.daemon()
        for milliseconds in [1, 40, 40, 61_000] {
            var result = Samples.good("t1")
            result.duration = .milliseconds(milliseconds)
            daemon.probeEnded(result, .good)
        }
        let buckets = lines(daemon, "rangefinder_probe_latency_seconds")
        #expect(buckets.first == "rangefinder_probe_latency_seconds_bucket{le=\"0.001\"} 1")
        #expect(buckets.contains("rangefinder_probe_latency_seconds_bucket{le=\"0.05\"} 3"))
        #expect(buckets.contains("rangefinder_probe_latency_seconds_bucket{le=\"60.0\"} 3"))
        #expect(
            buckets.suffix(3) == [
                "rangefinder_probe_latency_seconds_bucket{le=\"+Inf\"} 4", "rangefinder_probe_latency_seconds_sum 61.081",
                "rangefinder_probe_latency_seconds_count 4",
            ])
    }

    @Test func aTaintedProbeIsLateAndNothingElse() {
        let daemon = Samples.daemon()
        daemon.probeEnded(Samples.void("t1"), .bad(.connectRefused))
        #expect(lines(daemon, "rangefinder_probes_tainted_total") == ["rangefinder_probes_tainted_total 1"])
        #expect(lines(daemon, "rangefinder_probe_lateness_seconds_count") == ["rangefinder_probe_lateness_seconds_count 1"])
        #expect(lines(daemon, "rangefinder_probe_latency_seconds_count") == ["rangefinder_probe_latency_seconds_count 0"])
        #expect(lines(daemon, "rangefinder_probe_failures_total{reason=\"connect_refused\"}").first?.hasSuffix(" 0") == true)
    }

    @Test func countsForHowLongProbesWaitedForThisProcess() {
        let daemon = Samples.daemon()
        var result = Samples.good("t1")
        result.selfDelay = .milliseconds(300)
        daemon.probeEnded(result, .good)
        let buckets = lines(daemon, "rangefinder_probe_self_delay_seconds")
        #expect(buckets.contains("rangefinder_probe_self_delay_seconds_bucket{le=\"0.25\"} 0"))
        #expect(buckets.contains("rangefinder_probe_self_delay_seconds_bucket{le=\"0.5\"} 1"))
        #expect(buckets.contains("rangefinder_probe_self_delay_seconds_sum 0.3"))
    }

    @Test func aProberFaultIsSeenThoughItIsVoid() {
        let daemon = Samples.daemon()
        daemon.probeEnded(Samples.bad("t1", .proberFault), .bad(.proberFault))
        #expect(lines(daemon, "rangefinder_probe_failures_total{reason=\"prober_fault\"}").first?.hasSuffix(" 1") == true)
    }

    @Test func tellsClientsApartOnlyWhereThereAreMore() {
        let daemon = Samples.daemon()
        daemon.syncFailed(clientID: "c1", reason: "timeout")
        daemon.setSyncHeld(true, clientID: "c1")
        #expect(
            lines(daemon, "rangefinder_sync_") == [
                "rangefinder_sync_last_success_timestamp_seconds 0", "rangefinder_sync_failures_total{reason=\"timeout\"} 1",
                "rangefinder_sync_held 1",
            ])
        daemon.setClients(["c1", "c2"])
        #expect(
            lines(daemon, "rangefinder_sync_held") == [
                "rangefinder_sync_held{client_id=\"c1\"} 1", "rangefinder_sync_held{client_id=\"c2\"} 0",
            ])
    }

    @Test func aFailedReloadKeepsTheTimeOfTheLastGoodOne() {
        let daemon = Samples.daemon()
        daemon.configurationReloaded(nil)
        #expect(
            lines(daemon, "rangefinder_config_") == [
                "rangefinder_config_last_reload_successful 0",
                "rangefinder_config_last_reload_success_timestamp_seconds 1705924800.123",
            ])
    }

    @Test func readsWhatTheKernelSaysOfTheProcess() throws {
        let reading = ProcessReading.now()
        let resident = try #require(reading.residentBytes)
        #expect(resident > 1e6)
        let virtual = try #require(reading.virtualBytes)
        #expect(virtual > resident)
        #expect(try #require(reading.cpuSeconds) > 0)
        let openFiles = try #require(reading.openFiles)
        #expect(openFiles >= 3)
        #expect(try #require(reading.maxFiles) >= openFiles)
        let started = try #require(reading.startSeconds)
        #expect(started > 1_700_000_000 && started <= Double(time(nil)) + 1)
        #expect(ProcessReading.now().startSeconds == started)
    }
}
