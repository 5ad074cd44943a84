import Curl
import Health
import Probing
import Scheduling
import Synchronization
import TestSupport
import Testing

extension LongRuns {
    @Suite struct LaneRunTests {
        @Test func twoHundredThousandProbesOnTwoLanesLeaveNothingBehind() async {
            await #expect(processExitsWith: .success) { try await LaneRun().run(probes: 200_000) }
        }
    }
}

@Suite(.timeLimit(.minutes(5))) struct LaneTests {
    @Test func aTargetHasOneProbeAtATimeWhileListsAndLanesChange() async throws {
        try await LaneRun().run(probes: 4000)
    }
}

/// Targets on two lanes that come, go, move and change their rhythm at random while they are probed, and whose probes are cancelled at random.
private final class LaneRun: Sendable {
    private struct State {
        var random = SeededGenerator(state: 20_261_130)
        /// Of each target, the probes that run now.
        var running: [TargetIdentity: Int] = [:]
        var together = 0
        var ends = (good: 0, cancelled: 0, other: 0)
        var lanes: Set<Int> = []
    }

    private static let targets = 300
    /// These never go. One that goes and comes again is another one to the schedule, and its old probe may still run.
    private static let lasting = 200
    private static let rhythms = [20, 40, 80].map {
        ProbeInterval(interval: .milliseconds($0), fastInterval: .milliseconds(10))
    }
    private let server: ConnectionServer
    private let engines: [TransferEngine]
    private let probers: [Prober]
    private let scheduler: Scheduler<EngineClock>
    private let state = Mutex(State())
    private let ended = Watched(0)

    init() throws {
        // No length, so that the server closes first and the client's ports are free again at once.
        server = try ConnectionServer(isInline: true) { connection in
            guard let bytes = connection.readBytes(), !bytes.isEmpty else { return }
            connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok")
        }
        let (names, authorities) = (NameResolver(), Authorities())
        engines = try (0..<2).map { _ in try TransferEngine(resolver: names, authorities: authorities) }
        probers = engines.map { Prober(transfer: $0.transfer(_:), wallClock: { Timestamp(milliseconds: 1) }) }
        scheduler = Scheduler(
            threads: engines.map { engine in
                LaneThread(clock: EngineClock(engine), executor: engine.executor) {
                    LaneLoad(busy: engine.load.busy, lag: engine.load.lag, waiting: engine.load.waiting)
                }
            },
            origin: .now, maxInFlight: 500, fastBudget: 0.2)
    }

    func run(probes: Int) async throws {
        for number in 0..<Self.targets { change(number) }
        let running = Task { await scheduler.run { await self.probe($0, due: $1, lane: $3) } }
        let changing = Task {
            while !Task.isCancelled {
                change(state.withLock { Int.random(in: 0..<Self.targets, using: &$0.random) })
                await Task.yield()
            }
        }
        try await ended.until { $0 >= probes }
        changing.cancel()
        await changing.value
        running.cancel()
        await running.value
        for engine in engines { await engine.shutDown() }
        try await server.untilQuiet()
        let found = state.withLock { $0 }
        #expect(found.together == 0)
        #expect(found.running.isEmpty)
        #expect(scheduler.inFlight == 0)
        #expect(found.lanes == [0, 1])
        #expect(found.ends.other == 0 && found.ends.good > probes / 4 && found.ends.cancelled > 0)
    }

    private func target(_ number: Int) -> TargetIdentity { TargetIdentity(clientID: "c", key: "\(number)") }

    /// What a list or a reload may do to a target.
    private func change(_ number: Int) {
        let (what, rhythm, lane) = state.withLock { state in
            (
                Int.random(in: 0..<8, using: &state.random), Int.random(in: 0..<Self.rhythms.count, using: &state.random),
                Int.random(in: 0..<2, using: &state.random)
            )
        }
        switch what {
        case 0 where number >= Self.lasting: scheduler.remove(target(number))
        case 1: scheduler.move(target(number), to: lane)
        default: scheduler.set(target(number), Self.rhythms[rhythm], lane: lane, atOnce: what == 2)
        }
    }

    private func probe(_ identity: TargetIdentity, due: ContinuousClock.Instant, lane: Int) async -> ProbeEnd<
        ContinuousClock.Instant
    > {
        let patience = state.withLock { state in
            state.running[identity, default: 0] += 1
            state.lanes.insert(lane)
            return Int.random(in: 0..<40, using: &state.random)
        }
        let target = Target(identity: identity, name: "n", baseURL: server.url(), testPath: "/", region: "r")
        let order = ProbeOrder(
            target: target, policy: ProbePolicy(userAgent: "rangefinder/test"),
            egress: EgressRule(allow: ["127.0.0.1"].compactMap { CIDR($0) }))
        let probe = Task(executorPreference: engines[lane].executor) { await self.probers[lane].probe(order) }
        if patience < 20 {
            for _ in 0..<patience { await Task.yield() }
            probe.cancel()
        }
        let report = await withTaskCancellationHandler {
            await probe.value
        } onCancel: {
            probe.cancel()
        }
        end(identity, report.result)
        return ProbeEnd(startedAt: report.startedAt, wantsRecheck: patience % 10 == 0)
    }

    private func end(_ identity: TargetIdentity, _ result: ProbeResult) {
        let isLasting = Int(identity.key).map { $0 < Self.lasting } ?? false
        state.withLock { state in
            if state.running[identity, default: 0] > 1, isLasting { state.together += 1 }
            state.running[identity, default: 0] -= 1
            if state.running[identity] == 0 { state.running[identity] = nil }
            switch (result.void, result.outcome) {
            case (.cancelled, _): state.ends.cancelled += 1
            case (nil, .good): state.ends.good += 1
            default: state.ends.other += 1
            }
        }
        ended.change { $0 += 1 }
    }
}
