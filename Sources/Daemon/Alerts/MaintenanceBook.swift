import Health
import Settings
import LockOrder

/// Which targets are in a maintenance window now.
final class MaintenanceBook: Sendable {
    enum Window: Hashable, Sendable {
        case once(Range<Timestamp>)
        case recurring(CronSchedule, Duration)

        init?(_ when: Settings.Maintenance.When) {
            switch when {
            case .once(let from, let to) where from < to: self = .once(from..<to)
            case .once: return nil
            case .recurring(let cron, let duration):
                guard let schedule = CronSchedule(cron) else { return nil }
                self = .recurring(schedule, duration)
            }
        }

        func isOpen(at moment: Timestamp) -> Bool {
            switch self {
            case .once(let range): range.contains(moment)
            case .recurring(let schedule, let duration): schedule.isOpen(at: moment, for: duration)
            }
        }
    }

    /// All windows, and of each target that has some the places of its own.
    struct Windows: Sendable {
        var windows: [Window] = []
        var targets: [TargetIdentity: [Int]] = [:]
    }

    private struct State {
        var windows = Windows()
        var open: Set<Int> = []
        /// The targets in an open window: found when a window opens or ends, and not each time that somebody asks.
        var covered: Set<TargetIdentity> = []

        mutating func findCovered() {
            covered = open.isEmpty ? [] : Set(windows.targets.filter { !open.isDisjoint(with: $0.value) }.map(\.key))
        }
    }

    private let state = OrderedMutex(State())

    func replace(_ windows: Windows, at moment: Timestamp) {
        state.withLock { state in
            (state.windows, state.open) = (windows, [])
            state.findCovered()
        }
        refresh(at: moment)
    }

    /// Time passes.
    func refresh(at moment: Timestamp) {
        state.withLock { state in
            let open = Set(state.windows.windows.indices.filter { state.windows.windows[$0].isOpen(at: moment) })
            guard open != state.open else { return }
            state.open = open
            state.findCovered()
        }
    }

    func covers(_ target: TargetIdentity) -> Bool {
        state.withLock { $0.covered.contains(target) }
    }

    /// All of them.
    var covered: Set<TargetIdentity> { state.withLock { $0.covered } }
}
