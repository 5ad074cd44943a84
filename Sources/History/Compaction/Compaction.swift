internal import GRDB
internal import Health
internal import Synchronization

/// What the mover knows between two steps, all of which can be found again.
struct Compaction: Sendable {
    /// The chunk that is being moved, and how many targets' worth of ids make one step of it.
    var chunk: (id: Int64, span: Int64)?
    var hours = HourRollup()
}

extension History {
    /// One small step: some results moved from `recent` to `settled` and counted in their rollups, or some that have been moved deleted.
    /// Never in a commit's transaction. Returns whether there is more to do. A step that fails changes nothing and is tried again.
    @discardableResult
    package func settle() async -> Bool {
        await onWriter { history, db in
            guard !history.memory.withLock({ $0.isClosed }) else { return false }
            do {
                // Nothing is lost by it: what a power failure takes back is done again, and the next commit makes it durable. Not from the
                // cache of statements: SQLite carries this one out while it prepares it.
                try db.execute(sql: "PRAGMA synchronous = NORMAL")
                let step = Result {
                    try history.memory.withLock { memory in
                        let hasMore = try Compactor.step(db, &memory.settling, history.options)
                        memory.settlingTrouble = nil
                        return hasMore
                    }
                }
                try db.execute(sql: "PRAGMA synchronous = FULL")
                return try step.get()
            } catch {
                let error = HistoryError(error, path: history.path)
                let known = history.memory.withLock { memory in
                    memory.note(error)
                    defer { (memory.settling, memory.settlingTrouble) = (Compaction(), error.code) }
                    return memory.settlingTrouble
                }
                if known != error.code { history.options.onEvent(.settlingFailed(error)) }
                return false
            }
        }
    }
}

/// Moves chunks that are complete: target after target into `settled`, the counts of each into its minutes in the same transaction; then
/// adds up hours that are over, and days. So wherever it is stopped, each result is in one ordinal and counted once.
enum Compactor {
    static func step(_ db: Database, _ settling: inout Compaction, _ options: HistoryOptions) throws -> Bool {
        let rows = options.settlingRows
        if let chunk = try Chunk.toMove(db) {
            if settling.chunk?.id != chunk.id { settling.chunk = (chunk.id, try chunk.span(db, rows: rows)) }
            let span = settling.chunk?.span ?? 1
            try db.inTransaction(.immediate) {
                try move(db, chunk, targets: chunk.moved + 1..<min(chunk.moved + 1 + span, ResultID.targetMax))
                return .commit
            }
            // It may have minutes of the hour that is being added up, or of one in which nothing was found.
            settling.hours = HourRollup()
            return true
        }
        if try deleteMoved(db, rows: rows) { return true }
        if try settling.hours.step(db, rows: rows, lag: options.chunkLength.wholeMilliseconds) { return true }
        return try DayRollup.step(db, rows: rows, hoursDoneBefore: settling.hours.isDoneBefore)
    }

    private static func move(_ db: Database, _ chunk: Chunk, targets: Range<Int64>) throws {
        let rows = try chunk.rows(db, of: targets)
        var order = rows.indices.map { CompactionOrder(inChunk: ResultID.inChunk(rows[$0].id), index: $0) }
        order.sort { ($0.inChunk, $0.index) < ($1.inChunk, $1.index) }
        // Two of one ordinal would keep this chunk, and all that follow it, from being moved: the second takes the next.
        for ordinal in order.indices.dropFirst() where order[ordinal].inChunk <= order[ordinal - 1].inChunk {
            order[ordinal].inChunk = order[ordinal - 1].inChunk + 1
        }
        var run = try CompactionRun(db, chunk)
        var start = order.startIndex
        while start < order.endIndex {
            let target = ResultID.target(order[start].inChunk)
            var end = start + 1
            while end < order.endIndex, ResultID.target(order[end].inChunk) == target { end += 1 }
            try run.settle(rows, order[start..<end], of: target)
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

    /// Some of those, from the front, so that whole pages become free. Returns whether there were any.
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

/// A row of `chunk` that is complete.
struct Chunk {
    let id: Int64
    let base: Int64
    let commits: Range<Int64>
    /// The last target that has been moved.
    let moved: Int64
    let lastTarget: Int64

    /// As the index `chunk_to_move` says it.
    static let isToMove = "moved < \(ResultID.targetMax)"

    static func toMove(_ db: Database) throws -> Chunk? {
        var found: Chunk?
        let lastTarget = min(try db.integer("SELECT max(id) FROM target") ?? 0, ResultID.targetMax)
        let newest = try db.integer("SELECT max(id) FROM recent").map(ResultID.chunk) ?? 0
        try db.run(
            """
            SELECT id, base_ms, first_commit, end_commit, moved FROM chunk
            WHERE end_commit IS NOT NULL AND \(Chunk.isToMove) ORDER BY id LIMIT 1
            """
        ) { row in
            let first = row.integer(2) ?? 0
            found = Chunk(
                id: row.integer(0) ?? 0, base: row.integer(1) ?? 0, commits: first..<max(first, min(row.number(3), newest + 1)),
                moved: row.integer(4) ?? 0, lastTarget: lastTarget)
            return false
        }
        return found
    }

    /// How many ids of targets have about so many results.
    func span(_ db: Database, rows: Int) throws -> Int64 {
        let range = [commits.lowerBound, commits.upperBound].map { Cell.integer(ResultID.make(chunk: $0, target: 0)) }
        let count = try db.integer("SELECT count(*) FROM recent WHERE id >= ? AND id < ?", range) ?? 0
        return max(1, Int64(rows) * max(1, lastTarget) / max(1, count))
    }

    /// Those of some targets, with their ids in `recent`: one search in each commit.
    func rows(_ db: Database, of targets: Range<Int64>) throws -> [CompactionRun.Row] {
        var rows: [CompactionRun.Row] = []
        let select = try Prepared(db, "SELECT id, \(ResultValues.columns) FROM recent WHERE id >= ? AND id < ?")
        for commit in commits {
            let range = ResultID.range(chunk: commit, targets: targets)
            select.bind(range.lowerBound, at: 1)
            select.bind(range.upperBound, at: 2)
            try select.run { row in
                rows.append((row.id(0), ResultValues(row, from: 1)))
                return true
            }
        }
        return rows
    }
}
