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

        /// Before this it neither opens nor ends; nil when it never does again. One that recurs opens with a minute.
        func nextChange(after moment: Timestamp) -> Timestamp? {
            switch self {
            case .once(let range): [range.lowerBound, range.upperBound].first { $0 > moment }
            case .recurring(_, let duration):
                min(Self.next(0, after: moment), Self.next(duration.wholeMilliseconds, after: moment))
            }
        }

        /// The next moment that lies so far behind the beginning of a minute.
        private static func next(_ offset: Int64, after moment: Timestamp) -> Timestamp {
            let passed = (moment.milliseconds - offset).flooredQuotient(by: 60_000)
            return Timestamp(milliseconds: (passed + 1) * 60_000 + offset)
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

    /// No window opens or ends before this; nil when none ever does.
    func nextChange(after moment: Timestamp) -> Timestamp? {
        state.withLock { $0.windows.windows.compactMap { $0.nextChange(after: moment) }.min() }
    }

    func covers(_ target: TargetIdentity) -> Bool {
        state.withLock { $0.covered.contains(target) }
    }

    /// All of them.
    var covered: Set<TargetIdentity> { state.withLock { $0.covered } }
}
