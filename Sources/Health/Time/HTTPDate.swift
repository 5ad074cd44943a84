extension Timestamp {
    /// Reads a date as HTTP has it, in all three forms of RFC 9110 section 5.6.7 and in those that servers make up: by the rules of RFC 6265
    /// section 5.1.1, which were made of what is met. To the second, in UTC.
    package init?(httpDate bytes: some Collection<UInt8>) {
        let isDelimiter = { (byte: UInt8) in
            byte == 0x09 || [0x20...0x2f, 0x3b...0x40, 0x5b...0x60, 0x7b...0x7e].contains { $0.contains(byte) }
        }
        var time: (hour: Int64, minute: Int64, second: Int64)?
        var (day, month, year): (Int64?, Int64?, Int64?)
        for token in bytes.split(whereSeparator: isDelimiter) {
            if time == nil, let found = Self.time(token) {
                time = found
            } else if day == nil, let found = Self.number(token, digits: 1...2) {
                day = found
            } else if month == nil, let found = Self.month(token) {
                month = found
            } else if year == nil, let found = Self.number(token, digits: 2...4) {
                year = found + (found < 70 ? 2000 : found < 100 ? 1900 : 0)
            }
        }
        guard let time, let day, let month, let year, year >= 1601, time.hour < 24, time.minute < 60, time.second < 60 else {
            return nil
        }
        let days = CivilDate(year: year, month: month, day: day).daysSinceEpoch
        // The 31st of a shorter month would silently become a day of the next one.
        guard CivilDate(daysSinceEpoch: days).day == day else { return nil }
        self.init(milliseconds: (((days * 24 + time.hour) * 60 + time.minute) * 60 + time.second) * 1000)
    }

    /// So many digits at the beginning and no more; what follows them means nothing.
    private static func number(_ token: some Collection<UInt8>, digits: ClosedRange<Int>) -> Int64? {
        let number = token.prefix { (48...57).contains($0) }
        guard digits.contains(number.count) else { return nil }
        return number.reduce(0) { $0 * 10 + Int64($1) - 48 }
    }

    private static func time(_ token: some Collection<UInt8>) -> (Int64, Int64, Int64)? {
        let parts = token.split(separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
        let numbers = parts.compactMap { number($0, digits: 1...2) }
        // Only the last may have something after its digits.
        guard numbers.count == 3, parts.dropLast().allSatisfy({ $0.count <= 2 && $0.allSatisfy { (48...57).contains($0) } })
        else {
            return nil
        }
        return (numbers[0], numbers[1], numbers[2])
    }

    private static func month(_ token: some Collection<UInt8>) -> Int64? {
        let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        let name = token.prefix(3).map { $0 | 0x20 }
        return months.firstIndex { $0.utf8.elementsEqual(name) }.map { Int64($0) + 1 }
    }
}
