import Exposition
import Health
import Scheduling
import Settings
import Synchronization

/// Tells the service manager when the daemon is ready, how it is, and that it goes on: by what the scheduler has done, and not by a timer.
struct ServiceReport: Sendable {
    /// Probing goes on: the loop has turned since the last look, and fewer than half of the targets are overdue by three of their intervals, or
    /// a probe has come to its end within the time that one may take: a daemon that has too much to do isn't cured by another start. Without
    /// targets there are the turns.
    struct Progress {
        private var (turns, ended) = (-1, 0)
        private var endedAt: Duration?

        /// - Parameters:
        ///   - longest: what one probe may take.
        ///   - now: of a clock that only goes on.
        mutating func look(
            turns: Int, ended: Int, overdue: Int, of targets: Int, longest: Duration, now: Duration
        ) -> Bool {
            let isStuck = endedAt.map { ended == self.ended && now - $0 >= longest } ?? false
            if endedAt == nil || ended != self.ended { endedAt = now }
            defer { (self.turns, self.ended) = (turns, ended) }
            return turns != self.turns && (overdue == 0 || 2 * overdue < targets || !isStuck)
        }
    }

    private static let look: Duration = .seconds(1)
    private static let statusEvery: Duration = .seconds(5)

    private let daemon: Daemon
    private let manager: ServiceManager
    private let began = ContinuousClock.now

    init(_ daemon: Daemon, manager: ServiceManager) { (self.daemon, self.manager) = (daemon, manager) }

    /// Until its task is cancelled, which is when the daemon begins to stop.
    func run() async {
        var (progress, isReady, lastStatus) = (Progress(), false, "")
        var (pingedAt, statedAt): (ContinuousClock.Instant?, ContinuousClock.Instant?)
        let pingEvery = manager.watchdog.map { $0 / 4 }
        while !Task.isCancelled {
            let now = ContinuousClock.now
            if !isReady, await daemon.hasStarted {
                // Until it is taken.
                isReady = manager.tell(.ready)
            }
            if let pingEvery, pingedAt.map({ $0.duration(to: now) >= pingEvery }) ?? true {
                // Not before it is due, because each look wants a turn since the last.
                if isProgressing(&progress) { manager.tell(.watchdog) }
                pingedAt = now
            }
            if statedAt.map({ $0.duration(to: now) >= Self.statusEvery }) ?? true {
                let status = await daemon.summary
                if status != lastStatus { manager.tell(.status(status)) }
                (lastStatus, statedAt) = (status, now)
            }
            let nap = isReady ? min(Self.look, pingEvery ?? Self.look) : .milliseconds(50)
            do { try await Task.sleep(for: nap) } catch { break }
        }
        manager.tell(.stopping)
    }

    private func isProgressing(_ progress: inout Progress) -> Bool {
        let (scheduler, settings) = (daemon.scheduler, daemon.roster.settings)
        let timeouts = [settings.probe.timeout] + settings.overrides.map(\.policy.timeout)
        return progress.look(
            turns: scheduler.turns, ended: scheduler.ended, overdue: scheduler.overdue(byIntervals: 3), of: daemon.watch.count,
            // With a second look, which has as long again.
            longest: (timeouts.max() ?? .zero) * 2, now: began.duration(to: .now))
    }
}

extension Daemon {
    /// It listens, and it knows what to watch: a list from before, or what the first sync ended with, well or badly.
    var hasStarted: Bool {
        get async {
            guard isListening.withLock({ $0 }) else { return false }
            if await sync.knowsAList { return true }
            return await sync.hasSynced
        }
    }

    /// One line for `systemctl status`.
    var summary: String {
        get async {
            let isConfigured = metrics.isConfigurationGood
            return await watchedNow + (isConfigured ? "" : "; \(reloader.trouble)")
        }
    }

    private var watchedNow: String {
        get async {
            let counts = watch.statuses
            guard watch.count > 0 else {
                let troubles = await sync.troubles
                guard await sync.hasSynced || !troubles.isEmpty else { return "no targets: the first sync is under way" }
                return "no targets: " + (troubles.first ?? "the list is empty, or regions and shard leave none")
            }
            let parts = [Status.up, .degraded, .down, .unknown].compactMap { status in
                counts[status].flatMap { $0 > 0 ? "\($0) \(status.rawValue)" : nil }
            }
            let doubt = watch.vantage(tell: { _ in }) { _ in }.doubt
            return "\(counted(watch.count, "target")): " + parts.joined(separator: ", ")
                + (doubt.map { "; the vantage is unhealthy: \($0.cause.sentence)" } ?? "")
        }
    }

    /// Tells the service manager that `body` is a reload.
    func reloading<Value>(_ body: () async -> Value) async -> Value {
        // Before it is ready the end of a reload would pass for that.
        guard let manager, await hasStarted else { return await body() }
        manager.tell(.reloading(since: ServiceManager.monotonicMicroseconds()))
        let value = await body()
        // One that is lost would leave the service reloading for good.
        for _ in 0..<50 {
            if manager.tell(.ready) { break }
            try? await Task.sleep(for: .milliseconds(100))
        }
        return value
    }
}
