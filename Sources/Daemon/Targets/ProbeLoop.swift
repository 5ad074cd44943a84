import Exposition
import Health
import Probing
import Scheduling

/// What happens with each probe that falls due: order, probe, judge, and tell those who follow targets.
struct ProbeLoop: Sendable {
    let registry: TargetRegistry
    let followers: TargetFollowers
    let metrics: DaemonMetrics
    /// One for each lane.
    let probers: [Prober]

    func probe(_ identity: TargetIdentity, due: ContinuousClock.Instant, isRecheck: Bool, lane: Int) async -> ProbeEnd<
        ContinuousClock.Instant
    > {
        guard let (order, registration) = registry.order(identity, due: due, isRecheck: isRecheck) else {
            return ProbeEnd(startedAt: nil, wantsRecheck: false)
        }
        metrics.probeStarted()
        return end(await probers[lane].probe(order), of: registration)
    }

    /// Not within the frame of a probe that waits for its answer: there are many at a time, and each would keep room for this.
    @inline(never)
    private func end(_ report: ProbeReport, of registration: Registration) -> ProbeEnd<ContinuousClock.Instant> {
        // A probe that was cancelled because the daemon stops is no result of anything.
        let isStopped = Task.isCancelled && report.result.void == .cancelled
        guard !isStopped, let (judged, change) = registry.judge(report, of: registration) else {
            metrics.probeEnded()
            return ProbeEnd(startedAt: report.startedAt, wantsRecheck: false)
        }
        followers.tell(change)
        return ProbeEnd(
            startedAt: report.startedAt, wantsRecheck: judged.judgement.wantsRecheck, isDown: judged.judge.status == .down)
    }
}
