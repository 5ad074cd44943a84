internal import GRDB
package import Health

/// What the days and the hours say of all targets, for a reader that keeps it in memory: a row a target.
package struct PeriodRow: Hashable, Sendable {
    /// The target's number in this database.
    package var target: Int64
    package var up: Duration
    package var degraded: Duration
    package var down: Duration
    package var maintenance: Duration
    /// Of the durations of the probes that succeeded, within 0.8 %; nil where none did, and of days.
    package var p95: Duration?

    fileprivate init(_ target: Int64, _ time: StatusTime) {
        self.target = target
        (up, degraded) = (.milliseconds(time.up), .milliseconds(time.degraded))
        (down, maintenance) = (.milliseconds(time.down), .milliseconds(time.maintenance))
    }
}

extension HistoryReader {
    /// Calls `body` with each target, listed or not, and with its number in this database.
    package func eachTargetNumber(_ body: (_ number: Int64, TargetIdentity) -> Void) throws(HistoryError) {
        try read { db in
            try db.run("SELECT id, client_id, target_id FROM target ORDER BY id") { row in
                body(row.number(0), TargetIdentity(clientID: row.text(1) ?? "", key: row.text(2) ?? ""))
                return true
            }
        }
    }

    /// Hours since 1970 before this one are over and summed: for a result that comes later for one of them, its row is changed.
    package func hoursAreWholeBefore() throws(HistoryError) -> Int64 {
        try read { try Progress.hours.firstOpenHour(through: Progress.hours.read($0)) }
    }

    /// The sums of one hour since 1970 of all targets of which anything is known in it, as `transform` wants them: all rows are in memory at once.
    package func hourSums<Row>(_ hour: Int64, _ transform: (PeriodRow) -> Row?) throws(HistoryError) -> [Row] {
        try read { db in
            var (rows, sum): ([Row], PeriodSum) = ([], PeriodSum())
            try Self.each(db, .hours, hour, PeriodTable.columnsWithoutPhases) { row in
                sum.add(row, from: 1, withPhases: false)
                let rollup = sum.reset()
                var found = PeriodRow(PeriodID.target(row.id(0)), rollup.time)
                found.p95 = rollup.percentile(0.95).map { .microseconds($0) }
                if let row = transform(found) { rows.append(row) }
            }
            return rows
        }
    }

    /// The same of one day since 1970, without percentiles. Its last hours are missing until the day has been over for some hours.
    package func daySums<Row>(_ day: Int64, _ transform: (PeriodRow) -> Row?) throws(HistoryError) -> [Row] {
        try read { db in
            var rows: [Row] = []
            try Self.each(db, .days, day, "up_ms, degraded_ms, down_ms, maintenance_ms") { row in
                let time = StatusTime(
                    up: row.number(1), degraded: row.number(2), down: row.number(3), maintenance: row.number(4))
                if let row = transform(PeriodRow(PeriodID.target(row.id(0)), time)) { rows.append(row) }
            }
            return rows
        }
    }

    /// The day since 1970 in which the oldest row of the days is; nil when there is none.
    package func firstDay() throws(HistoryError) -> Int64? {
        try read { db in try db.integer("SELECT min(id) FROM day").map(PeriodID.period) }
    }

    /// The hour since 1970 in which the oldest row of the hours is; nil when there is none.
    package func firstHour() throws(HistoryError) -> Int64? {
        try read { db in try db.integer("SELECT min(id) FROM hour").map(PeriodID.period) }
    }

    /// The first hour since 1970 whose targets are not all in the rows of their days.
    package func hoursAreInDaysBefore() throws(HistoryError) -> Int64 {
        try read { try Progress.days.firstOpenHour(through: Progress.days.read($0)) }
    }

    /// The same of one target: of some days, and of some hours as their day's.
    package func sums(
        ofTarget target: Int64, days: Range<Int64>, hours: Range<Int64>
    ) throws(HistoryError) -> [(day: Int64, row: PeriodRow)] {
        try read { db in
            var found: [(day: Int64, row: PeriodRow)] = []
            for (table, periods) in [(PeriodTable.days, days), (.hours, hours)] {
                let select = try Prepared(
                    db, "SELECT up_ms, degraded_ms, down_ms, maintenance_ms FROM \(table.name) WHERE id = ?")
                for period in periods {
                    select.bind(PeriodID.make(period: period, target: target), at: 1)
                    try select.run { row in
                        let time = StatusTime(
                            up: row.number(0), degraded: row.number(1), down: row.number(2), maintenance: row.number(3))
                        let day = table.name == PeriodTable.days.name ? period : period.flooredQuotient(by: 24)
                        found.append((day, PeriodRow(target, time)))
                        return false
                    }
                }
            }
            return found
        }
    }

    private static func each(
        _ db: Database, _ table: PeriodTable, _ period: Int64, _ columns: String, _ body: (CellReader) -> Void
    ) throws {
        try db.run(
            "SELECT id, \(columns) FROM \(table.name) WHERE id >= ? AND id < ?",
            [.integer(PeriodID.make(period: period, target: 0)), .integer(PeriodID.make(period: period + 1, target: 0))]
        ) { row in
            body(row)
            return true
        }
    }
}
