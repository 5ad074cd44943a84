/// A moment of wall-clock time: milliseconds since 1970-01-01T00:00:00Z. For records, never for measuring.
package struct Timestamp: Hashable, Sendable, Comparable, CustomStringConvertible {
    package var milliseconds: Int64

    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    package static func < (a: Self, b: Self) -> Bool { a.milliseconds < b.milliseconds }
    package static func + (moment: Self, duration: Duration) -> Self {
        Timestamp(milliseconds: moment.milliseconds &+ duration.wholeMilliseconds)
    }
    package static func - (later: Self, earlier: Self) -> Duration {
        .milliseconds(later.milliseconds &- earlier.milliseconds)
    }

    package var seconds: Double { Double(milliseconds) / 1000 }

    /// RFC 3339 in UTC with milliseconds, as in `2024-01-22T12:00:00.000Z`.
    package var description: String {
        let (days, millisecondOfDay) = milliseconds.quotientAndRemainderFloored(by: 86_400_000)
        let date = CivilDate(daysSinceEpoch: days)
        let second = millisecondOfDay / 1000
        return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))T"
            + "\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
            + ".\(padded(millisecondOfDay % 1000, 3))Z"
    }

    /// Reads RFC 3339 (`2024-01-22T12:00:00.000Z`, with any number of fraction digits or none, `Z` or `±hh:mm`).
    package init?(_ text: some StringProtocol) {
        var reader = DigitReader(text)
        guard let year = reader.number(4), reader.skip("-"), let month = reader.number(2), reader.skip("-"),
            let day = reader.number(2), reader.skip("T") || reader.skip("t") || reader.skip(" "),
            let hour = reader.number(2), reader.skip(":"), let minute = reader.number(2), reader.skip(":"),
            let second = reader.number(2), (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60,
            second <= 60
        else { return nil }
        let fraction = reader.skip(".") ? reader.fractionMilliseconds() : 0
        guard let fraction, let offset = reader.offsetMinutes(), reader.isAtEnd else { return nil }
        let days = CivilDate(year: year, month: month, day: day).daysSinceEpoch
        // The 31st of a shorter month would silently become a day of the next one.
        guard CivilDate(daysSinceEpoch: days).day == day else { return nil }
        let minutes = days * 1440 + hour * 60 + minute - offset
        milliseconds = (minutes * 60 + second) * 1000 + fraction
    }
}

/// A date of the proleptic Gregorian calendar; the algorithms are Howard Hinnant's `days_from_civil` and `civil_from_days`
/// (https://howardhinnant.github.io/date_algorithms.html).
struct CivilDate {
    var year: Int64
    var month: Int64
    var day: Int64

    init(year: Int64, month: Int64, day: Int64) {
        self.year = year
        self.month = month
        self.day = day
    }

    init(daysSinceEpoch: Int64) {
        let (era, dayOfEra) = (daysSinceEpoch + 719_468).quotientAndRemainderFloored(by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    var daysSinceEpoch: Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = shiftedYear.quotientAndRemainderFloored(by: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}

private struct DigitReader<Text: StringProtocol> {
    private var rest: Text.SubSequence.UTF8View.SubSequence

    init(_ text: Text) { rest = text[...].utf8[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard let first = rest.first, UInt32(first) == character.value else { return false }
        rest = rest.dropFirst()
        return true
    }

    mutating func digit() -> Int64? {
        guard let first = rest.first, (48...57).contains(first) else { return nil }
        rest = rest.dropFirst()
        return Int64(first) - 48
    }

    mutating func number(_ digits: Int) -> Int64? {
        var value: Int64 = 0
        for _ in 0..<digits {
            guard let digit = digit() else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    mutating func fractionMilliseconds() -> Int64? {
        guard var value = digit() else { return nil }
        var digits = 1
        while let next = digit() {
            if digits < 3 { value = value * 10 + next }
            digits += 1
        }
        while digits < 3 {
            value *= 10
            digits += 1
        }
        return value
    }

    mutating func offsetMinutes() -> Int64? {
        if skip("Z") || skip("z") { return 0 }
        let sign: Int64
        if skip("+") { sign = 1 } else if skip("-") { sign = -1 } else { return nil }
        guard let hours = number(2), skip(":"), let minutes = number(2), hours < 24, minutes < 60 else { return nil }
        return sign * (hours * 60 + minutes)
    }
}

private func padded(_ value: Int64, _ width: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, width - text.count)) + text
}

extension Duration {
    /// Rounded toward zero.
    package var wholeMilliseconds: Int64 { wholeMicroseconds / 1000 }

    /// Rounded toward zero; saturates where `Int64` ends (292,000 years).
    package var wholeMicroseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, overflowed) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000_000)
        return overflowed ? (seconds < 0 ? .min : .max) : sum
    }

    package var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}
