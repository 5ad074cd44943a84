internal import GRDB
internal import Health

/// One transaction's worth of moving: rows in the order of their ids, target after target.
struct SettlingRun {
    private let db: Database
    private let chunk: Chunk
    private let counting: Counting
    private let insertResult: Prepared
    private let hoursInDays: Int64
    /// When the first and the last of them started.
    private var span: ClosedRange<Int64>?

    init(_ db: Database, _ chunk: Chunk) throws {
        (self.db, self.chunk) = (db, chunk)
        counting = try Counting(db)
        insertResult = try Prepared(db, "INSERT INTO settled VALUES (?,?,?,?,?,?,?,?,?,?,?)")
        hoursInDays = try DayRollup.through(db)
    }

    mutating func settle(_ rows: ArraySlice<(id: Int64, values: ResultValues)>, of target: Int64) throws {
        var counts = TargetCounts(standing: try Standing(db, target))
        for (id, values) in rows {
            insertResult.bind(id, at: 1)
            values.bind(to: insertResult, from: 2)
            try insertResult.run()
            counting.add(values, startedAt: chunk.base + values.offset, to: &counts)
        }
        if let own = counts.span {
            span = span.map { min($0.lowerBound, own.lowerBound)...max($0.upperBound, own.upperBound) } ?? own
        }
        try write(counts.minutes, of: target)
        for (period, tally) in counts.hours.sorted(by: { $0.key < $1.key }) {
            let id = PeriodID.make(period: period, target: target)
            try PeriodTable.hours.add(tally, to: id, vantage: counts.vantage, db)
            // That hour is in its day already: what comes late goes there, too.
            if id <= hoursInDays {
                let day = PeriodID.make(period: period.quotient(24), target: target)
                try PeriodTable.days.add(tally, to: day, vantage: counts.vantage, db)
            }
        }
        try counts.standing.write(db, target)
    }

    private func write(_ minutes: [Int64: Tally], of target: Int64) throws {
        let insert = try Prepared(db, "INSERT INTO minute VALUES (?,?,?,?,?,?,?,?,?,?,?)")
        let base = chunk.base.quotient(Counting.minute)
        for (place, (minute, tally)) in minutes.sorted(by: { $0.key < $1.key }).enumerated() {
            insert.bind(ResultID.make(chunk: chunk.id, target: target, place: place), at: 1)
            insert.bind(minute - base, at: 2)
            tally.bindCounts(to: insert, from: 3)
            tally.bindLatency(to: insert, from: 7)
            try insert.run()
        }
    }

    func finish(movedTo target: Int64) throws {
        try db.run("UPDATE chunk SET moved = ? WHERE id = ?", [.integer(target), .integer(chunk.id)])
        guard let span else { return }
        try db.run(
            "UPDATE chunk SET min_ms = min(coalesce(min_ms, ?1), ?1), max_ms = max(coalesce(max_ms, ?2), ?2) WHERE id = ?3",
            [.integer(span.lowerBound), .integer(span.upperBound), .integer(chunk.id)])
    }
}
