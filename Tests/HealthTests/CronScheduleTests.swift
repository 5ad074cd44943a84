import Health
import Testing

@Suite struct CronScheduleTests {
    private func isOpen(_ cron: String, for duration: Duration, at moment: String) throws -> Bool {
        let schedule = try #require(CronSchedule(cron))
        return schedule.isOpen(at: try #require(Timestamp(moment)), for: duration)
    }

    @Test(arguments: [
        // Sundays from two to four.
        ("0 2 * * 0", 120, "2026-11-29T02:00:00Z", true), ("0 2 * * 0", 120, "2026-11-29T03:59:59.999Z", true),
        ("0 2 * * 0", 120, "2026-11-29T04:00:00Z", false), ("0 2 * * 0", 120, "2026-11-29T01:59:59Z", false),
        ("0 2 * * 7", 120, "2026-11-29T03:00:00Z", true), ("0 2 * * 1-6", 120, "2026-11-29T03:00:00Z", false),
        // Over midnight, and over the end of a month.
        ("30 23 * * *", 60, "2026-12-01T00:29:59Z", true), ("30 23 30 * *", 60, "2026-12-01T00:29:59Z", true),
        ("30 23 30 11 *", 60, "2026-12-01T00:30:00Z", false),
        // A leap day, for two days.
        ("0 0 29 2 *", 2880, "2028-03-01T23:59:00Z", true), ("0 0 29 2 *", 2880, "2027-03-01T12:00:00Z", false),
        // Steps, lists and ranges.
        ("*/15 * * * *", 5, "2026-11-28T10:34:00Z", true), ("*/15 * * * *", 5, "2026-11-28T10:35:00Z", false),
        ("5,35 8-10/2 * * *", 1, "2026-11-28T10:35:30Z", true), ("5,35 8-10/2 * * *", 1, "2026-11-28T09:35:30Z", false),
        // Either day will do where both are given: the 13th, or a Friday.
        ("0 0 13 * 5", 60, "2026-11-13T00:30:00Z", true), ("0 0 13 * 5", 60, "2026-12-13T00:30:00Z", true),
        ("0 0 13 * 5", 60, "2026-11-27T00:30:00Z", true), ("0 0 13 * 5", 60, "2026-11-28T00:30:00Z", false),
        // Before 1970.
        ("0 2 * * *", 60, "1969-12-31T02:30:00Z", true),
    ])
    func aWindowIsOpenFromItsMinuteOn(cron: String, minutes: Int64, moment: String, expected: Bool) throws {
        #expect(try isOpen(cron, for: .seconds(60 * minutes), at: moment) == expected)
    }

    @Test(arguments: [
        "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "5-1 * * * *",
        "*/0 * * * *",
        "a * * * *", "1,,2 * * * *", "-1 * * * *", "1-2-3 * * * *", "1/2/3 * * * *", "99999999999999999999 * * * *",
    ])
    func whatIsNoScheduleIsRefused(text: String) { #expect(CronSchedule(text) == nil) }

    @Test(arguments: [
        ("0 0 30 2 *", false), ("0 0 31 2,4,6,9,11 *", false), ("0 0 30,31 2 *", false), ("0 0 30 2 */2", false),
        ("0 0 29 2 *", true), ("0 0 31 2,3 *", true), ("0 0 30 2 1", true), ("0 0 * 2 *", true), ("0 0 */31 2 *", true),
    ])
    func aScheduleKnowsWhetherItEverComes(text: String, expected: Bool) throws {
        let schedule = try #require(CronSchedule(text))
        #expect(schedule.everComes == expected)
        // 400 years of days would be all there are; eight have each day of February fall on enough weekdays to tell.
        let days = (0..<Int64(8 * 366)).map { Timestamp(milliseconds: $0 * 86_400_000) }
        #expect(days.contains { schedule.isOpen(at: $0, for: .seconds(60)) } == expected)
    }

    @Test func itAgreesWithLookingAtEachMinute() throws {
        let schedule = try #require(CronSchedule("7,40 */5 1-3 * 2"))
        let start = try #require(Timestamp("2026-11-30T00:00:00Z"))
        let begins = (0..<5 * 1440).filter { schedule.isOpen(at: start + .seconds(60 * $0), for: .milliseconds(1)) }
        for minute in stride(from: 0, to: 5 * 1440, by: 3) {
            let expected = begins.contains { $0 <= minute && minute < $0 + 90 }
            #expect(schedule.isOpen(at: start + .seconds(60 * minute), for: .seconds(90 * 60)) == expected)
        }
    }
}
