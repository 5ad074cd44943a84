internal import GRDB
internal import Health

/// Adds the minutes of an hour that is over to their hour.
struct HourRollup: Sendable {
    /// What is known of the hour that is being added up. All of it can be found again.
    struct Work: Sendable {
        var hour: Int64
        var chunks: [StoredChunk]
        var lastTarget: Int64
    }

    var work: Work?
    /// Hours before this hour are in the table `hour`, as far as they have minutes. The number isn't kept in the database, so that a clock
    /// that jumped ahead leaves nothing behind when it comes back.
    private(set) var isDoneBefore: Int64 = 0

    /// Adds up an hour for some targets. Returns whether there was something to do. All chunks that are complete have been moved.
    ///
    /// - Parameter lag: how long after its end an hour is left alone, because the time in a state is known only when the next result is
    ///   there.
    mutating func step(_ db: Database, rows: Int, lag: Int64) throws -> Bool {
        // By the newest chunk and not by a clock: the results of this chunk have not been moved, and the hour in which it began may get
        // more.
        guard let base = try db.integer("SELECT base_ms FROM chunk ORDER BY id DESC LIMIT 1") else { return false }
        let end = (base - lag).flooredQuotient(by: Counting.hour)
        guard isDoneBefore < end else { return false }
        let through = try Progress.hours.read(db)
        if work == nil { work = try Self.find(db, from: Progress.hours.firstOpenHour(through: through), before: end) }
        guard let work else {
            isDoneBefore = end
            return false
        }
        let first = Progress.hours.firstTarget(of: work.hour, through: through)
        // An hour of a target has some sixty rows.
        let last = first + Int64(max(1, rows / 60)) - 1
        let isLast = last >= work.lastTarget
        try db.inTransaction(.immediate) {
            try add(db, work, targets: first...max(first, min(last, work.lastTarget)))
            try Progress.hours.write(PeriodID.make(period: work.hour, target: isLast ? ResultID.targetMax : last), db)
            return .commit
        }
        if isLast { self.work = nil }
        return true
    }

    private static func find(_ db: Database, from first: Int64, before end: Int64) throws -> Work? {
        guard first < end else { return nil }
        let start = first * Counting.hour
        var earliest = try db.integer("SELECT min(min_ms) FROM chunk WHERE min_ms >= ?", [.integer(start)])
        // A chunk that began before `start` may have a minute right after it or, when the clock jumped within the chunk, only a year later.
        for chunk in try StoredChunk.moved(db, start..<start + 1) {
            let range = ResultID.range(chunk: chunk.id, targets: 0..<ResultID.targetMax)
            let base = chunk.base.flooredQuotient(by: Counting.minute)
            let minute = try db.integer(
                "SELECT min(minute) FROM minute WHERE id >= ? AND id < ? AND minute >= ? AND minute < ?",
                [.integer(range.lowerBound), .integer(range.upperBound), .integer(first * 60 - base), .integer(end * 60 - base)])
            if let minute { earliest = min(earliest ?? .max, (base + minute) * Counting.minute) }
        }
        guard let hour = earliest?.flooredQuotient(by: Counting.hour), hour < end else { return nil }
        let span = hour * Counting.hour..<(hour + 1) * Counting.hour
        return Work(
            hour: hour, chunks: try StoredChunk.moved(db, span),
            lastTarget: min(try db.integer("SELECT max(id) FROM target") ?? 0, ResultID.targetMax))
    }

    private func add(_ db: Database, _ work: Work, targets: ClosedRange<Int64>) throws {
        var sum = PeriodSum()
        let kinds = try ResultKind.all(db)
        let select = try LastResultState.select(db)
        let minutes = try MinuteRows(db, withPhases: true)
        let (hours, days) = (try PeriodWriter(db, .hours), try PeriodWriter(db, .days))
        let daysThrough = try Progress.days.read(db)
        for target in targets {
            for chunk in work.chunks {
                try minutes.each(of: target, in: chunk) { minute, row, column in
                    if minute.flooredQuotient(by: 60) == work.hour { sum.addMinute(row, from: column, withPhases: true) }
                }
            }
            var lastResult = try LastResultState(select, target)
            // No result came after this hour.
            if lastResult.hour == work.hour, !lastResult.time.isEmpty {
                lastResult.closeHour { _, time in sum.add(time) }
                try lastResult.write(target, db)
            }
            guard !sum.isEmpty else { continue }
            let vantage = { lastResult.lastKind.flatMap { kinds[$0]?.vantage } ?? 0 }
            // Nothing was known of this hour when its day was made.
            if Progress.days.includes(work.hour, of: target, through: daysThrough) {
                let late = sum.reset()
                sum.add(late)
                try days.write(
                    &sum, to: PeriodID.make(period: work.hour.flooredQuotient(by: 24), target: target), vantage: vantage)
                sum.add(late)
            }
            try hours.write(&sum, to: PeriodID.make(period: work.hour, target: target), vantage: vantage)
        }
    }
}
