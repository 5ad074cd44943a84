internal import GRDB

/// How counts are stored in the rows of minutes, hours and days.
extension ResultCounts {
    /// Reads a row of `minute`, which has no times.
    mutating func addMinute(_ row: CellReader, from column: Int32) {
        addProbes(row, from: column)
        addSums(row, from: column + 4)
    }

    /// Reads the columns `probes, failures, voids, reasons`.
    mutating func addProbes(_ row: CellReader, from column: Int32) {
        probes &+= row.count(column)
        failures &+= row.count(column + 1)
        voids &+= row.count(column + 2)
        row.withText(column + 3) { addReasons($0) }
    }

    /// Reads the columns `sum_us, min_us, max_us`.
    mutating func addSums(_ row: CellReader, from column: Int32) {
        // Either all three columns have a value or none.
        guard let own = row.integer(column + 1) else { return }
        sum &+= row.number(column)
        least = min(least ?? own, own)
        let greatest = row.number(column + 2)
        most = max(most ?? greatest, greatest)
    }

    /// Writes the columns `probes, failures, voids, reasons`.
    func bindProbes(to statement: Prepared, from index: Int32) {
        for (offset, count) in [probes, failures, voids].enumerated() { statement.bind(Int64(count), at: index + Int32(offset)) }
        statement.bind(reasons.isEmpty ? .null : .text(Self.text(of: reasons)), at: index + 3)
    }

    /// Writes the columns `sum_us, min_us, max_us`.
    func bindSums(to statement: Prepared, from index: Int32) {
        statement.bind(least == nil ? nil : sum, at: index)
        statement.bind(least, at: index + 1)
        statement.bind(most, at: index + 2)
    }

    /// JSON, so that SQLite's json_each reads it. The words are from a closed set, and none needs an escape.
    static func text(of reasons: [String: Int]) -> String {
        "{" + reasons.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
    }

    /// By bytes and not by characters: a page of thousands of targets reads hundreds of thousands of these texts.
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
