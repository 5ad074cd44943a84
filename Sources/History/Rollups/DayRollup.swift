internal import GRDB

/// Adds hours that are over to their days, each once: `progress` has the id of the last hour's row that is in its day, and what comes late for
/// one of those goes to the day at once.
enum DayRollup {
    static func through(_ db: Database) throws -> Int64 {
        try db.integer("SELECT value FROM progress WHERE name = 'hour_in_day'") ?? 0
    }

    /// Some rows. Returns whether there are more.
    static func step(_ db: Database, rows: Int) throws -> Bool {
        // By the newest chunk and not by a clock: its results have not been moved, and an hour that it began in may get more of them.
        guard let base = try db.integer("SELECT base_ms FROM chunk ORDER BY id DESC LIMIT 1") else { return false }
        let open = PeriodID.make(period: base.quotient(PeriodTable.hours.milliseconds), target: 0)
        let done = try through(db)
        guard try db.integer("SELECT id FROM hour WHERE id > ? AND id < ? LIMIT 1", [.integer(done), .integer(open)]) != nil
        else { return false }
        try db.inTransaction(.immediate) {
            var hours: [(id: Int64, vantage: Int64, tally: Tally)] = []
            try db.run(
                "SELECT id, vantage, \(PeriodTable.columns) FROM \(PeriodTable.hours.withPhases) WHERE id > ? AND id < ? ORDER BY id LIMIT ?",
                [.integer(done), .integer(open), Cell(rows)]
            ) { row in
                hours.append((row.integer(0) ?? 0, row.integer(1) ?? 0, Tally(row, from: 2)))
                return true
            }
            for (id, vantage, tally) in hours {
                let day = PeriodID.make(period: PeriodID.period(id).quotient(24), target: PeriodID.target(id))
                try PeriodTable.days.add(tally, to: day, vantage: vantage, db)
            }
            if let last = hours.last {
                try db.run("UPDATE progress SET value = ? WHERE name = 'hour_in_day'", [.integer(last.id)])
            }
            return .commit
        }
        return true
    }
}
