internal import GRDB
internal import Health
internal import LockOrder

/// Deletes rows that are older than their age is kept, and the oldest rows of a database that is too large. It works in small steps, each
/// in a transaction of its own. Every table begins with its oldest rows, so a step frees whole pages.
final class Retention: Sendable {
    static let rowsAStep: Int64 = 5000
    /// 2 MiB of pages of 4 KiB.
    static let pagesAStep: Int64 = 512

    private let keep: HistoryOptions.Ages
    private let maxSize: Int64?
    private let now: @Sendable () -> Timestamp
    private let onSizeExceeded: @Sendable () -> Void
    /// Whether it was reported that the database is too large, and still is.
    private let isTooLarge = OrderedMutex(false)

    /// - Parameter onSizeExceeded: called when the database has become larger than `maxSize`.
    init(
        keep: HistoryOptions.Ages, maxSize: Int64?, now: @escaping @Sendable () -> Timestamp,
        onSizeExceeded: @escaping @Sendable () -> Void
    ) {
        (self.keep, self.maxSize, self.now, self.onSizeExceeded) = (keep, maxSize, now, onSizeExceeded)
    }

    /// One step: deletes some rows by age, or else some of too much; then gives some free pages back. Returns whether there is more to do.
    /// A step that fails changes nothing.
    func step(_ db: Database) throws -> Bool {
        if try removeByAge(db) { return true }
        let isTooLarge = try isTooLarge(db)
        let wasTooLarge = self.isTooLarge.withLock { known in
            defer { known = isTooLarge }
            return known
        }
        if isTooLarge, !wasTooLarge { onSizeExceeded() }
        let hasRemoved = try isTooLarge && removeOldest(db)
        return try Self.giveBack(db) || hasRemoved
    }

    /// Returns whether something was removed.
    private func removeByAge(_ db: Database) throws -> Bool {
        let now = now()
        func cutoff(_ age: Duration?) -> Int64? { age.map { (now + (.zero - $0)).milliseconds } }
        if let cutoff = cutoff(keep.raw) {
            if let chunk = try Self.chunk(db, "has_results = 1 AND max_ms < ?", [.integer(cutoff)]) {
                try Self.removeResults(db, chunk)
                return true
            }
            if try Self.removeTransitions(db, before: cutoff) { return true }
        }
        if let cutoff = cutoff(keep.minutes), let chunk = try Self.chunkOfMinutes(db, before: cutoff) {
            try Self.removeMinutes(db, chunk)
            return true
        }
        for (table, age) in [(PeriodTable.hours, keep.hours), (PeriodTable.days, keep.days)] {
            guard let cutoff = cutoff(age) else { continue }
            // An hour stays until its day has it.
            let last = table.name == PeriodTable.hours.name ? try Self.firstHourInNoDay(db) : .max
            let end = PeriodID.make(period: min(cutoff.flooredQuotient(by: table.milliseconds), last), target: 0)
            if try table.removeFirst(db, before: end, rows: Self.rowsAStep) { return true }
        }
        if let cutoff = cutoff(keep.days), try Self.removeIncidents(db, before: cutoff) { return true }
        // What servers said is needed as long as their minutes: it may have personal data in it.
        if let cutoff = cutoff(keep.minutes) { return try Self.removeEvidence(db, before: cutoff) }
        return false
    }

    private func isTooLarge(_ db: Database) throws -> Bool {
        guard let maxSize else { return false }
        let pages = try db.integer("PRAGMA page_count") ?? 0
        let free = try db.integer("PRAGMA freelist_count") ?? 0
        return (pages - free) * (try db.integer("PRAGMA page_size") ?? 4096) > maxSize
    }

    /// Deletes the oldest rows of the finest age that has any. Returns false when no rows are left that may be deleted.
    private func removeOldest(_ db: Database) throws -> Bool {
        // Results that wait to be moved, or that were moved and wait to be deleted, may be all that is too large. They aren't old.
        guard try Chunk.toMove(db) == nil, try !Compactor.hasMovedRows(db) else { return false }
        if let chunk = try Self.chunk(db, "has_results = 1", []) {
            try Self.removeResults(db, chunk)
            // A chunk that a jumping clock misdated says nothing of the age of transitions.
            let end = try db.integer(
                "SELECT min(c.max_ms, n.base_ms) FROM chunk c JOIN chunk n ON n.id = (SELECT min(id) FROM chunk WHERE id > c.id) WHERE c.id = ?",
                [.integer(chunk)])
            if let end { _ = try Self.removeTransitions(db, before: end) }
        } else if let chunk = try Self.chunkOfMinutes(db, before: .max) {
            try Self.removeMinutes(db, chunk)
        } else {
            let inDays = PeriodID.make(period: try Self.firstHourInNoDay(db), target: 0)
            return try PeriodTable.hours.removeFirst(db, before: inDays, rows: Self.rowsAStep)
                || PeriodTable.days.removeFirst(db, before: .max, rows: Self.rowsAStep)
        }
        return true
    }

