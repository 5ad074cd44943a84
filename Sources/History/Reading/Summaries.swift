internal import GRDB
internal import Health

/// Long spans of time as one tally: days where they are whole, hours at the edges.
enum Summaries {
    static func wholeHours(_ span: Range<Int64>) -> Range<Int64> {
        let end = -(-span.upperBound).quotient(Counting.hour) * Counting.hour
        return span.lowerBound.quotient(Counting.hour) * Counting.hour..<max(end, span.lowerBound)
    }

    static func one(_ reading: TargetReading, _ span: Range<Int64>) throws -> Tally {
        var sum = Tally()
        for (table, periods) in try parts(reading.db, span) {
            let select = try Prepared(reading.db, "SELECT \(PeriodTable.columns) FROM \(table.withPhases) WHERE id = ?")
            for period in periods.lowerBound..<periods.upperBound {
                select.bind(PeriodID.make(period: period, target: reading.target), at: 1)
                try select.run { row in
                    sum.merge(Tally(row, from: 0))
                    return false
                }
            }
        }
        for (hour, tally) in try reading.waiting().hours where span.contains(hour * Counting.hour) { sum.merge(tally) }
        return sum
    }

    /// Target by target, because what is added up for one is then small enough to be quick; neighbours' rows lie on the same pages.
    static func all(_ db: Database, _ span: Range<Int64>) throws -> [TargetIdentity: Tally] {
        let parts = try parts(db, span).map { table, periods in
            let sql = "SELECT \(PeriodTable.columnsWithoutPhases) FROM \(table.name) WHERE id = ?"
            return (select: try Prepared(db, sql), periods: periods)
        }
        var named: [TargetIdentity: Tally] = [:]
        var sum = DistributionSum()
        try db.run("SELECT id, client_id, target_id FROM target ORDER BY id") { row in
            let target = row.number(0)
            var (tally, isKnown) = (Tally(), false)
            for (select, periods) in parts {
                for period in periods {
                    select.bind(PeriodID.make(period: period, target: target), at: 1)
                    try select.run { row in
                        isKnown = true
                        tally.addCounts(row, from: 0)
                        row.withBlob(11) { sum.add($0) }
                        return false
                    }
                }
            }
            tally.latency = sum.take()
            if isKnown { named[TargetIdentity(clientID: row.text(1) ?? "", key: row.text(2) ?? "")] = tally }
            return true
        }
        return named
    }

    /// A span of more than a week begins with a day: a day's hours are many, and of so much they change little.
    static func wholeDays(_ span: Range<Int64>) -> Range<Int64> {
        let day = PeriodTable.days.milliseconds
        guard span.upperBound - span.lowerBound > 7 * day else { return span }
        return span.lowerBound.quotient(day) * day..<span.upperBound
    }

    /// Whole days whose hours are all in them, and the hours before and after those.
    private static func parts(_ db: Database, _ span: Range<Int64>) throws -> [(PeriodTable, Range<Int64>)] {
        let (hour, day) = (PeriodTable.hours.milliseconds, PeriodTable.days.milliseconds)
        let hours = span.lowerBound.quotient(hour)..<span.upperBound.quotient(hour)
        let complete = PeriodID.period(try DayRollup.through(db)).quotient(24)
        let first = -(-span.lowerBound).quotient(day)
        let end = min(span.upperBound.quotient(day), complete)
        guard first < end else { return [(.hours, hours)] }
        return [(.hours, hours.lowerBound..<first * 24), (.days, first..<end), (.hours, end * 24..<hours.upperBound)]
    }
}
