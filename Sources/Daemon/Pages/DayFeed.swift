import Dispatch
import Health
import History
import LockOrder
import Logging
import Pages

/// Keeps the days of the pages: reads those of the last ninety days once, and from then on each hour that is over.
///
/// All of it is read beside the daemon's other work, a day or an hour at a time.
final class DayFeed: Sendable {
    private static let lookEvery: Duration = .seconds(60)
    private static let hoursOfDay: Int64 = 24
    private static let window = Int64(DayTable.days)

    /// What has been added: each period is added once, also when a later one can't be read.
    private struct State {
        /// The first day that has not been added; nil once the days are done.
        var nextDay: Int64?
        /// The first hour that has not been added; nil until it is known.
        var nextHour: Int64?
        var isStopped = false
    }

    private let index: PageIndex
    private let readers: HistoryReaders
    private let logger: Logger
    private let state = OrderedMutex(State())

    init(index: PageIndex, readers: HistoryReaders, logger: Logger) {
        (self.index, self.readers, self.logger) = (index, readers, logger)
    }

    /// Until its task is cancelled.
    func run() async {
        await withTaskCancellationHandler {
            while !Task.isCancelled {
                await aside { [self] in
                    do { try look(at: .now()) } catch {
                        // The database's own trouble is told by those who write it.
                        logger.debug("the days for the pages could not be read: \(displayText("\(error)"))")
                    }
                }
                do { try await Task.sleep(for: Self.lookEvery) } catch { return }
            }
        } onCancel: {
            state.withLock { $0.isStopped = true }
        }
    }

    /// Not on the threads of the tasks: a disk is slow.
    private func aside(_ body: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { continuation in
            DispatchQueue.global(qos: .background).async {
                body()
                continuation.resume()
            }
        }
    }

    private var isStopped: Bool { state.withLock { $0.isStopped } }

    /// Adds what is over by now.
    func look(at now: Timestamp) throws(HistoryError) {
        var (slots, new) = index.takeSlots()
        do throws(HistoryError) { try look(at: now, slots, &new) } catch {
            index.askAgain(new)
            throw error
        }
    }

    /// Takes those out of `new` whose days before they came are added.
    private func look(
        at now: Timestamp, _ slots: [TargetIdentity: Int], _ new: inout Set<TargetIdentity>
    ) throws(HistoryError) {
        let named = try readers.read { reader throws(HistoryError) in try reader.targetNumbers() }
        let numbers = Numbers(slots: named.compactMapValues { identity in slots[identity].map { ($0, identity) } })
        try beginDay(now.milliseconds.flooredQuotient(by: 86_400_000), numbers)
        if state.withLock({ $0.nextHour == nil }) {
            try addDays(numbers)
            new = []
        } else {
            try addPast(of: &new, numbers)
        }
        try addHours(numbers)
    }

    // MARK: The days of before

    private func addDays(_ numbers: Numbers) throws(HistoryError) {
        let (inDays, oldest) = try readers.read { reader throws(HistoryError) in
            (try reader.hoursAreInDaysBefore(), try reader.firstDay())
        }
        let end = inDays.flooredQuotient(by: Self.hoursOfDay)
        let first = state.withLock { $0.nextDay } ?? max(index.today - Self.window + 1, oldest ?? end)
        for day in first..<max(first, end) {
            if isStopped { return }
            let rows = try readers.read { reader throws(HistoryError) in try reader.daySums(day) }
            index.add(rows.compactMap { numbers.row($0) }, day: day, through: (day + 1) * Self.hoursOfDay)
            state.withLock { $0.nextDay = day + 1 }
        }
        let hour = max(first, end) * Self.hoursOfDay
        state.withLock { ($0.nextDay, $0.nextHour) = (nil, hour) }
    }

    private func addHours(_ numbers: Numbers) throws(HistoryError) {
        let end = try readers.read { reader throws(HistoryError) in try reader.hoursAreWholeBefore() }
        guard let first = state.withLock({ $0.nextHour }) else { return }
        for hour in first..<max(first, end) {
            if isStopped { return }
            let rows = try readers.read { reader throws(HistoryError) in try reader.hourSums(hour) }
            index.add(
                rows.compactMap { numbers.row($0) }, day: hour.flooredQuotient(by: Self.hoursOfDay), through: hour + 1,
                takesP95: hour == end - 1)
            state.withLock { $0.nextHour = hour + 1 }
        }
    }

    /// Of targets that came after the days were read: they may have been watched before.
    private func addPast(of new: inout Set<TargetIdentity>, _ numbers: Numbers) throws(HistoryError) {
        guard !new.isEmpty, let next = state.withLock({ $0.nextHour }) else { return }
        let inDays = try readers.read { reader throws(HistoryError) in try reader.hoursAreInDaysBefore() }
        let wholeDays = min(inDays, next).flooredQuotient(by: Self.hoursOfDay)
        let days = min(index.today - Self.window + 1, wholeDays)..<wholeDays
        for (number, known) in numbers.slots where new.contains(known.identity) {
            if isStopped { return }
            let past = try readers.read { reader throws(HistoryError) in
                try reader.sums(
                    ofTarget: number, days: days, hours: wholeDays * Self.hoursOfDay..<max(next, wholeDays * Self.hoursOfDay))
            }
            for (day, row) in past { numbers.row(row).map { index.add([$0], day: day, through: next) } }
            new.remove(known.identity)
        }
    }

    // MARK: Another day

    /// The oldest days leave the window, and with them their sums. Where these can't be read, the day hasn't begun yet.
    private func beginDay(_ day: Int64, _ numbers: Numbers) throws(HistoryError) {
        let before = index.today
        guard day > before else { return }
        var leaving: [Int64: [Int: StateSums]] = [:]
        for old in max(before - Self.window + 1, day - 2 * Self.window)...(day - Self.window) {
            for row in try readers.read({ reader throws(HistoryError) in try reader.daySums(old) }) {
                if let row = numbers.row(row) { leaving[old, default: [:]][row.slot] = row.sums }
            }
        }
        index.begin(day: day, without: leaving)
    }

    /// Which slot has the target of which number in the database.
    private struct Numbers {
        let slots: [Int64: (slot: Int, identity: TargetIdentity)]

        func row(_ row: PeriodRow) -> PageIndex.DayRow? {
            guard let (slot, identity) = slots[row.target] else { return nil }
            let sums = StateSums(
                available: (row.up + row.degraded).wholeMilliseconds, degraded: row.degraded.wholeMilliseconds,
                down: row.down.wholeMilliseconds, maintenance: row.maintenance.wholeMilliseconds)
            return PageIndex.DayRow(
                slot: slot, identity: identity, sums: sums, p95: UInt32(clamping: row.p95?.wholeMicroseconds ?? 0))
        }
    }
}
