import Health
import Probing
import Scheduling
import Synchronization
import TestSupport
import Testing
import HostileTargets

extension LongRuns {
    /// All hostileCases at once beside a thousand healthy targets, by the scheduler's own clock: five halves without hostileCases and five with.
    @Suite struct HostileBesideHealthyTests {
        @Test func healthyTargetsAreMovedNeitherInLatenessNorInLatency() async {
            await #expect(processExitsWith: .success) {
                let mixed = try MixedTargets()
                let running = Task { await mixed.run() }
                for _ in 0..<5 {
                    try await mixed.half(withHostile: false)
                    try await mixed.half(withHostile: true)
                }
                running.cancel()
                await running.value
                await mixed.hostile.close()
                let (quiet, loud) = mixed.measurements
                #expect(quiet.failures == [] && loud.failures == [])
                for (what, before, beside) in [
                    ("lateness", quiet.lateness, loud.lateness), ("latency", quiet.durations, loud.durations),
                ] {
                    let (calm, moved) = (percentile99(before), percentile99(beside))
                    let bound = max(calm * 1.5, calm + .milliseconds(2))
                    #expect(moved <= bound, "the p99 of \(what) went from \(calm) to \(moved), of \(beside.count) probes")
                }
            }
        }
    }
}

/// What healthy targets' probes came to.
private struct Measurements {
    var lateness: [Duration] = []
    var durations: [Duration] = []
    var failures: [String] = []
}

/// A thousand healthy targets and the hostile targets, on two lanes.
private final class MixedTargets: Sendable {
    private struct State {
        var isLoud = false
        var quiet = Measurements()
        var loud = Measurements()
    }

    static let healthyCount = 1000
    static let rhythm = ProbeInterval(interval: .seconds(5), fastInterval: .seconds(5))
    let hostile: OpenHostileTargets
    private let servers: [ConnectionServer]
    private let scheduler = Scheduler(
        threads: (0..<2).map { _ in LaneThread(clock: ContinuousClock()) }, origin: .now, maxInFlight: 10_000, fastBudget: 0.2)
    private let state = Mutex(State())
    private let arrived = Watched(0)

    init() throws {
        hostile = try OpenHostileTargets(HostileTargets.hostileCases)
        // One thread each, as cheap as a server can be: the machine is the probes'.
        servers = try (0..<4).map { _ in try ConnectionServer(isInline: true) { $0.answer() } }
    }

    var measurements: (quiet: Measurements, loud: Measurements) { state.withLock { ($0.quiet, $0.loud) } }

    func run() async {
        for index in 0..<Self.healthyCount { scheduler.set(healthy(index), Self.rhythm, lane: index % 2) }
        await scheduler.run { identity, due, _, lane in
            identity.clientID == "hostile"
                ? await self.probeHostile(identity, due) : await self.probeHealthy(identity, due, lane)
        }
    }

    /// Lasts until every healthy target was probed twice.
    func half(withHostile isLoud: Bool) async throws {
        state.withLock { $0.isLoud = isLoud }
        for index in hostile.cases.indices {
            if isLoud { scheduler.set(hostileCase(index), Self.rhythm) } else { scheduler.remove(hostileCase(index)) }
        }
        let wanted = arrived.value + 2 * Self.healthyCount
        try await arrived.until { $0 >= wanted }
    }

    private func healthy(_ index: Int) -> TargetIdentity { TargetIdentity(clientID: "healthy", key: "\(index)") }
    private func hostileCase(_ index: Int) -> TargetIdentity { TargetIdentity(clientID: "hostile", key: "\(index)") }

    private func probeHostile(
        _ identity: TargetIdentity, _ due: ContinuousClock.Instant
    ) async -> ProbeEnd<ContinuousClock.Instant> {
        let report = await hostile.probe(hostile.cases[Int(identity.key) ?? 0], due: due)
        return ProbeEnd(startedAt: report.startedAt, wantsRecheck: false)
    }

    private func probeHealthy(
        _ identity: TargetIdentity, _ due: ContinuousClock.Instant, _ lane: Int
    ) async -> ProbeEnd<ContinuousClock.Instant> {
        let isLoud = state.withLock { $0.isLoud }
        let server = servers[(Int(identity.key) ?? 0) % servers.count]
        let target = Target(identity: identity, name: "n", baseURL: server.url(), testPath: "/", region: "r")
        let report = await hostile.probers[lane].probe(
            ProbeOrder(
                target: target, policy: ProbePolicy(userAgent: "rangefinder/test"), egress: HostileTargets.egress, due: due))
        if report.result.void != .cancelled { record(report.result, isLoud) }
        return ProbeEnd(startedAt: report.startedAt, wantsRecheck: false)
    }

    private func record(_ result: ProbeResult, _ isLoud: Bool) {
        state.withLock { state in
            func add(to measurements: inout Measurements) {
                measurements.lateness.append(result.lateness)
                measurements.durations.append(result.duration)
                if result.outcome != .good { measurements.failures.append(result.sentence) }
            }
            if isLoud { add(to: &state.loud) } else { add(to: &state.quiet) }
        }
        arrived.change { $0 += 1 }
    }
}

private func percentile99(_ values: [Duration]) -> Duration {
    values.isEmpty ? .zero : values.sorted()[values.count * 99 / 100]
}
