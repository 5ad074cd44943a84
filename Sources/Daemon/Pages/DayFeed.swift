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
        /// Those whose days are being added with all days. Who comes before that is done is asked for apart.
        var first: Set<PageIndex.Place> = []
        /// ``HistoryReaders/beginnings`` of the history that all of it is of.
        var beginnings = 0
        var isStopped = false
    }

    private let index: PageIndex
    private let readers: HistoryReaders
    private let slotOf: @Sendable (TargetIdentity) -> Int?
    private let logger: Logger
    private let state = OrderedMutex(State())

    init(
        index: PageIndex, readers: HistoryReaders, logger: Logger, slotOf: @escaping @Sendable (TargetIdentity) -> Int?
    ) {
        (self.index, self.readers, self.logger, self.slotOf) = (index, readers, logger, slotOf)
    }

    /// Until its task is cancelled.
    func run() async {
        await withTaskCancellationHandler {
            while !Task.isCancelled {
                await DispatchQueue.global(qos: .background).run { [self] in
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

    private var isStopped: Bool { state.withLock { $0.isStopped } }

    /// Adds what is over by now.
    func look(at now: Timestamp) throws(HistoryError) {
        let day = now.milliseconds.flooredQuotient(by: 86_400_000)
        try beginAnewWhereDaysAreLost(day)
        // Which target has which number takes a while to find out.
        guard try isDue(day) else { return }
        var new = index.takeNew()
        do throws(HistoryError) { try look(day, &new) } catch {
            index.askAgain(new)
            throw error
        }
    }

    /// Whether there is anything to add.
    private func isDue(_ day: Int64) throws(HistoryError) -> Bool {
        guard let next = state.withLock({ $0.nextHour }), day <= index.today, !index.hasNew else { return true }
        return try readers.read { reader throws(HistoryError) in try reader.hoursAreWholeBefore() } > next
    }

    /// What the history has no longer can't be taken away when its day leaves the window. A history that keeps fewer days than the window loses one
    /// each day; one that has begun anew has lost all.
    private func beginAnewWhereDaysAreLost(_ day: Int64) throws(HistoryError) {
        let (known, now) = (state.withLock { $0 }, readers.beginnings)
        var isLost = known.beginnings != now
        if !isLost, day > index.today, known.nextHour != nil, let oldest = index.oldestDay {
            let kept = try readers.read { reader throws(HistoryError) in try reader.firstDay() }
            isLost = kept.map { oldest < $0 } ?? false
        }
        guard isLost else { return }
        index.forgetDays(today: max(day, index.today))
        state.withLock { [isStopped = known.isStopped] in $0 = State(beginnings: now, isStopped: isStopped) }
    }

    /// Takes those out of `new` whose days before they came are added.
    private func look(_ day: Int64, _ new: inout Set<PageIndex.Place>) throws(HistoryError) {
        var numbers = try numbers()
        try beginDay(day, numbers)
        if state.withLock({ $0.nextHour == nil }) {
            // A pass that could not go on knows of some who came since: these have no place in it.
            let isAnew = state.withLock { $0.nextDay == nil }
            if isAnew { state.withLock { [new] in $0.first = new } }
            let late = isAnew ? [] : state.withLock { [new] in new.subtracting($0.first) }
            let all = numbers
            numbers.remove(late)
            try addDays(numbers)
            (new, numbers) = (late, all)
            state.withLock { $0.first = [] }
        }
        if !new.isEmpty { try addPast(of: &new, numbers) }
        try addHours(numbers)
    }

    private func numbers() throws(HistoryError) -> Numbers {
        try readers.read { [index, slotOf] reader throws(HistoryError) in
            var numbers = Numbers()
            try reader.eachTargetNumber { number, identity in
                if let slot = slotOf(identity), let place = index.place(of: identity, slot: slot) { numbers.add(number, place) }
            }
            return numbers
        }
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
            let rows = try readers.read { reader throws(HistoryError) in try reader.daySums(day, numbers.row) }
            index.add(rows, day: day, through: (day + 1) * Self.hoursOfDay)
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
            let rows = try readers.read { reader throws(HistoryError) in try reader.hourSums(hour, numbers.row) }
            index.add(
                rows, day: hour.flooredQuotient(by: Self.hoursOfDay), through: hour + 1, takesP95: hour == end - 1)
            state.withLock { $0.nextHour = hour + 1 }
        }
    }

    /// Of targets that came after the days were read: they may have been watched before.
    private func addPast(of new: inout Set<PageIndex.Place>, _ numbers: Numbers) throws(HistoryError) {
        guard let next = state.withLock({ $0.nextHour }) else { return }
        let (inDays, oldestDay, oldestHour) = try readers.read { reader throws(HistoryError) in
            (try reader.hoursAreInDaysBefore(), try reader.firstDay(), try reader.firstHour())
        }
        // Of a target, each period is a search: none is looked for before the first that any target has.
        let wholeDays = min(inDays, next).flooredQuotient(by: Self.hoursOfDay)
        let begin = index.today - Self.window + 1
        let firstDay = min(max(begin, oldestDay ?? wholeDays), wholeDays)
        let firstHour = min(max(max(begin, wholeDays) * Self.hoursOfDay, oldestHour ?? next), next)
        for (number, place) in numbers.places where new.contains(place) {
            if isStopped { return }
            let past = try readers.read { reader throws(HistoryError) in
                try reader.sums(ofTarget: number, days: firstDay..<wholeDays, hours: firstHour..<next)
            }
            for (day, row) in past { numbers.row(row).map { index.add([$0], day: day, through: next) } }
            new.remove(place)
        }
        // The history knows nothing of the others.
        new = []
    }

    // MARK: Another day

    /// The oldest days leave the window, and with them their sums. Where these can't be read, the day hasn't begun yet.
    private func beginDay(_ day: Int64, _ numbers: Numbers) throws(HistoryError) {
        let before = index.today
        guard day > before else { return }
        var leaving: [Int64: [PageIndex.DayRow]] = [:]
        for old in max(before - Self.window + 1, day - 2 * Self.window)...(day - Self.window) {
            leaving[old] = try readers.read { reader throws(HistoryError) in try reader.daySums(old, numbers.row) }
        }
        index.begin(day: day, without: leaving)
    }

    /// Which place has the target of which number in the database.
    private struct Numbers {
        /// By number: the numbers of a database are dense.
        private var known: [PageIndex.Place?] = []

        mutating func add(_ number: Int64, _ place: PageIndex.Place) {
            // An id of the tables of periods has 22 bits of it.
            guard (0..<1 << 22).contains(number) else { return }
            let index = Int(number)
            if known.count <= index { known.append(contentsOf: repeatElement(nil, count: index + 1 - known.count)) }
            known[index] = place
        }

        mutating func remove(_ places: Set<PageIndex.Place>) {
            if places.isEmpty { return }
            for index in known.indices { if let place = known[index], places.contains(place) { known[index] = nil } }
        }

        var places: [(number: Int64, place: PageIndex.Place)] {
            known.enumerated().compactMap { number, place in place.map { (Int64(number), $0) } }
        }

        func row(_ row: PeriodRow) -> PageIndex.DayRow? {
            guard let index = Int(exactly: row.target), known.indices.contains(index), let place = known[index] else {
                return nil
            }
            let sums = StateSums(
                available: (row.up + row.degraded).wholeMilliseconds, degraded: row.degraded.wholeMilliseconds,
                down: row.down.wholeMilliseconds, maintenance: row.maintenance.wholeMilliseconds)
            return PageIndex.DayRow(place: place, sums: sums, p95: UInt32(clamping: row.p95?.wholeMicroseconds ?? 0))
        }
    }
}
