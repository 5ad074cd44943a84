import Alerting
import Health
import History
import Scheduling

/// Everything that is checked again and again because it follows from the time and from no single result. One loop runs all checks: a daemon that
/// has little to do is woken once for all of them.
struct DaemonChecks: Sendable {
    let attention: Attention
    let canaries: CanaryService
    let vantage: VantageMonitor
    let alerts: DaemonAlerts
    let lanes: LaneMonitor
    let flags: SeriesFlags
    /// nil where the threads are not to be lowered.
    let threads: ThreadPriorities?

    /// What is known from one look to the next.
    private struct Memory {
        var canariesAskedAt: ContinuousClock.Instant?
        var vantage = VantageMonitor.Memory()
        var alerts = DaemonAlerts.Memory()
        var lanes = LaneMonitor.Memory()
        var threads: ThreadPriorities?
    }

    /// Until the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            var memory = Memory(threads: threads)
            while !Task.isCancelled {
                if canaries.areDue(&memory.canariesAskedAt, at: .now) {
                    // A round that takes long doesn't keep the next one waiting.
                    group.addTask { await canaries.ask() }
                }
                look(&memory)
                await attention.sleep(until: nextLook(memory, after: .now, .now()))
            }
            group.cancelAll()
        }
    }

    private func look(_ memory: inout Memory) {
        vantage.check(&memory.vantage)
        alerts.check(&memory.alerts)
        lanes.check(&memory.lanes, at: .now)
        flags.check()
        memory.threads?.keep(at: .now)
    }

    private func nextLook(_ memory: Memory, after now: ContinuousClock.Instant, _ wall: Timestamp) -> ContinuousClock.Instant {
        let changes = flags.maintenance.nextChange(after: wall).map { now.advanced(by: $0 - wall) }
        let due = [canaries.nextDue(memory.canariesAskedAt), changes].compactMap(\.self).min()
        return attention.nextLook(after: now, isBusy: isBusy, nextDue: due)
    }

    private var isBusy: Bool {
        let standing = vantage.registry.standing
        if standing.doubt != nil || standing.wantsCanaries || !standing.suspicions.isEmpty { return true }
        if !vantage.alerter.held.isEmpty || !alerts.history.statistics.isWritable { return true }
        let lanes = lanes.scheduler.overload
        return lanes.contains(where: \.isOverloaded)
            || lanes.reduce(0) { $0 + $1.plannedPerSecond } >= Attention.probesPerSecondOfOften
    }
}
