import Curl
import Exposition
import Health
import Scheduling
import Settings

/// Tells the service manager when the daemon is ready, how it is, and that it goes on: by what the scheduler has done, and not by a timer.
struct ServiceReport: Sendable {
    /// Probing goes on: the loop of each lane has turned since the last look, and fewer than half of the targets are overdue by three of their intervals, or
    /// a probe has come to its end within the time that one may take: a daemon that has too much to do isn't cured by another start. Without
    /// targets there are the turns.
    struct Progress {
        private var turns: [Int] = []
        private var ended = 0
        private var endedAt: Duration?

        /// - Parameters:
        ///   - longest: what one probe may take.
        ///   - now: of a clock that only goes on.
        mutating func check(
            turns: [Int], ended: Int, overdue: Int, of targets: Int, longest: Duration, now: Duration
        ) -> Bool {
            let isStuck = endedAt.map { ended == self.ended && now - $0 >= longest } ?? false
            if endedAt == nil || ended != self.ended { endedAt = now }
            defer { (self.turns, self.ended) = (turns, ended) }
            let haveTurned = turns.count != self.turns.count || zip(turns, self.turns).allSatisfy { $0 != $1 }
            return haveTurned && (overdue == 0 || 2 * overdue < targets || !isStuck)
        }
    }

    private static let statusEvery: Duration = .seconds(5)

    let manager: ServiceManager
    let status: DaemonStatus
    let scheduler: Scheduler<EngineClock>
    let registry: TargetRegistry
    let settings: @Sendable () -> Settings
    private let began = ContinuousClock.now

    init(
        manager: ServiceManager, status: DaemonStatus, scheduler: Scheduler<EngineClock>, registry: TargetRegistry,
        settings: @escaping @Sendable () -> Settings
    ) {
        (self.manager, self.status, self.scheduler, self.registry) = (manager, status, scheduler, registry)
        self.settings = settings
    }

    /// Until its task is cancelled, which is when the daemon begins to stop.
    func run() async {
        var (progress, isReady, lastStatus) = (Progress(), false, "")
        var (pingedAt, statedAt): (ContinuousClock.Instant?, ContinuousClock.Instant?)
        let pingEvery = manager.watchdog.map { $0 / 4 }
        while !Task.isCancelled {
            let now = ContinuousClock.now
            if !isReady, await status.hasStarted {
                // Until it is taken.
                isReady = manager.tell(.ready)
            }
            if let pingEvery, pingedAt.map({ $0.duration(to: now) >= pingEvery }) ?? true {
                // Not before it is due, because each look wants a turn since the last.
                if isProgressing(&progress) { manager.tell(.watchdog) }
                // Every lane can have turned by the next look.
                scheduler.turnAll()
                pingedAt = now
            }
            if statedAt.map({ $0.duration(to: now) >= Self.statusEvery }) ?? true {
                let summary = await status.summary
                if summary != lastStatus { manager.tell(.status(summary)) }
                (lastStatus, statedAt) = (summary, now)
            }
            let due = [pingEvery.flatMap { pingedAt?.advanced(by: $0) }, statedAt?.advanced(by: Self.statusEvery)]
            let next = isReady ? due.compactMap(\.self).min() : nil
            do { try await Task.sleep(until: next ?? now.advanced(by: .milliseconds(50)), clock: .continuous) } catch { break }
        }
        manager.tell(.stopping)
    }

    private func isProgressing(_ progress: inout Progress) -> Bool {
        let settings = settings()
        let timeouts = [settings.probe.timeout] + settings.overrides.map(\.policy.timeout)
        return progress.check(
            turns: scheduler.turns, ended: scheduler.ended, overdue: scheduler.overdue(byIntervals: Judge.intervalsTolerated),
            of: registry.count,
            // With the check of the other addresses, which may take as long again.
            longest: (timeouts.max() ?? .zero) * 2, now: began.duration(to: .now))
    }
}
