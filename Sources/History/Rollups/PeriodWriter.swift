internal import GRDB
internal import Health

/// Writes rows of the hours or of the days in one transaction.
struct PeriodWriter {
    private let select: Prepared
    private let write: Prepared
    private let writePhases: Prepared

    init(_ db: Database, _ table: PeriodTable) throws {
        select = try Prepared(db, "SELECT \(PeriodTable.columns), vantage FROM \(table.withPhases) WHERE id = ?")
        write = try Prepared(db, "INSERT OR REPLACE INTO \(table.name) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")
        writePhases = try Prepared(db, "INSERT OR REPLACE INTO \(table.name)_phases VALUES (?,?)")
    }

    /// Adds the row that is there to `sum`, and writes the sum. `vantage` is asked when there is no row.
    func write(_ sum: inout PeriodSum, to id: Int64, vantage: () throws -> Int64) throws {
        var observer: Int64?
        select.bind(id, at: 1)
        try select.run { row in
            sum.add(row, from: 0, withPhases: true)
            observer = row.number(PeriodTable.columnCount)
            return false
        }
        let rollup = sum.reset()
        write.bind(id, at: 1)
        write.bind(try observer ?? vantage(), at: 2)
        rollup.counts.bindProbes(to: write, from: 3)
        write.bind(rollup.time.up, at: 7)
        write.bind(rollup.time.degraded, at: 8)
        write.bind(rollup.time.down, at: 9)
        write.bind(rollup.time.maintenance, at: 10)
        rollup.counts.bindSums(to: write, from: 11)
        for (index, share) in [0.5, 0.95, 0.99].enumerated() { write.bind(rollup.percentile(share), at: 14 + Int32(index)) }
        write.bind(rollup.latencyCell, at: 17)
        try write.run()
        guard !rollup.phases.isEmpty else { return }
        writePhases.bind(id, at: 1)
        writePhases.bind(rollup.phasesCell, at: 2)
        try writePhases.run()
    }
}

/// Adds late results, and the time in each state, to an hour and to the day that has the hour already. The time in a state is known only at
/// the next result.
struct HourAdder {
    /// Late minutes of one hour of one target.
    private var late = PeriodSum()
    private var lateHour: Int64 = 0
    private let hoursThrough: Int64
    private let daysThrough: Int64
    private let addHourTime: Prepared
    private let addDayTime: Prepared
    private let hours: PeriodWriter
    private let days: PeriodWriter

    init(_ db: Database) throws {
        hoursThrough = try Progress.hours.read(db)
        daysThrough = try Progress.days.read(db)
        let addTime = { (table: PeriodTable) in
            try Prepared(
                db,
                """
                INSERT INTO \(table.name) VALUES (?1, ?2, 0, 0, 0, NULL, ?3, ?4, ?5, ?6, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
                ON CONFLICT (id) DO UPDATE SET up_ms = up_ms + ?3, degraded_ms = degraded_ms + ?4, down_ms = down_ms + ?5,
                    maintenance_ms = maintenance_ms + ?6
                """)
        }
        (addHourTime, addDayTime) = (try addTime(.hours), try addTime(.days))
        (hours, days) = (try PeriodWriter(db, .hours), try PeriodWriter(db, .days))
    }

    func add(_ time: StatusTime, to hour: Int64, of target: Int64, vantage: Int64) throws {
        try add(time, to: PeriodID.make(period: hour, target: target), vantage, with: addHourTime)
        guard Progress.days.includes(hour, of: target, through: daysThrough) else { return }
        try add(time, to: PeriodID.make(period: hour.flooredQuotient(by: 24), target: target), vantage, with: addDayTime)
    }

    private func add(_ time: StatusTime, to id: Int64, _ vantage: Int64, with statement: Prepared) throws {
        for (index, value) in [id, vantage, time.up, time.degraded, time.down, time.maintenance].enumerated() {
            statement.bind(value, at: Int32(index + 1))
        }
        try statement.run()
    }

    /// Whether an hour has been added up.
    func isDone(_ hour: Int64, of target: Int64) -> Bool { Progress.hours.includes(hour, of: target, through: hoursThrough) }

    /// Adds a minute that has just been counted, when its hour has been added up without it. ``finish(_:vantage:)`` writes the hour.
    mutating func add(_ minute: OpenMinute, of target: Int64, vantage: Int64) throws {
        let hour = minute.minute.flooredQuotient(by: 60)
        guard isDone(hour, of: target) else { return }
        if hour != lateHour { try finish(target, vantage: vantage) }
        lateHour = hour
        late.add(minute.rollup)
    }

    mutating func finish(_ target: Int64, vantage: Int64) throws {
        guard !late.isEmpty else { return }
        let rollup = late.reset()
        late.add(rollup)
        try hours.write(&late, to: PeriodID.make(period: lateHour, target: target)) { vantage }
        guard Progress.days.includes(lateHour, of: target, through: daysThrough) else { return }
        late.add(rollup)
        try days.write(&late, to: PeriodID.make(period: lateHour.flooredQuotient(by: 24), target: target)) { vantage }
    }
}
