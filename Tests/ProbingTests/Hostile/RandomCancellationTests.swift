import Curl
import Health
import Probing
import Synchronization
import TestSupport
import Testing

extension LongRuns {
    /// Many probes, of which many are cancelled, each at a moment of its own: waiting to begin, connecting, half answered.
    @Suite struct RandomCancellationTests {
        @Test func twoHundredThousandProbesLeaveNothingBehind() async {
            await #expect(processExitsWith: .success) {
                let crowd = try Crowd()
                await crowd.probe(5000)
                try await crowd.untilQuiet()
                let before = try ProcessUse()
                await crowd.probe(200_000)
                try await crowd.untilQuiet()
                let after = try ProcessUse()
                let ends = crowd.ends.withLock { $0 }
                // A continuation that is lost would keep its probe from ending, and this test from coming here.
                #expect(ends.good + ends.cancelled == 205_000 && ends.other == [:])
                #expect(ends.good > 20_000 && ends.cancelled > 20_000)
                #expect(after.descriptors == before.descriptors)
                #expect(after.threads <= before.threads + 4)
                #expect(after.residentKibibytes - before.residentKibibytes < 30 << 10)
                await crowd.engine.shutDown()
            }
        }
    }
}

/// Two hundred at a time against one cheap server.
private final class Crowd: Sendable {
    struct Ends {
        var good = 0
        var cancelled = 0
        var other: [Reason?: Int] = [:]
    }

    static let atATime = 200
    let engine: TransferEngine
    let ends = Mutex(Ends())
    private let server: ConnectionServer
    private let prober: Prober
    private let random = Mutex(SeededGenerator(state: 20_261_124))

    init() throws {
        // No length, so that the server closes first and the client's ports are free again at once.
        server = try ConnectionServer(isInline: true) { connection in
            guard let bytes = connection.readBytes(), !bytes.isEmpty else { return }
            connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok")
        }
        let engine = try TransferEngine()
        self.engine = engine
        prober = Prober(transfer: engine.transfer(_:), wallClock: { Timestamp(milliseconds: 1) })
    }

    func untilQuiet() async throws { try await server.untilQuiet() }

    func probe(_ count: Int) async {
        await withDiscardingTaskGroup { group in
            for worker in 0..<Self.atATime {
                let share = count / Self.atATime
                group.addTask { for index in 0..<share { await self.probeOnce(worker * share + index) } }
            }
        }
    }

    private func probeOnce(_ number: Int) async {
        let order = order(number)
        let probe = Task { await self.prober.probe(order).result }
        // Two of three are cancelled, after giving way to others for as long as chance wants.
        let patience = random.withLock { Int.random(in: 0..<60, using: &$0) }
        if patience < 40 {
            for _ in 0..<patience { await Task.yield() }
            probe.cancel()
        }
        let result = await probe.value
        ends.withLock {
            switch (result.void, result.outcome) {
            case (.cancelled, _): $0.cancelled += 1
            case (nil, .good): $0.good += 1
            default: $0.other[result.outcome.reason, default: 0] += 1
            }
        }
    }

    private func order(_ number: Int) -> ProbeOrder {
        var policy = ProbePolicy(userAgent: "rangefinder/test")
        policy.timeout = .seconds(30)
        let target = Target(
            identity: TargetIdentity(clientID: "c", key: "\(number)"), name: "n", baseURL: server.url(), testPath: "/",
            region: "r")
        return ProbeOrder(target: target, policy: policy, egress: EgressRule(allow: ["127.0.0.1"].compactMap { CIDR($0) }))
    }
}
