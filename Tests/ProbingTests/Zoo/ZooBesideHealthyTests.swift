import Health
import Probing
import Scheduling
import Synchronization
import TestSupport
import Testing
import Zoo

extension LongRuns {
    /// All beasts at once beside a thousand healthy targets, by the scheduler's own clock: five halves without beasts and five with.
    @Suite struct ZooBesideHealthyTests {
        @Test func healthyTargetsAreMovedNeitherInLatenessNorInLatency() async {
            await #expect(processExitsWith: .success) {
                let park = try Park()
                let running = Task { await park.run() }
                for _ in 0..<5 {
                    try await park.half(withBeasts: false)
                    try await park.half(withBeasts: true)
                }
                running.cancel()
                await running.value
                await park.zoo.close()
                let (quiet, loud) = park.measurements
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

/// A thousand healthy targets and a zoo, on one engine and one scheduler.
private final class Park: Sendable {
    private struct State {
        var isLoud = false
        var quiet = Measurements()
        var loud = Measurements()
    }

    static let healthyCount = 1000
    static let rhythm = Rhythm(interval: .seconds(5), fastInterval: .seconds(5))
    let zoo: OpenZoo
    private let servers: [ConnectionServer]
    private let scheduler = Scheduler(clock: ContinuousClock(), origin: .now, maxInFlight: 10_000, fastBudget: 0.2)
    private let state = Mutex(State())
    private let arrived = Watched(0)

    init() throws {
        zoo = try OpenZoo(Zoo.beasts)
        // One thread each, as cheap as a server can be: the machine is the probes'.
        servers = try (0..<4).map { _ in try ConnectionServer(isInline: true) { $0.answer() } }
    }

    var measurements: (quiet: Measurements, loud: Measurements) { state.withLock { ($0.quiet, $0.loud) } }

    func run() async {
        for index in 0..<Self.healthyCount { scheduler.set(healthy(index), Self.rhythm) }
        await scheduler.run { identity, due, _ in
            identity.clientID == "zoo" ? await self.probeBeast(identity, due) : await self.probeHealthy(identity, due)
        }
    }

    /// Lasts until every healthy target was probed twice.
    func half(withBeasts isLoud: Bool) async throws {
        state.withLock { $0.isLoud = isLoud }
        for index in zoo.enclosures.indices {
            if isLoud { scheduler.set(beast(index), Self.rhythm) } else { scheduler.remove(beast(index)) }
        }
        let wanted = arrived.value + 2 * Self.healthyCount
        try await arrived.until { $0 >= wanted }
    }

    private func healthy(_ index: Int) -> TargetIdentity { TargetIdentity(clientID: "healthy", key: "\(index)") }
    private func beast(_ index: Int) -> TargetIdentity { TargetIdentity(clientID: "zoo", key: "\(index)") }

    private func probeBeast(
        _ identity: TargetIdentity, _ due: ContinuousClock.Instant
    ) async -> ProbeEnd<ContinuousClock.Instant> {
        let report = await zoo.probe(zoo.enclosures[Int(identity.key) ?? 0], due: due)
        return ProbeEnd(startedAt: report.startedAt, wantsRecheck: false)
    }

    private func probeHealthy(
        _ identity: TargetIdentity, _ due: ContinuousClock.Instant
    ) async -> ProbeEnd<ContinuousClock.Instant> {
        let isLoud = state.withLock { $0.isLoud }
        let server = servers[(Int(identity.key) ?? 0) % servers.count]
        let target = Target(identity: identity, name: "n", baseURL: server.url(), testPath: "/", region: "r")
        let report = await zoo.prober.probe(
            ProbeOrder(target: target, policy: ProbePolicy(userAgent: "rangefinder/test"), egress: Zoo.egress, due: due))
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
