internal import GRDB
package import Health

/// The pinned views, row by row, in short transactions: a long transaction would keep the WAL from being folded in.
package struct HistoryExport: Sendable {
    package enum View: String, CaseIterable, Sendable {
        case results = "probe_history"
        case availability = "availability_history"
        case incidents = "incident_history"
    }

    /// A value of a view.
    package enum Value: Hashable, Sendable {
        case null
        case integer(Int64)
        case text(String)
    }

    /// About how many rows are read in one transaction.
    static let rowsAStep: Int64 = 5000

    /// The names of the view's columns.
    package let columns: [String]
    private let reader: HistoryReader
    private let view: View
    private let span: Range<Int64>
    /// The index of the column that has a row's time.
    private let timeColumn: Int

    /// - Parameter span: when results started, or when hours and incidents began.
    package init(_ reader: HistoryReader, _ view: View, in span: Range<Timestamp>) throws(HistoryError) {
        (self.reader, self.view, self.span) = (reader, view, span.milliseconds)
        columns = try reader.read { db in
            var names: [String] = []
            try db.run("SELECT name FROM pragma_table_info(?)", [.text(view.rawValue)]) { row in
                names.append(row.text(0) ?? "")
                return true
            }
            return names
        }
        timeColumn = columns.firstIndex(of: view == .availability ? "start_ms" : "started_at_ms") ?? 0
    }

    /// Delivers the rows whose time is in the span, in the order in which they are kept: results by chunk and then by target, other rows by
    /// time.
    ///
    /// - Parameter body: is called between transactions, with the share of all rows that has been read. An error that it throws ends the
    ///   export.
    package func run(_ body: (_ rows: [[Value]], _ progress: Double) throws -> Void) throws {
        switch view {
        case .results: try runResults(body)
        case .availability:
            let first = PeriodID.make(period: max(0, span.lowerBound.flooredQuotient(by: Counting.hour)), target: 0)
            try runByID(
                Source(id: "h.id", columns: ViewSQL.availabilityColumns, tables: ViewSQL.availabilitySources, table: "hour"),
                from: first - 1, body)
        case .incidents:
            try runByID(
                Source(id: "incident_id", columns: "*", tables: "incident_history", table: "incident"), from: 0, body)
        }
    }

    /// The tables from which a view without chunks is read, in the order of its ids.
    private struct Source {
        var id: String
        var columns: String
        var tables: String
        /// The table that the ids are of.
        var table: String
    }

    private func runByID(_ source: Source, from first: Int64, _ body: ([[Value]], Double) throws -> Void) throws {
        var cursor = first
        while true {
            let after = cursor
            let page = try reader.read { db in try self.page(db, source, after: after) }
            guard let last = page.last else { return }
            try deliver(page.rows, Double(last - first) / Double(max(1, page.newest - first)), body)
            cursor = last
        }
    }

    private func page(
        _ db: Database, _ source: Source, after cursor: Int64
    ) throws -> (rows: [[Value]], last: Int64?, newest: Int64) {
        var (rows, last): ([[Value]], Int64?) = ([], nil)
        try db.run(
            "SELECT \(source.id), \(source.columns) FROM \(source.tables) WHERE \(source.id) > ? ORDER BY \(source.id) LIMIT ?",
            [.integer(cursor), .integer(Self.rowsAStep)]
        ) { row in
            last = row.id(0)
            rows.append(values(row, from: 1))
            return true
        }
        return (rows, last, try db.integer("SELECT max(id) FROM \(source.table)") ?? cursor)
    }

    /// A chunk at a time, and in the chunk some targets at a time. While a chunk is being moved, each of its results is in one of two
    /// tables in each transaction.
    private func runResults(_ body: ([[Value]], Double) throws -> Void) throws {
        var (chunk, target): (Int64, Int64) = (0, 1)
        var first: Int64?
        while true {
            let step = try reader.read { [chunk, target] db in try self.step(db, chunk: chunk, target: target) }
            guard let step else { return }
            let start = first ?? step.chunk
            first = start
            try deliver(step.rows, Double(step.chunk - start) / Double(step.last - start + 1), body)
            (chunk, target) = step.next
        }
    }

    private func step(
        _ db: Database, chunk: Int64, target: Int64
    ) throws -> (rows: [[Value]], chunk: Int64, last: Int64, next: (Int64, Int64))? {
        let chunks = try StoredChunk.all(db, span, from: chunk)
        guard let here = chunks.first, let last = chunks.last else { return nil }
        let first = here.id == chunk ? target : 1
        let lastTarget = try db.integer("SELECT max(id) FROM target") ?? 0
        // With ten results of each target this is about a step's number of rows. The ordinals bound how many results a chunk can hold.
        let end = min(lastTarget + 1, first + Self.rowsAStep / 10)
        var rows: [[Value]] = []
        let moved = ResultID.range(chunk: here.id, targets: first..<max(first, min(end, here.moved + 1)))
        try db.run(
            """
            SELECT \(ViewSQL.resultColumns("r.id", "r")) FROM settled r JOIN chunk c ON c.id = \(ResultID.chunkSQL("r.id"))
            LEFT JOIN target t ON t.id = \(ResultID.targetSQL("r.id")) \(ViewSQL.resultWords("r")) WHERE r.id >= ? AND r.id < ? ORDER BY r.id
            """, [.integer(moved.lowerBound), .integer(moved.upperBound)]
        ) { row in
            rows.append(values(row, from: 0))
            return true
        }
        if here.moved < end - 1 { rows += try waiting(db, here, max(first, here.moved + 1)..<end) }
        return (rows, here.id, last.id, end > lastTarget ? (here.id + 1, 1) : (here.id, end))
    }

    /// Results of some targets that haven't been moved: one search in each commit.
    private func waiting(_ db: Database, _ chunk: StoredChunk, _ targets: Range<Int64>) throws -> [[Value]] {
        var found: [(id: Int64, row: [Value])] = []
        let end = try chunk.endCommit ?? (db.integer("SELECT max(id) FROM recent").map(ResultID.chunk) ?? 0) + 1
        let select = try Prepared(
            db,
            """
            SELECT \(ViewSQL.resultColumns("\(ResultID.firstSQL("c.id")) | \(ResultID.inChunkSQL("r.id"))", "r")) FROM recent r JOIN chunk c ON c.id = \(chunk.id)
            LEFT JOIN target t ON t.id = \(ResultID.targetSQL("r.id")) \(ViewSQL.resultWords("r")) WHERE r.id >= ? AND r.id < ?
            """)
        for commit in chunk.firstCommit..<max(chunk.firstCommit, end) {
            let range = ResultID.range(chunk: commit, targets: targets)
            select.bind(range.lowerBound, at: 1)
            select.bind(range.upperBound, at: 2)
            try select.run { row in
                found.append((row.id(0), values(row, from: 0)))
                return true
            }
        }
        return found.sorted { $0.id < $1.id }.map(\.row)
    }

    private func deliver(_ rows: [[Value]], _ progress: Double, _ body: ([[Value]], Double) throws -> Void) throws {
        try body(
            rows.filter { row in
                if case .integer(let time) = row[timeColumn] { span.contains(time) } else { false }
            }, progress)
    }

    private func values(_ row: CellReader, from column: Int32) -> [Value] {
        (column..<column + Int32(columns.count)).map { column in
            switch row.cell(column) {
            case .integer(let value): .integer(value)
            case .text(let text): .text(text)
            case .null, .blob: .null
            }
        }
    }
}
