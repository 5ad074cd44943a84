import Curl
import Health
import History
import Scheduling

/// Whether targets are watched as they should be. It checks progress, not the clock: targets that had their turn, rows that were written.
struct ReadinessCheck: Sendable {
    let history: History
    let sync: SyncService
    let scheduler: Scheduler<EngineClock>
    let registry: TargetRegistry

    /// A sentence for each thing that isn't ready.
    func problems() async -> [String] {
        var sentences: [String] = []
        let written = history.statistics
        if !written.isWritable {
            sentences.append("the history can't be written: \(written.trouble.map { "\($0)" } ?? "unknown trouble")")
        }
        if await !sync.knowsAList { sentences.append("no list of targets is known yet: no sync has succeeded") }
        let intervals = scheduler.intervalsTolerated(Judge.intervalsTolerated)
        let words = intervals == 3 ? "three" : "\(intervals)"
        let overdue = scheduler.overdue(byIntervals: Judge.intervalsTolerated)
        if overdue > 0 {
            sentences.append(
                "\(counted(overdue, "target is overdue by \(words) of its intervals", "targets are overdue by \(words) of their intervals"))"
            )
        }
        // Probes are made, but by our own trouble nothing is learned from them: that must not look like watching.
        let unseen = registry.unseen(forIntervals: intervals, now: .now)
        if unseen > 0 {
            sentences.append(
                "\(counted(unseen, "target has", "targets have")) had none but void results for \(words) intervals; the log says why"
            )
        }
        return sentences
    }
}
