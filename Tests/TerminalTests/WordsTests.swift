import Health
import Terminal
import Testing

struct WordsTests {
    @Test(arguments: [
        (0, "0 ms"), (850, "850 µs"), (2_100, "2.1 ms"), (12_340, "12.3 ms"), (99_949, "99.9 ms"), (99_950, "100 ms"),
        (143_400, "143 ms"), (999_499, "999 ms"), (999_500, "1.0 s"), (4_200_000, "4.2 s"), (59_940_000, "59.9 s"),
        (59_950_000, "1 min"), (185_000_000, "3 min 5 s"), (7_800_000_000, "2 h 10 min"), (273_600_000_000, "3 d 4 h"),
        (-5, "0 ms"),
    ])
    func durations(_ microseconds: Int, _ words: String) {
        #expect(durationWords(.microseconds(microseconds)) == words)
    }

    @Test func microsecondsAreWrittenInASCIIWhereTheyMustBe() {
        #expect(durationWords(.microseconds(850), isUnicode: false) == "850 us")
    }

    @Test(arguments: [
        (0, "now"), (999, "now"), (12_000, "12 s ago"), (200_000, "3 min ago"), (18_100_000, "5 h ago"), (90_000_000, "25 h ago"),
        (800_000_000, "9 d ago"), (-180_000, "in 3 min"),
    ])
    func ages(_ milliseconds: Int64, _ words: String) {
        let now = Timestamp(milliseconds: 1_700_000_000_000)
        #expect(ago(Timestamp(milliseconds: now.milliseconds - milliseconds), now: now) == words)
    }
}
