/// The five fields of crontab(5): minute, hour, day of the month, month, day of the week (0 and 7 are Sunday), in UTC. Each is `*`, a number,
/// a range, a list of those, and any of them with a step. As in cron, where both days are given either will do.
package struct CronSchedule: Hashable, Sendable {
    private let minutes: UInt64
    private let hours: UInt64
    private let days: UInt64
    private let months: UInt64
    private let weekdays: UInt64
    private let isAnyDay: Bool
    private let isAnyWeekday: Bool

    package init?(_ text: String) {
        let fields = text.split(separator: " ")
        let ranges = [0...59, 0...23, 1...31, 1...12, 0...7]
        guard fields.count == ranges.count else { return nil }
        let sets = zip(fields, ranges).compactMap { Self.set($0, $1) }
        guard sets.count == ranges.count else { return nil }
        (minutes, hours, days, months) = (sets[0], sets[1], sets[2], sets[3])
        weekdays = sets[4] & 0x7F | sets[4] >> 7 & 1
        (isAnyDay, isAnyWeekday) = (fields[2].hasPrefix("*"), fields[4].hasPrefix("*"))
    }

    /// Whether there is a moment at which it begins. `0 0 30 2 *` has none: no February has thirty days.
    package var everComes: Bool {
        // Either day will do, and every week has all weekdays.
        if !isAnyDay, !isAnyWeekday { return true }
        let lengths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return lengths.enumerated().contains { index, length in
            months >> UInt64(index + 1) & 1 == 1 && days & ((1 << UInt64(length + 1)) - 2) != 0
        }
    }

    private static func set(_ field: Substring, _ range: ClosedRange<Int>) -> UInt64? {
        var set: UInt64 = 0
        for item in field.split(separator: ",", omittingEmptySubsequences: false) {
            let step = item.split(separator: "/", omittingEmptySubsequences: false)
            guard (1...2).contains(step.count), let by = step.count == 1 ? 1 : number(step[1]), by > 0 else { return nil }
            let ends = step[0].split(separator: "-", omittingEmptySubsequences: false).map { number($0) }
            let (first, last): (Int?, Int?) =
                switch ends.count {
                case 1 where step[0] == "*": (range.lowerBound, range.upperBound)
                // As cron has it, `5/10` is from 5 on.
                case 1: (ends[0], step.count == 1 ? ends[0] : range.upperBound)
                case 2: (ends[0], ends[1])
                default: (nil, nil)
                }
            guard let first, let last, range.contains(first), range.contains(last), first <= last else { return nil }
            for value in stride(from: first, through: last, by: by) { set |= 1 << UInt64(value) }
        }
        return set
    }

    private static func number(_ text: Substring) -> Int? {
        text.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 } && text.count <= 4 ? Int(text) : nil
    }

    /// Whether a window of some length that began at one of its minutes is open.
    package func isOpen(at moment: Timestamp, for duration: Duration) -> Bool {
        let minute = moment.milliseconds.flooredQuotient(by: 60_000)
        // It began after this one.
        let least = (moment.milliseconds - duration.wholeMilliseconds).flooredQuotient(by: 60_000)
        var day = minute.flooredQuotient(by: 1440)
        while (day + 1) * 1440 - 1 > least {
            if let start = lastStart(on: day, upTo: minute) { return start > least }
            day -= 1
        }
        return false
    }

    /// The last minute since 1970 of a day, not past a bound, in which it begins.
    private func lastStart(on day: Int64, upTo bound: Int64) -> Int64? {
        guard holds(day) else { return nil }
        for hour in (0..<Int64(24)).reversed() where hours >> UInt64(hour) & 1 == 1 {
            for minute in (0..<Int64(60)).reversed() where minutes >> UInt64(minute) & 1 == 1 {
                let start = day * 1440 + hour * 60 + minute
                if start <= bound { return start }
            }
        }
        return nil
    }

    private func holds(_ day: Int64) -> Bool {
        let date = CivilDate(daysSinceEpoch: day)
        guard months >> UInt64(date.month) & 1 == 1 else { return false }
        let isDay = days >> UInt64(date.day) & 1 == 1
        // The first day of 1970 was a Thursday.
        let isWeekday = weekdays >> UInt64((day + 4).quotientAndRemainderFloored(by: 7).remainder) & 1 == 1
        return isAnyDay || isAnyWeekday ? isDay && isWeekday : isDay || isWeekday
    }
}
