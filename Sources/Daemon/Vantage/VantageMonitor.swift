import Alerting
import Curl
import Exposition
import Health
import Logging
import Scheduling

/// Tells the judge of the vantage what no result tells, and everybody what the judge holds: the alert, the metric, the log. What a doubt held is
/// probed when it is over.
struct VantageMonitor: Sendable {
    /// Where nothing answers at all and no doubt arises, that is how it is.
    private static let settlesWithin: Duration = .seconds(60)
    private static let witnessesMax = 3
    private static let networksInterval: Duration = .seconds(30)

    let registry: TargetRegistry
    let alerter: Alerter
    let metrics: DaemonMetrics
    let scheduler: Scheduler<EngineClock>
    let logger: Logger
    let startedAt: Timestamp
    let fastInterval: @Sendable () -> Duration

    /// What is known from one check to the next.
    struct Memory {
        var isInDoubt = false
        var trustedSince: ContinuousClock.Instant?
        var witnessesAskedAt: ContinuousClock.Instant?
        var networksReadAt: ContinuousClock.Instant?
    }

    func check(_ memory: inout Memory) {
        let now = ContinuousClock.now
        let (troubles, networks) = (troubles, networks(&memory, at: now))
        let standing = registry.judgeVantage { judge in
            if let networks { judge.ownNetworks = networks }
            judge.note(troubles: troubles, at: now)
        }
        alerter.trust(standing)
        metrics.setVantageHealthy(standing.doubt == nil)
        announce(standing, &memory, at: .now())
        probeAtOnce(standing, &memory, at: now)
    }

    /// An address may come after the start. nil when they were read a moment ago.
    private func networks(_ memory: inout Memory, at now: ContinuousClock.Instant) -> Set<CIDR>? {
        guard memory.networksReadAt.map({ $0.duration(to: now) > Self.networksInterval }) ?? true else { return nil }
        memory.networksReadAt = now
        return ownNetworks()
    }

    private var troubles: [String] {
        let unseen = registry.unseen(forIntervals: 1, now: .now)
        return unseen > 0 ? ["\(counted(unseen, "target has", "targets have")) had none but void results for an interval"] : []
    }

    private func announce(_ standing: VantageJudge.Standing, _ memory: inout Memory, at wall: Timestamp) {
        let sentence = standing.doubt?.cause.sentence ?? ""
        alerter.set(
            .vantageUnhealthy, isFiring: isDoubtful(standing, at: wall), at: wall,
            summary: "Rangefinder can't trust what it sees",
            description:
                "\(sentence): the daemon's own place may be what fails. Targets that go down meanwhile are announced later.")
        guard (standing.doubt != nil) != memory.isInDoubt else { return }
        memory.isInDoubt = standing.doubt != nil
        if memory.isInDoubt {
            logger.error("the vantage is unhealthy: \(sentence); targets that go down meanwhile are not announced yet")
        } else {
            logger.notice("the vantage is healthy again")
        }
    }

    /// nil as long as nothing has been seen: a doubt of an earlier life isn't over because this one has just begun.
    private func isDoubtful(_ standing: VantageJudge.Standing, at wall: Timestamp) -> Bool? {
        if standing.doubt != nil { return true }
        return standing.isSettled || wall - startedAt > Self.settlesWithin ? false : nil
    }

    /// Targets that a doubt held are judged by their next result. Where a suspicion holds an alert, or may hold one soon, some targets of the
    /// same class are probed: nobody waits until it is their turn.
    private func probeAtOnce(_ standing: VantageJudge.Standing, _ memory: inout Memory, at now: ContinuousClock.Instant) {
        if standing.trustedSince != memory.trustedSince { probeAtOnce(alerter.heldWithoutDoubt) }
        memory.trustedSince = standing.trustedSince
        let pause = fastInterval()
        guard memory.witnessesAskedAt.map({ $0.duration(to: now) >= pause }) ?? true else { return }
        let lasting = standing.suspicions.filter { $0.value.duration(to: now) >= pause }
        let suspected = alerter.suspectedClasses.union(lasting.keys)
        guard !suspected.isEmpty else { return }
        memory.witnessesAskedAt = now
        probeAtOnce(registry.witnesses(of: suspected, atMost: Self.witnessesMax))
    }

    private func probeAtOnce(_ targets: some Sequence<TargetIdentity>) {
        for target in targets {
            guard let policy = registry.policy(of: target) else { continue }
            scheduler.set(target, ProbeInterval(policy), atOnce: true)
            // It went meanwhile.
            if !registry.watches(target) { scheduler.remove(target) }
        }
    }
}
