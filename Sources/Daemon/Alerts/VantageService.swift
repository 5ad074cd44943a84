import Alerting
import Curl
import Exposition
import Health
import History
import Logging
import Scheduling
import Settings

/// Looks some times a second at everything that alerts and doubts follow from and no result tells: canaries, own troubles, lists, windows.
final class VantageService: Sendable {
    /// A list that has not been taken over for so long is stale; longer where it is asked for seldom.
    private static let staleAfter: Duration = .seconds(600)
    /// Where nothing answers at all and no doubt arises, that is how it is.
    private static let settlesWithin: Duration = .seconds(60)
    private static let canaryInterval: Duration = .seconds(30)
    private static let witnesses = 3
    private static let networksInterval: Duration = .seconds(30)
    private static let canaryTimeout: Duration = .seconds(5)
    /// After so long without another the history no longer drops results.
    private static let calmAfter: Duration = .seconds(600)
    /// A lock of another program that passes sooner is nobody's alert.
    private static let stuckAfter: Duration = .seconds(10)

    private let daemon: Daemon
    private let canaries: [String]
    private let engine: TransferEngine

    init(_ daemon: Daemon, canaries: [String], engine: TransferEngine) {
        (self.daemon, self.canaries, self.engine) = (daemon, canaries, engine)
    }

    /// What it knows between two looks.
    private struct Memory {
        var doubt: VantageJudge.Doubt?
        var trustedSince: ContinuousClock.Instant?
        var witnessesAskedAt: ContinuousClock.Instant?
        var lookedAtNetworks: ContinuousClock.Instant?
        var canariesAskedAt: ContinuousClock.Instant?
        var clientsSince: [String: Timestamp] = [:]
        var dropped = 0
        var droppedAt: ContinuousClock.Instant?
        var troubleSince: ContinuousClock.Instant?
        var wasStuck = false
        var generation = 0
    }

