internal import GRDB
internal import Health

/// Long spans of time as one rollup: days where they are whole, hours at the edges. The pages (issue 22) are to read these; until then the
/// benchmark and the tests do.
enum Summaries {
    static func wholeHours(_ span: Range<Int64>) -> Range<Int64> {
        let end = -(-span.upperBound).flooredQuotient(by: Counting.hour) * Counting.hour
        return span.lowerBound.flooredQuotient(by: Counting.hour) * Counting.hour..<max(end, span.lowerBound)
    }

    static func one(_ reading: TargetReading, _ span: Range<Int64>) throws -> Rollup {
        var sum = PeriodSum()
        for part in try parts(reading.db, span) {
            let select = try Prepared(reading.db, "SELECT \(PeriodTable.columns) FROM \(part.table.withPhases) WHERE id = ?")
            for id in part.ids(of: reading.target) {
                select.bind(id, at: 1)
                try select.run { row in
                    sum.add(row, from: 0, withPhases: true)
                    return false
                }
            }
        }
        var rollup = sum.reset()
        for (hour, own) in try reading.waiting().hours where span.contains(hour * Counting.hour) { rollup.merge(own) }
        return rollup
    }

    /// Target by target, because the counts of one target are small enough to stay in the processor's caches. Rows of neighbours are on the
    /// same pages.
    static func all(_ db: Database, _ span: Range<Int64>) throws -> [TargetIdentity: Rollup] {
        let parts = try parts(db, span).map { part in
            (
                part: part,
                select: try Prepared(db, "SELECT \(PeriodTable.columnsWithoutPhases) FROM \(part.table.name) WHERE id = ?")
            )
        }
        let open = try OpenHours(db, span)
        var named: [TargetIdentity: Rollup] = [:]
        var sum = PeriodSum()
        try db.run("SELECT id, client_id, target_id FROM target ORDER BY id") { row in
            let target = row.number(0)
            for (part, select) in parts {
                for id in part.ids(of: target) {
                    select.bind(id, at: 1)
                    try select.run { row in
                        sum.add(row, from: 0, withPhases: false)
                        return false
                    }
                }
            }
            try open.add(target, to: &sum)
            if !sum.isEmpty { named[TargetIdentity(clientID: row.text(1) ?? "", key: row.text(2) ?? "")] = sum.reset() }
            return true
        }
        return named
    }

    /// Results that have been moved and aren't in their hours yet.
    private struct OpenHours {
        private let span: Range<Int64>
        private let hours: Range<Int64>
        private let through: Int64
        private let chunks: [StoredChunk]
        private let minutes: MinuteRows
        private let lastResult: Prepared

        init(_ db: Database, _ span: Range<Int64>) throws {
            self.span = span
            through = try Progress.hours.read(db)
            let first = max(Progress.hours.firstOpenHour(through: through), span.lowerBound.flooredQuotient(by: Counting.hour))
            let end = max(first, span.upperBound.flooredQuotient(by: Counting.hour))
            hours = first..<end
            chunks = first < end ? try StoredChunk.moved(db, first * Counting.hour..<end * Counting.hour) : []
            minutes = try MinuteRows(db, withPhases: false)
            lastResult = try LastResultState.select(db)
        }

        func add(_ target: Int64, to sum: inout PeriodSum) throws {
            for chunk in chunks where chunk.moved >= target {
                try minutes.each(of: target, in: chunk) { minute, row, column in
                    let hour = minute.flooredQuotient(by: 60)
                    guard hours.contains(hour), !Progress.hours.includes(hour, of: target, through: through) else { return }
                    sum.addMinute(row, from: column, withPhases: false)
                }
            }
            let lastResult = try LastResultState(lastResult, target)
            if span.contains(lastResult.hour * Counting.hour), !lastResult.time.isEmpty { sum.add(lastResult.time) }
        }
    }

    /// A span of more than a week begins with a whole day: the hours of the first day would be many rows, and would change little in the
    /// sum.
    static func wholeDays(_ span: Range<Int64>) -> Range<Int64> {
        let day = PeriodTable.days.milliseconds
        guard span.upperBound - span.lowerBound > 7 * day else { return span }
        return span.lowerBound.flooredQuotient(by: day) * day..<span.upperBound
    }

    /// Rows of one table that belong to a span.
    private struct Part {
        var table: PeriodTable
        var periods: Range<Int64>
        /// How far the hours have been added to their days, where only the other hours are wanted.
        var after: Int64?

        func ids(of target: Int64) -> some Sequence<Int64> {
            periods.lazy
                .filter { [after] hour in after.map { !Progress.days.includes(hour, of: target, through: $0) } ?? true }
                .map { PeriodID.make(period: $0, target: target) }
        }
    }

    /// Whole days, and the hours before and after these days. The day that is still growing counts as a whole day when all hours that were
    /// added to it are in the span: otherwise a page at eleven in the evening would read 23 hours of each target.
    private static func parts(_ db: Database, _ span: Range<Int64>) throws -> [Part] {
        let (hour, day) = (PeriodTable.hours.milliseconds, PeriodTable.days.milliseconds)
        // There are no rows before the first hour and after the last. Each of them would cost a search.
        let ends = try ["min", "max"].map { try db.integer("SELECT \($0)(id) FROM hour").map(PeriodID.period) ?? 0 }
        let known = ends[0]..<max(ends[0], ends[1]) + 1
        let between = { (start: Int64, end: Int64) in (start..<max(start, end)).clamped(to: known) }
        let (begin, end) = (span.lowerBound.flooredQuotient(by: hour), span.upperBound.flooredQuotient(by: hour))
        let through = try Progress.days.read(db)
        let block = PeriodID.period(through)
        let (first, growing) = (
            -(-span.lowerBound).flooredQuotient(by: day), (block * Progress.days.hours).flooredQuotient(by: 24)
        )
        if first <= growing, (block + 1) * Progress.days.hours <= end {
            return [
                Part(table: .hours, periods: between(begin, first * 24)), Part(table: .days, periods: first..<growing + 1),
                Part(table: .hours, periods: between(block * Progress.days.hours, end), after: through),
            ]
        }
        let last = min(span.upperBound.flooredQuotient(by: day), growing)
        guard first < last else { return [Part(table: .hours, periods: between(begin, end))] }
        return [
            Part(table: .hours, periods: between(begin, first * 24)), Part(table: .days, periods: first..<last),
            Part(table: .hours, periods: between(last * 24, end)),
        ]
    }
}
