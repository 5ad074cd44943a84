import Health
import Testing

@testable import Pages

@Suite struct DailyBarsTests {
    @Test func aRunOfDaysIsOneStepOfAPath() {
        let bars = DailyBars(Array(repeating: .good, count: 88) + [.down, .good])
        #expect(bars.words == "90 days: 1 down, 89 good")
        #expect(
            bars.svg == """
                <svg class="bars" role="img" aria-label="90 days: 1 down, 89 good" viewBox="0 0 270 20" preserveAspectRatio="none">\
                <path class="g" d="M0 16h263M267 16h2"/><path class="d" d="M264 10h2"/></svg>
                """)
    }

    @Test func eachDayThatIsNotGoodIsALinkWhenTheyAreLarge() {
        let svg = DailyBars([.good, .degraded, .down, .unknown]).svg(link: { "/incidents?day=\($0)" }, name: { "day \($0)" })
        #expect(svg.contains("<a href=\"/incidents?day=1\" aria-label=\"day 1: degraded\">"))
        #expect(svg.contains("<a href=\"/incidents?day=2\" aria-label=\"day 2: down\">"))
        #expect(svg.ranges(of: "<a ").count == 2)
    }
}
