internal import GRDB
internal import Health
internal import LockOrder

/// Moves the results of chunks that are complete: target after target into `settled`, the counts of each into its minutes in the same
/// transaction. Then it adds up hours that are over, and days. Wherever it is stopped, each result has one ordinal and is counted once.
final class Compactor: Sendable {
    /// What is known between two steps. All of it can be found again.
    private struct Work: Sendable {
        /// The chunk that is being moved, and how many targets' worth of ids make one step of it.
        var chunk: (id: Int64, span: Int64)?
        var hours = HourRollup()
    }

    private enum State: Sendable {
        case working(Work)
        /// The last step failed: the failure was reported, and the next step finds its work again.
        case failed(HistoryError.Code)
    }

    /// How many results are moved, or deleted, in one step.
    private let rows: Int
    /// How long after its end an hour is left alone.
    private let lag: Duration
    private let state = OrderedMutex(State.working(Work()), rank: .historyWriter)

    init(rows: Int, lag: Duration) { (self.rows, self.lag) = (rows, lag) }

    /// One step in a transaction of its own. Returns whether there is more to do. A step that fails changes nothing.
    func step(_ db: Database) throws -> Bool {
        // Nothing is lost by NORMAL: what a power failure takes back is done again, and the next commit makes it durable. Not from the cache
        // of statements: SQLite carries this statement out while it prepares it.
        try db.execute(sql: "PRAGMA synchronous = NORMAL")
        let hasMore = Result {
            try state.withLock { state in
                var work = if case .working(let work) = state { work } else { Work() }
                let hasMore = try step(db, &work)
                state = .working(work)
                return hasMore
            }
        }
        try db.execute(sql: "PRAGMA synchronous = FULL")
        return try hasMore.get()
    }

    /// - Returns: whether the failure is another one than that of the step before.
    func noteFailure(_ code: HistoryError.Code) -> Bool {
        state.withLock { state in
            defer { state = .failed(code) }
            if case .failed(code) = state { return false }
            return true
        }
    }

    private func step(_ db: Database, _ work: inout Work) throws -> Bool {
        if let chunk = try Chunk.toMove(db) {
            if work.chunk?.id != chunk.id { work.chunk = (chunk.id, try chunk.span(db, rows: rows)) }
            let span = work.chunk?.span ?? 1
            try db.inTransaction(.immediate) {
                try Self.move(db, chunk, targets: chunk.moved + 1..<min(chunk.moved + 1 + span, ResultID.targetMax))
                return .commit
            }
            // The chunk may have minutes of the hour that is being added up, or of an hour in which nothing was found.
            work.hours = HourRollup()
            return true
        }
        if try Self.deleteMoved(db, rows: rows) { return true }
        if try work.hours.step(db, rows: rows, lag: lag.wholeMilliseconds) { return true }
        return try DayRollup.step(db, rows: rows, hoursDoneBefore: work.hours.isDoneBefore)
    }

    private static func move(_ db: Database, _ chunk: Chunk, targets: Range<Int64>) throws {
        let rows = try chunk.rows(db, of: targets)
        var order = rows.indices.map { CompactionOrder(inChunk: ResultID.inChunk(rows[$0].id), index: $0) }
        order.sort { ($0.inChunk, $0.index) < ($1.inChunk, $1.index) }
        // Two results with one ordinal would keep this chunk, and all that follow it, from being moved. The second takes the next ordinal.
        for ordinal in order.indices.dropFirst() where order[ordinal].inChunk <= order[ordinal - 1].inChunk {
            order[ordinal].inChunk = order[ordinal - 1].inChunk + 1
        }
        var run = try CompactionRun(db, chunk)
        var start = order.startIndex
        while start < order.endIndex {
            let target = ResultID.target(order[start].inChunk)
            var end = start + 1
            while end < order.endIndex, ResultID.target(order[end].inChunk) == target { end += 1 }
            try run.move(rows, order[start..<end], of: target)
            start = end
        }
        try run.finish(
            movedTo: targets.upperBound == ResultID.targetMax || targets.upperBound > chunk.lastTarget
                ? ResultID.targetMax : targets.upperBound - 1)
    }

    /// Whether `recent` begins with rows that nobody reads any more.
    static func hasMovedRows(_ db: Database) throws -> Bool {
        guard let first = try db.integer("SELECT min(id) FROM recent") else { return false }
        return first < (try endOfMoved(db))
    }

    private static func endOfMoved(_ db: Database) throws -> Int64 {
        try db.integer("SELECT first_commit FROM chunk WHERE \(Chunk.isToMove) ORDER BY id LIMIT 1")
            .map { ResultID.make(chunk: $0, target: 0) } ?? .max
    }

    /// Deletes some of those rows, from the front, so that whole pages become free. Returns whether there were any.
    private static func deleteMoved(_ db: Database, rows: Int) throws -> Bool {
        guard try hasMovedRows(db) else { return false }
        let end = try endOfMoved(db)
        let next = try db.integer("SELECT id FROM recent ORDER BY id LIMIT 1 OFFSET ?", [Cell(rows)]) ?? .max
        try db.inTransaction(.immediate) {
            try db.run("DELETE FROM recent WHERE id < ?", [.integer(min(next, end))])
            return .commit
        }
        return true
    }
}