    /// The oldest chunk for which `condition` holds. A chunk that hasn't been moved is left alone, and so is the newest: the next id is
    /// counted from the newest.
    private static func chunk(_ db: Database, _ condition: String, _ cells: [Cell]) throws -> Int64? {
        try db.integer(
            """
            SELECT id FROM chunk WHERE \(condition) AND moved = \(ResultID.targetMax) AND id < (SELECT max(id) FROM chunk)
            ORDER BY id LIMIT 1
            """, cells)
    }

    private static func firstHourInNoDay(_ db: Database) throws -> Int64 {
        Progress.days.firstOpenHour(through: try Progress.days.read(db))
    }

    /// Minutes that have not been added to their hours stay.
    private static func chunkOfMinutes(_ db: Database, before cutoff: Int64) throws -> Int64? {
        let open = Progress.hours.firstOpenHour(through: try Progress.hours.read(db)) * Counting.hour
        return try chunk(db, "has_results = 0 AND max_ms < ?", [.integer(min(cutoff, open))])
    }

    private static func removeResults(_ db: Database, _ chunk: Int64) throws {
        try remove(db, "settled", of: chunk) { try db.run("UPDATE chunk SET has_results = 0 WHERE id = ?", [.integer(chunk)]) }
    }

    private static func removeMinutes(_ db: Database, _ chunk: Int64) throws {
        try remove(db, "minute", of: chunk) { try db.run("DELETE FROM chunk WHERE id = ?", [.integer(chunk)]) }
    }

    private static func remove(_ db: Database, _ table: String, of chunk: Int64, then finish: () throws -> Void) throws {
        let (first, end) = (ResultID.make(chunk: chunk, target: 0), ResultID.make(chunk: chunk + 1, target: 0))
        let next = try db.integer(
            "SELECT id FROM \(table) WHERE id >= ? AND id < ? ORDER BY id LIMIT 1 OFFSET ?",
            [.integer(first), .integer(end), .integer(rowsAStep)])
        try db.inTransaction(.immediate) {
            try db.run("DELETE FROM \(table) WHERE id >= ? AND id < ?", [.integer(first), .integer(next ?? end)])
            if next == nil { try finish() }
            return .commit
        }
    }

    private static func removeIncidents(_ db: Database, before cutoff: Int64) throws -> Bool {
        let old = "SELECT id FROM incident WHERE ended_at_ms < \(cutoff) AND closed_as IS NOT NULL LIMIT \(incidentsAStep)"
        guard try db.integer(old) != nil else { return false }
        try db.inTransaction(.immediate) {
            try db.run("DELETE FROM evidence WHERE incident IN (\(old))")
            try db.run("DELETE FROM note WHERE incident IN (\(old))")
            try db.run("DELETE FROM incident WHERE id IN (\(old))")
            return .commit
        }
        return true
    }

    /// Of incidents that have ended.
    private static func removeEvidence(_ db: Database, before cutoff: Int64) throws -> Bool {
        let old = """
            SELECT DISTINCT e.incident FROM evidence e JOIN incident i ON i.id = e.incident
            WHERE i.ended_at_ms < \(cutoff) ORDER BY e.incident LIMIT \(incidentsAStep)
            """
        guard try db.integer(old) != nil else { return false }
        try db.inTransaction(.immediate) {
            try db.run("DELETE FROM evidence WHERE incident IN (\(old))")
            return .commit
        }
        return true
    }

    /// The evidence of each may have 8 KiB.
    private static let incidentsAStep = 250

    /// Transitions are in the order of their commits: age falls as the id grows, and the first to keep is found by halves. A transition
    /// that a jumping clock misdated goes with its neighbours. The newest always stays: the next id is counted from it.
    private static func removeTransitions(_ db: Database, before cutoff: Int64) throws -> Bool {
        guard let lowest = try db.integer("SELECT min(id) FROM transition"),
            let highest = try db.integer("SELECT max(id) FROM transition")
        else { return false }
        var (low, high) = (lowest, highest)
        while low < high {
            let middle = low + (high - low) / 2
            let time = try db.integer("SELECT at_ms FROM transition WHERE id >= ? ORDER BY id LIMIT 1", [.integer(middle)])
            if let time, time < cutoff { low = middle + 1 } else { high = middle }
        }
        guard low > lowest else { return false }
        try db.inTransaction(.immediate) {
            try db.run("DELETE FROM transition WHERE id < ?", [.integer(min(low, lowest + rowsAStep))])
            return .commit
        }
        return true
    }

    /// A sixteenth of the file may stay free, because the rows to come will need it.
    private static func giveBack(_ db: Database) throws -> Bool {
        let pages = try db.integer("PRAGMA page_count") ?? 0
        let free = try db.integer("PRAGMA freelist_count") ?? 0
        let excess = free - pages / 16
        guard excess > 0 else { return false }
        try db.execute(sql: "PRAGMA incremental_vacuum(\(min(excess, pagesAStep)))")
        return excess > pagesAStep
    }
}
