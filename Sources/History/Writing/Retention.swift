internal import GRDB
internal import Health
internal import Synchronization

extension History {
    /// One small step: some rows older than ``HistoryOptions/keepRaw``, then some free pages given back. Never in a commit's transaction.
    /// Returns whether there is more to do. A step that fails changes nothing and is tried again when the next is due.
    func removeSomeOfTheOld() async -> Bool {
        guard let age = options.keepRaw else { return false }
        let cutoff = options.now() + (.zero - age)
        return await onWriter { history, db in
            guard !history.memory.withLock({ $0.isClosed }) else { return false }
            do { return try Retention.step(db, cutoff: cutoff) } catch {
                history.options.onEvent(.retentionFailed(HistoryError(error, path: history.path)))
                return false
            }
        }
    }
}

/// Holds the wall clock against the monotonic one: what is deleted by a clock that jumped ahead would be gone for good.
struct WallClockWatch {
    /// A smaller jump deletes that much too early at most.
    static let jumpMin = Duration.seconds(600)
    static let distrust = Duration.seconds(3600)

    /// The wall clock at the start of the monotonic one, as of the last look.
    private var origin: Timestamp?
    private var distrustUntil = Duration.zero
    private(set) var isSteady = true

    /// Returns by how much the wall clock has jumped since the last look, when it has.
    mutating func look(wall: Timestamp, elapsed: Duration) -> Duration? {
        let now = wall + (.zero - elapsed)
        defer { origin = now }
        let jump = origin.map { now - $0 } ?? .zero
        let hasJumped = jump > Self.jumpMin || jump < .zero - Self.jumpMin
        if hasJumped { distrustUntil = elapsed + Self.distrust }
        isSteady = elapsed >= distrustUntil
        return hasJumped ? jump : nil
    }
}

enum Retention {
    static let rowsAStep: Int64 = 5000
    /// 2 MiB of pages of 4 KiB.
    static let pagesAStep: Int64 = 512

    static func step(_ db: Database, cutoff: Timestamp) throws -> Bool {
        let hasOldResults = try removeOldest(db, "result", time: "started_at_ms", cutoff: cutoff)
        let hasOldTransitions = try removeOldest(db, "transition", time: "at_ms", cutoff: cutoff)
        let hasFreePages = try giveBack(db)
        return hasOldResults || hasOldTransitions || hasFreePages
    }

    /// Rows are in the order of their commits, so age falls as the id grows and the first row to keep is found by halves. A row that a
    /// jumping clock misdated goes with its neighbours. The newest row always stays: the next id is counted from it.
    private static func removeOldest(_ db: Database, _ table: String, time: String, cutoff: Timestamp) throws -> Bool {
        guard let lowest = try db.integer("SELECT min(id) FROM \(table)"),
            let highest = try db.integer("SELECT max(id) FROM \(table)")
        else { return false }
        var (low, high) = (lowest, highest)
        while low < high {
            let middle = low + (high - low) / 2
            let time = try db.integer("SELECT \(time) FROM \(table) WHERE id >= ? ORDER BY id LIMIT 1", [.integer(middle)])
            if let time, time < cutoff.milliseconds { low = middle + 1 } else { high = middle }
        }
        guard low > lowest else { return false }
        let end = min(low, lowest + rowsAStep)
        try db.inTransaction(.immediate) {
            try db.run("DELETE FROM \(table) WHERE id < ?", [.integer(end)])
            return .commit
        }
        return end < low
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
