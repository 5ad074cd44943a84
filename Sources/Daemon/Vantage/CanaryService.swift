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
    let attention: Attention
    /// Failures that begin within this time are one question to the canaries.
    let fastInterval: @Sendable () -> Duration

    /// Whether the canaries are to be asked now: then it is noted that they were.
    func areDue(_ askedAt: inout ContinuousClock.Instant?, at now: ContinuousClock.Instant) -> Bool {
        guard canaries.count >= VantageJudge.canariesMin, nextDue(askedAt).map({ $0 <= now }) ?? true else { return false }
        askedAt = now
        return true
    }

    /// When they are to be asked next; nil when they have not been asked yet, or there are none.
    func nextDue(_ askedAt: ContinuousClock.Instant?) -> ContinuousClock.Instant? {
        let standing = registry.standing
        let pause = standing.wantsCanaries ? fastInterval() : standing.doubt != nil ? Self.timeout : Self.interval
        return askedAt.map { $0.advanced(by: pause) }
    }

    func ask() async {
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
        let wasDoubtful = registry.standing.doubt != nil
        let standing = registry.judgeVantage { judge in
            judge.note(canariesAskedAt: askedAt, wall, failed: failed, of: canaries.count)
            judge.weigh(at: .now)
        }
        alerter.trust(standing)
        // The alert, the metric and the log follow at the next look.
        if (standing.doubt != nil) != wasDoubtful { attention.raise() }
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
