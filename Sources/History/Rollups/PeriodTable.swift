internal import GRDB
internal import Health

/// The table of the hours or of the days: a row for each target and period in which something is known of it.
struct PeriodTable {
    static let hours = PeriodTable(name: "hour", milliseconds: 3_600_000)
    static let days = PeriodTable(name: "day", milliseconds: 86_400_000)

    let name: String
    let milliseconds: Int64

    static let columns = columnsWithoutPhases + ", phases"
    /// Where ``columns`` are selected from.
    var withPhases: String { "\(name) LEFT JOIN \(name)_phases USING (id)" }
    static let columnsWithoutPhases =
        "probes, failures, voids, reasons, up_ms, degraded_ms, down_ms, maintenance_ms, sum_us, min_us, max_us, latency"

    static let columnCount: Int32 = 13

    /// Removes rows from the front. Returns whether there were any.
    func removeFirst(_ db: Database, before end: Int64, rows: Int64) throws -> Bool {
        guard let first = try db.integer("SELECT min(id) FROM \(name)"), first < end else { return false }
        let next = try db.integer("SELECT id FROM \(name) ORDER BY id LIMIT 1 OFFSET ?", [.integer(rows)]) ?? .max
        try db.inTransaction(.immediate) {
            for table in [name, "\(name)_phases"] {
                try db.run("DELETE FROM \(table) WHERE id < ?", [.integer(min(next, end))])
            }
            return .commit
        }
        return true
    }
}

extension Rollup {
    /// Reads what is in ``PeriodTable/columnsWithoutPhases``, except how the latency was spread.
    mutating func addCounts(_ row: CellReader, from column: Int32) {
        counts.addProbes(row, from: column)
        time.merge(
            StatusTime(
                up: row.number(column + 4), degraded: row.number(column + 5), down: row.number(column + 6),
                maintenance: row.number(column + 7)))
        counts.addSums(row, from: column + 8)
    }

    var latencyCell: Cell {
        var bytes: [UInt8] = []
        latency.write(to: &bytes)
        return bytes.isEmpty ? .null : .blob(bytes)
    }

    var phasesCell: Cell {
        if phases.isEmpty { return .null }
        var bytes: [UInt8] = []
        phases.write(to: &bytes)
        return .blob(bytes)
    }
}
