internal import GRDB
internal import Health

/// Adds the hours of a block that is over to their day.
enum DayRollup {
    /// Adds up a block for some targets. Returns whether there was something to do.
    ///
    /// - Parameter hour: ``HourRollup/isDoneBefore``.
    static func step(_ db: Database, rows: Int, hoursDoneBefore hour: Int64) throws -> Bool {
        let through = try Progress.days.read(db)
        let open = hour.flooredQuotient(by: Progress.days.hours)
        let first = Progress.days.firstOpenHour(through: through)
        guard first < open * Progress.days.hours, let block = try block(db, from: first), block < open else { return false }
        let target = Progress.days.firstTarget(of: block, through: through)
        let targets = target...target + Int64(max(1, rows / 60)) - 1
        let isLast = try targets.upperBound >= db.integer("SELECT max(id) FROM target") ?? 0
        try db.inTransaction(.immediate) {
            try add(db, block, targets)
            let last = isLast ? ResultID.targetMax : targets.upperBound
            try Progress.days.write(PeriodID.make(period: block, target: last), db)
            return .commit
        }
        return true
    }

    /// The next block that has any hours.
    private static func block(_ db: Database, from hour: Int64) throws -> Int64? {
        try db.integer("SELECT min(id) FROM hour WHERE id >= ?", [.integer(PeriodID.make(period: hour, target: 0))])
            .map { PeriodID.period($0).flooredQuotient(by: Progress.days.hours) }
    }

    private static func add(_ db: Database, _ block: Int64, _ targets: ClosedRange<Int64>) throws {
        let hours = block * Progress.days.hours..<(block + 1) * Progress.days.hours
        let day = hours.lowerBound.flooredQuotient(by: 24)
        let select = try Prepared(
            db, "SELECT \(PeriodTable.columns), vantage FROM \(PeriodTable.hours.withPhases) WHERE id = ?")
        let writer = try PeriodWriter(db, .days)
        var sum = PeriodSum()
        for target in targets {
            var vantage: Int64 = 0
            for hour in hours {
                select.bind(PeriodID.make(period: hour, target: target), at: 1)
                try select.run { row in
                    sum.add(row, from: 0, withPhases: true)
                    vantage = row.number(PeriodTable.columnCount)
                    return false
                }
            }
            if !sum.isEmpty { try writer.write(&sum, to: PeriodID.make(period: day, target: target)) { vantage } }
        }
    }
}
