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
            let select = try Prepared(reading.db, "SELECT \(PeriodTable.columns) FROM \(table.name) WHERE id = ?")
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

    static func all(_ db: Database, _ span: Range<Int64>) throws -> [TargetIdentity: Tally] {
        var sums: [Int64: Tally] = [:]
        for (table, periods) in try parts(db, span) {
            try db.run(
                "SELECT id, \(PeriodTable.columnsWithoutPhases) FROM \(table.name) WHERE id >= ? AND id < ?",
                [periods.lowerBound, periods.upperBound].map { .integer(PeriodID.make(period: $0, target: 0)) }
            ) { row in
                sums[PeriodID.target(row.integer(0) ?? 0), default: Tally()].addLatency(row, from: 1)
                return true
            }
        }
        var named: [TargetIdentity: Tally] = [:]
        try db.run("SELECT id, client_id, target_id FROM target") { row in
            if let sum = sums[row.integer(0) ?? 0] {
                named[TargetIdentity(clientID: row.text(1) ?? "", key: row.text(2) ?? "")] = sum
            }
            return true
        }
        return named
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
