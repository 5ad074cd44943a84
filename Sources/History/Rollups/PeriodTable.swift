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

    /// Rows from the front. Answers whether there were any.
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
    /// What stands in ``PeriodTable/columnsWithoutPhases``, but for how the latency was spread.
    mutating func addCounts(_ row: CellReader, from column: Int32) {
        addProbes(row, from: column)
        time.merge(
            StatusTime(
                up: row.number(column + 4), degraded: row.number(column + 5), down: row.number(column + 6),
                maintenance: row.number(column + 7)))
        addSums(row, from: column + 8)
    }

    /// The same of a row of `minute`, which has no times.
    mutating func addMinuteCounts(_ row: CellReader, from column: Int32) {
        addProbes(row, from: column)
        addSums(row, from: column + 4)
    }

    private mutating func addProbes(_ row: CellReader, from column: Int32) {
        probes &+= row.count(column)
        failures &+= row.count(column + 1)
        voids &+= row.count(column + 2)
        row.withText(column + 3) { addReasons($0) }
    }

    private mutating func addSums(_ row: CellReader, from column: Int32) {
        // All three are there or none.
        guard let own = row.integer(column + 1) else { return }
        sum &+= row.number(column)
        least = min(least ?? own, own)
        let greatest = row.number(column + 2)
        most = max(most ?? greatest, greatest)
    }

    func bindCounts(to statement: Prepared, from index: Int32) {
        for (offset, count) in [probes, failures, voids].enumerated() { statement.bind(Int64(count), at: index + Int32(offset)) }
        statement.bind(reasons.isEmpty ? .null : .text(Self.text(of: reasons)), at: index + 3)
    }

    func bindSums(to statement: Prepared, from index: Int32) {
        statement.bind(least == nil ? nil : sum, at: index)
        statement.bind(least, at: index + 1)
        statement.bind(most, at: index + 2)
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

    /// Of the latency; exact at both ends.
    func percentile(_ share: Double) -> Int64? {
        latency.percentile(share).map { min(max($0, least ?? $0), most ?? $0) }
    }

    /// JSON, so that SQLite's json_each reads it. The words are from a closed set, and none needs an escape.
    static func text(of reasons: [String: Int]) -> String {
        "{" + reasons.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
    }

    /// By bytes and not by characters: a page of thousands of targets reads hundreds of thousands of these.
    mutating func addReasons(_ text: UnsafeRawBufferPointer) {
        var (word, start) = (0..<0, 0)
        while start < text.count {
            let byte = text[start]
            start += 1
            if byte == UInt8(ascii: "\"") {
                let end = text[start...].firstIndex(of: byte) ?? text.count
                (word, start) = (start..<end, min(end + 1, text.count))
            } else if (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
                var count = Int(byte & 0xf)
                while start < text.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[start]), count < 1 << 40 {
                    count = count * 10 + Int(text[start] & 0xf)
                    start += 1
                }
                reasons[String(decoding: text[word], as: UTF8.self), default: 0] += count
            }
        }
    }
}