    func run() async {
        var memory = Memory()
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let standing = look(&memory)
                if areCanariesDue(memory, isWanted: standing.wantsCanaries) {
                    memory.canariesAskedAt = .now
                    group.addTask { await self.askCanaries() }
                }
                do { try await Task.sleep(for: .milliseconds(500)) } catch { break }
            }
            group.cancelAll()
        }
    }

    private func look(_ memory: inout Memory) -> VantageJudge.Standing {
        let (now, wall) = (ContinuousClock.now, Timestamp.now())
        let troubles = troubles()
        let own = networks(&memory, at: now)
        let standing = daemon.watch.vantage(tell: daemon.alerter.trust(_:)) { judge in
            if let own { judge.ownNetworks = own }
            judge.note(troubles: troubles, at: now)
        }
        daemon.metrics.setVantageHealthy(standing.doubt == nil)
        say(standing, &memory, at: wall)
        hurry(standing, &memory, at: now)
        daemon.maintenance.look(at: wall)
        daemon.series.mark(held: { daemon.alerter.held }, inMaintenance: { daemon.maintenance.covered })
        lookAtLists(&memory, at: wall)
        lookAtHistory(&memory, at: now, wall)
        return standing
    }

    /// An address may come after the start. nil when it was looked a moment ago.
    private func networks(_ memory: inout Memory, at now: ContinuousClock.Instant) -> Set<CIDR>? {
        guard memory.lookedAtNetworks.map({ $0.duration(to: now) > Self.networksInterval }) ?? true else { return nil }
        memory.lookedAtNetworks = now
        return ownNetworks()
    }

    private func troubles() -> [String] {
        var found: [String] = []
        let unseen = daemon.watch.unseen(forIntervals: 1, now: .now)
        if unseen > 0 {
            found.append("\(counted(unseen, "target has", "targets have")) had none but void results for an interval")
        }
        return found
    }

    private func say(_ standing: VantageJudge.Standing, _ memory: inout Memory, at wall: Timestamp) {
        let sentence = standing.doubt?.cause.sentence ?? ""
        daemon.alerter.set(
            .vantageUnhealthy, isFiring: isDoubtful(standing, at: wall), at: wall,
            summary: "Rangefinder can't trust what it sees",
            description:
                "\(sentence): the daemon's own place may be what fails. Targets that go down meanwhile are announced later.")
        guard (standing.doubt == nil) != (memory.doubt == nil) else { return }
        memory.doubt = standing.doubt
        if standing.doubt == nil {
            daemon.logger.notice("the vantage is healthy again")
        } else {
            daemon.logger.error("the vantage is unhealthy: \(sentence); targets that go down meanwhile are not announced yet")
        }
    }

    /// What a doubt held is judged by what is seen after it. And nobody waits for others to have their turn where a suspicion holds an alert, or
    /// may soon: some of them are asked now.
    private func hurry(_ standing: VantageJudge.Standing, _ memory: inout Memory, at now: ContinuousClock.Instant) {
        if standing.trustedSince != memory.trustedSince { probeAtOnce(daemon.alerter.heldWithoutDoubt) }
        memory.trustedSince = standing.trustedSince
        let pause = daemon.roster.settings.probe.effectiveFastInterval
        guard memory.witnessesAskedAt.map({ $0.duration(to: now) >= pause }) ?? true else { return }
        let lasting = standing.suspicions.filter { $0.value.duration(to: now) >= pause }
        let suspected = daemon.alerter.suspectedClasses.union(lasting.keys)
        guard !suspected.isEmpty else { return }
        memory.witnessesAskedAt = now
        probeAtOnce(daemon.watch.witnesses(of: suspected, atMost: Self.witnesses))
    }

    private func probeAtOnce(_ targets: some Sequence<TargetIdentity>) {
        for target in targets {
            guard let policy = daemon.watch.policy(of: target) else { continue }
            daemon.scheduler.set(target, Rhythm(policy), atOnce: true)
            // It went meanwhile.
            if !daemon.watch.watches(target) { daemon.scheduler.remove(target) }
        }
    }

    /// nil as long as nothing has been seen: a doubt of an earlier life isn't over because this one has just begun.
    private func isDoubtful(_ trust: VantageJudge.Standing, at wall: Timestamp) -> Bool? {
        if trust.doubt != nil { return true }
        return trust.isSettled || wall - daemon.startedAt > Self.settlesWithin ? false : nil
    }

    private func lookAtLists(_ memory: inout Memory, at wall: Timestamp) {
        let limit = max(Self.staleAfter, daemon.syncInterval * 5)
        let syncs = daemon.metrics.syncs
        daemon.alerter.keepClients(Set(syncs.map(\.clientID)), at: wall)
        for sync in syncs {
            // Where there was none, the first look counts as one: an API that never answered is stale in its time.
            let first = memory.clientsSince[sync.clientID] ?? wall
            memory.clientsSince[sync.clientID] = first
            let last = sync.lastSuccess > Timestamp(milliseconds: 0) ? sync.lastSuccess : first
            let isOfThisLife = sync.lastSuccess > daemon.startedAt
            // A daemon that was away has not asked yet.
            let isLate = wall - last > limit && (isOfThisLife || sync.hasFailed || wall - daemon.startedAt > limit)
            daemon.alerter.set(
                .syncStale, .client(sync.clientID), isFiring: isLate ? true : isOfThisLife ? false : nil,
                at: wall,
                summary: "The target list of client \(displayText(sync.clientID)) is stale",
                description:
                    "No list could be taken over since \(last). Targets that were added or changed since are not probed as they should be."
            )
            daemon.alerter.set(
                .syncHeld, .client(sync.clientID), isFiring: sync.hasAnswered ? sync.isHeld : nil, at: wall,
                summary: "A target list of client \(displayText(sync.clientID)) is held",
                description:
                    "The last list would remove too many targets (targets_api.shrink_guard). Accept it with `rangefinder sync --accept`."
            )
        }
    }

    /// Trouble of the history is an alert of its own and no doubt: what is seen is seen, and alerts go out from memory.
    private func lookAtHistory(_ memory: inout Memory, at now: ContinuousClock.Instant, _ wall: Timestamp) {
        let statistics = daemon.history.statistics
        let dropped = statistics.dropped
        if dropped > memory.dropped { (memory.dropped, memory.droppedAt) = (dropped, now) }
        if statistics.trouble == nil { memory.troubleSince = nil } else { memory.troubleSince = memory.troubleSince ?? now }
        let isStuck = memory.troubleSince.map { $0.duration(to: now) >= Self.stuckAfter } ?? false
        memory.wasStuck = memory.wasStuck || isStuck
        let isCalm = wall - daemon.startedAt > Self.calmAfter
        let isDropping =
            memory.droppedAt.map { $0.duration(to: now) < Self.calmAfter } ?? (isCalm || memory.wasStuck ? false : nil)
        let trouble = statistics.trouble.map { "\($0)" } ?? "it could not be written for a while"
        daemon.alerter.set(
            .historyDropping, isFiring: isStuck ? true : isDropping, at: wall,
            summary: dropped > 0 ? "Rangefinder loses history" : "Rangefinder can't write its history",
            description: dropped > 0
                ? "\(counted(dropped, "result")) could not be written, and \(dropped == 1 ? "is" : "are") lost: \(trouble)."
                : "Results wait in memory, and are lost when the daemon ends or has no more room for them: \(trouble).")
        let generation = daemon.watch.historyGeneration
        if generation != memory.generation { daemon.alerter.rememberAgain(at: now, wall: wall) }
        memory.generation = generation
    }

    // MARK: Canaries

    /// From time to time, oftener while there is a doubt, and as soon as something has begun to fail: once in `probe.fast_interval` for all that
    /// begins within it.
    private func areCanariesDue(_ memory: Memory, isWanted: Bool) -> Bool {
        guard canaries.count >= VantageJudge.canariesMin else { return false }
        guard let askedAt = memory.canariesAskedAt else { return true }
        let pause =
            isWanted
            ? daemon.roster.settings.probe.effectiveFastInterval
            : memory.doubt != nil ? Self.canaryTimeout : Self.canaryInterval
        return askedAt.duration(to: .now) >= pause
    }

    private func askCanaries() async {
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
        daemon.watch.vantage(tell: daemon.alerter.trust(_:)) { judge in
            judge.note(canariesAskedAt: askedAt, wall, failed: failed, of: canaries.count)
            judge.weigh(at: .now)
        }
    }

    /// Any answer will do: what is asked is whether we reach anything.
    private func fails(_ canary: String) async -> Bool {
        guard let url = URLParts(canary) else { return true }
        var transfer = TransferRequest(url: url)
        transfer.timeout = Self.canaryTimeout
        return await engine.transfer(transfer).status == nil
    }
}
