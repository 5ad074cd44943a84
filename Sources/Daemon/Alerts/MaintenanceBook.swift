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

        func covers(_ target: TargetIdentity) -> Bool { windows.targets[target]?.contains { open.contains($0) } ?? false }
    }

    private let state = OrderedMutex(State())

    func replace(_ windows: Windows, at moment: Timestamp) {
        state.withLock { $0.windows = windows }
        refresh(at: moment)
    }

    /// Time passes.
    func refresh(at moment: Timestamp) {
        state.withLock { state in
            guard !state.windows.windows.isEmpty else { return state.open = [] }
            state.open = Set(state.windows.windows.indices.filter { state.windows.windows[$0].isOpen(at: moment) })
        }
    }

    func covers(_ target: TargetIdentity) -> Bool {
        state.withLock { !$0.open.isEmpty && $0.covers(target) }
    }

    /// All of them.
    var covered: Set<TargetIdentity> {
        state.withLock { state in
            state.open.isEmpty ? [] : Set(state.windows.targets.keys.filter { state.covers($0) })
        }
    }
}
