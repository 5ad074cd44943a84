internal import GRDB

/// A row of `chunk` that is complete.
struct Chunk {
    let id: Int64
    let base: Int64
    let commits: Range<Int64>
    /// The last target that has been moved.
    let moved: Int64
    let lastTarget: Int64

    /// The condition of the index `chunk_to_move`.
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

    /// How many ids of targets have about `rows` results.
    func span(_ db: Database, rows: Int) throws -> Int64 {
        let range = [commits.lowerBound, commits.upperBound].map { Cell.integer(ResultID.make(chunk: $0, target: 0)) }
        let count = try db.integer("SELECT count(*) FROM recent WHERE id >= ? AND id < ?", range) ?? 0
        return max(1, Int64(rows) * max(1, lastTarget) / max(1, count))
    }

    /// The results of some targets, with their ids in `recent`: one search in each commit.
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
