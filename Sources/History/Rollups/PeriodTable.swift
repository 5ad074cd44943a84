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

extension Tally {
    /// - Parameter column: where ``PeriodTable/columns`` begin.
    init(_ row: CellReader, from column: Int32) {
        self.init()
        addLatency(row, from: column)
        phases = PhaseDistributions(row.blob(column + 12))
    }

    /// Adds what stands in ``PeriodTable/columnsWithoutPhases``.
    mutating func addLatency(_ row: CellReader, from column: Int32) {
        addCounts(row, from: column)
        latency.merge(Distribution(row.blob(column + 11)))
    }

    /// The same without how the latency was spread.
    mutating func addCounts(_ row: CellReader, from column: Int32) {
        probes &+= row.count(column)
        failures &+= row.count(column + 1)
        voids &+= row.count(column + 2)
        row.withText(column + 3) { addReasons($0) }
        time.merge(
            StatusTime(
                up: row.integer(column + 4) ?? 0, degraded: row.integer(column + 5) ?? 0, down: row.integer(column + 6) ?? 0,
                maintenance: row.integer(column + 7) ?? 0))
        addSums(row, from: column + 8)
    }

    /// - Parameter column: where the columns of a row of `minute` begin, without its time.
    mutating func addMinuteCounts(_ row: CellReader, from column: Int32) {
        probes &+= row.count(column)
        failures &+= row.count(column + 1)
        voids &+= row.count(column + 2)
        row.withText(column + 3) { addReasons($0) }
        addSums(row, from: column + 4)
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
