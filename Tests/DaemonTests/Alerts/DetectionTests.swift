import Health
import Logging
import Settings
import Synchronization
import TestSupport
import Testing

@testable import Daemon

/// The promise: an outage is announced within the target's detection bound, and one that is shorter than its lower bound never is.
///
/// Two hundred outages at random moments, over real sockets: answers of 500, no answer at all, refused connections. And as many that are
/// too short to be confirmed.
@Suite(.timeLimit(.minutes(5))) struct DetectionTests {
    private struct Outage: Sendable {
        let begins: ContinuousClock.Instant
        let ends: ContinuousClock.Instant?

        func isOn(_ now: ContinuousClock.Instant) -> Bool { now >= begins && ends.map { now < $0 } ?? true }
    }

    private static let (errors, silences, refusals, shorts) = (90, 90, 20, 200)

    private func settings(_ folder: TemporaryFolder, _ api: ScriptedAPI, _ receiver: AlertReceiver) -> Settings {
        var settings = testSettings(folder, api: api.server.url)
        settings.alerting.alertmanagers = [receiver.url]
        // What a re-check that waits for the budget puts off is an exception, and no part of the promise.
        settings.limits.fastBudget = 1
        (settings.probe.fastInterval, settings.probe.timeout) = (.milliseconds(500), .milliseconds(1500))
        return settings
    }

    @Test func twoHundredOutagesAreAnnouncedWithinTheirBoundsAndShortOnesNever() async throws {
        let folder = try TemporaryFolder()
        let receiver = try AlertReceiver()
        let outages = Mutex<[String: Outage]>([:])
        let server = try LoopbackServer { request in
            let key = String(request.path.dropFirst())
            guard outages.withLock({ $0[key]?.isOn(.now) ?? false }) else { return .http(200) }
            return key.hasPrefix("silence") ? .silence : .http(500)
        }
        // An address of its own, so that nobody else listens on the port of one that is gone.
        let refusing = Mutex(try (0..<Self.refusals).map { _ in try LoopbackServer(address: "127.77.0.1") { _ in .http(200) } })
        let refusingURLs = refusing.withLock { $0.map(\.url) }
        let keys =
            (0..<Self.errors).map { "error-\($0)" } + (0..<Self.silences).map { "silence-\($0)" }
            + (0..<Self.shorts).map { "short-\($0)" }
        let api = try ScriptedAPI(
            list(
                keys.map { record($0, name: $0, url: server.url, path: "/" + $0) }
                    + refusingURLs.enumerated().map { record("refusal-\($0)", name: "refusal-\($0)", url: $1) }))
        let settings = settings(folder, api, receiver)
        let policy = settings.probe
        // Shorter than the starts of `fall` probes are apart, and by more than a request may take to be seen on a busy machine.
        let short = policy.effectiveFastInterval * (policy.fall - 1) - .milliseconds(700)
        try await RunningDaemon.run(settings, level: .error) { running in
            try await server.until { Set($0.map(\.path)).count == keys.count }
            while try await running.metric("rangefinder_probes_in_flight") ?? 1 > 50 { try Task.checkCancellation() }
            var generator = SeededGenerator(state: 5)
            let start = ContinuousClock.now
            func moment() -> ContinuousClock.Instant {
                start.advanced(by: .milliseconds(Int.random(in: 0..<10_000, using: &generator)))
            }
            for key in keys {
                let begins = moment()
                outages.withLock {
                    $0[key] = Outage(begins: begins, ends: key.hasPrefix("short") ? begins.advanced(by: short) : nil)
                }
            }
            let refusedAt = ContinuousClock.now
            refusing.withLock { $0 = [] }
            let long = Set(keys.filter { !$0.hasPrefix("short") } + (0..<Self.refusals).map { "refusal-\($0)" })
            try await receiver.seen.until { seen in
                long.isSubset(of: Set(seen.filter { $0.name == "TargetDown" && $0.isFiring }.map(\.target)))
            }
            var worst = 0.0
            for (key, at) in receiver.firstFiring("TargetDown") where long.contains(key) {
                let begins = outages.withLock { $0[key]?.begins } ?? refusedAt
                worst = max(worst, begins.duration(to: at) / policy.detectionBound)
            }
            print("detection: the largest of \(long.count) was \(Int(worst * 100)) % of its bound, \(policy.detectionBound)")
            #expect(worst <= 1)
            #expect(try await running.metric("rangefinder_rechecks_deferred_total") == 0)
            // By now each of the short ones has been probed again since. What a busy machine makes a timeout of is another outage.
            let falseAlarms = receiver.seen.value.filter {
                $0.name == "TargetDown" && $0.target.hasPrefix("short") && $0.annotations["reason"] != "timeout"
            }
            #expect(falseAlarms.isEmpty)
            #expect(try await running.metric("rangefinder_vantage_healthy") == 1)
        }
    }
}
