import Health

/// Numbers as the pages show them.
package enum ShownNumber {
    static let none = "–"

    /// Milliseconds without their unit, which stands at the head of the column: two digits that count, and always so many behind the point.
    package static func milliseconds(_ duration: Duration?) -> String {
        guard let microseconds = duration?.wholeMicroseconds else { return none }
        if microseconds >= 9_950 { return grouped(Int((microseconds + 500) / 1000)) }
        let (unit, digits): (Int64, Int) = microseconds >= 995 ? (100, 1) : (10, 2)
        let rounded = (max(0, microseconds) + unit / 2) / unit
        let scale: Int64 = 1000 / unit
        let rest = String(rounded % scale)
        return "\(rounded / scale).\(String(repeating: "0", count: digits - rest.count))\(rest)"
    }

    /// A duration that somebody has set: whole seconds have no digit behind the point.
    static func setting(_ duration: Duration) -> String { durationWords(duration).replacing(".0 s", with: " s") }

    /// A line of a plot: with its unit.
    static func axis(_ duration: Duration) -> String {
        let microseconds = duration.wholeMicroseconds
        if microseconds < 1000 { return "\(microseconds) µs" }
        if microseconds < 1_000_000 { return "\(fixed(Double(microseconds) / 1000, digits: 1)) ms" }
        return "\(fixed(Double(microseconds) / 1_000_000, digits: 1)) s"
    }

    /// Floored at its last digit, so that 99.9996 is never 100; nil where nothing is known.
    package static func availability(available: Int64, of known: Int64) -> String? {
        guard known > 0 else { return nil }
        // In thousandths of a per cent.
        let value = Int(available.multipliedReportingOverflow(by: 100_000).partialValue / known)
        let rest = String(value % 1000)
        return value == 100_000 ? "100 %" : "\(value / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest) %"
    }

    /// A share of time in per cent with one digit, rounded up from nothing: what is there is never 0.
    package static func share(_ part: Int64, of whole: Int64) -> String {
        guard whole > 0, part > 0 else { return "0 %" }
        let tenths = max(1, min(1000, (part * 1000 + whole / 2) / whole))
        return tenths == 1000 && part < whole ? "99.9 %" : "\(fixed(Double(tenths) / 10, digits: 1)) %"
    }

    /// `1.8 GiB`.
    static func bytes(_ count: Int64) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        var (value, unit) = (Double(count), 0)
        while value >= 1024, unit + 1 < units.count {
            value /= 1024
            unit += 1
        }
        return "\(fixed(value, digits: value < 10 && unit > 0 ? 1 : 0)) \(units[unit])"
    }

    /// `48,210`.
    package static func grouped(_ number: Int) -> String {
        let digits = String(number.magnitude)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return number < 0 ? "-" + text : text
    }
}
