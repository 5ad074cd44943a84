import Alerting
import Curl
import Health

/// Asks the canaries: from time to time, more often while there is a doubt, and as soon as a target has begun to fail.
struct CanaryService: Sendable {
    private static let interval: Duration = .seconds(30)
    private static let timeout: Duration = .seconds(5)

    let canaries: [String]
    let registry: TargetRegistry
    let alerter: Alerter
    let engine: TransferEngine
    /// Failures that begin within this time are one question to the canaries.
    let fastInterval: @Sendable () -> Duration

    /// Until the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            var askedAt: ContinuousClock.Instant?
            repeat {
                let now = ContinuousClock.now
                guard canaries.count >= VantageJudge.canariesMin, isDue(askedAt, registry.standing, at: now) else { continue }
                askedAt = now
                // A round that takes long doesn't keep the next one waiting.
                group.addTask { await ask() }
            } while await halfASecondPassed()
            group.cancelAll()
        }
    }

    private func isDue(_ askedAt: ContinuousClock.Instant?, _ standing: VantageJudge.Standing, at now: ContinuousClock.Instant)
        -> Bool
    {
        guard let askedAt else { return true }
        let pause = standing.wantsCanaries ? fastInterval() : standing.doubt != nil ? Self.timeout : Self.interval
        return askedAt.duration(to: now) >= pause
    }

    private func ask() async {
        let (askedAt, wall) = (ContinuousClock.now, Timestamp.now())
        // One that answers decides: nobody waits for the others.
        let failed = await withTaskGroup(of: Bool.self) { group in
            for canary in canaries { group.addTask { await self.fails(canary) } }
            defer { group.cancelAll() }
            var failed = 0
            for await fails in group {
                guard fails else { break }
                failed += 1
            }
            return failed
        }
        guard !Task.isCancelled else { return }
        let standing = registry.judgeVantage { judge in
            judge.note(canariesAskedAt: askedAt, wall, failed: failed, of: canaries.count)
            judge.weigh(at: .now)
        }
        alerter.trust(standing)
    }

    /// Any answer will do: the question is whether this machine reaches anything.
    private func fails(_ canary: String) async -> Bool {
        guard let url = URLParts(canary) else { return true }
        var transfer = TransferRequest(url: url)
        transfer.timeout = Self.timeout
        let report = await engine.transfer(transfer)
        // What this process was too busy to read in time says nothing against the network.
        return report.status == nil && !report.wasHeldUp
    }
}
