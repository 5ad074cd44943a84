internal import GRDB

/// A row of `chunk` as a reader sees it.
struct StoredChunk {
    let id: Int64
    let base: Int64
    let firstCommit: Int64
    let endCommit: Int64?
    let moved: Int64

    /// Chunks that may have results of a span of time. A chunk that hasn't been moved may have results of any time.
    static func all(_ db: Database, _ span: Range<Int64>, from first: Int64 = 0) throws -> [StoredChunk] {
        try read(
            db, "id >= ? AND (\(Chunk.isToMove) OR max_ms >= ? AND min_ms < ?)",
            [.integer(first), .integer(span.lowerBound), .integer(span.upperBound)])
    }

    static func toMove(_ db: Database) throws -> [StoredChunk] { try read(db, Chunk.isToMove, []) }

    /// Chunks that have moved results of a span of time, also when only some of their results have been moved.
    static func moved(_ db: Database, _ span: Range<Int64>) throws -> [StoredChunk] {
        try read(db, "max_ms >= ? AND min_ms < ?", [.integer(span.lowerBound), .integer(span.upperBound)])
    }

    private static func read(_ db: Database, _ condition: String, _ cells: [Cell]) throws -> [StoredChunk] {
        var chunks: [StoredChunk] = []
        try db.run(
            "SELECT id, base_ms, first_commit, end_commit, moved FROM chunk WHERE \(condition) ORDER BY id", cells
        ) { row in
            chunks.append(
                StoredChunk(
                    id: row.integer(0) ?? 0, base: row.integer(1) ?? 0, firstCommit: row.integer(2) ?? 0,
                    endCommit: row.integer(3), moved: row.integer(4) ?? 0))
            return true
        }
        return chunks
    }
}
