import Health
import Testing

@Suite struct ReplayTests {
    private let start = Timestamp(milliseconds: 1_700_000_000_000)

    private func result(_ letter: Character, at second: Double, lasting milliseconds: Int64 = 100) -> ProbeResult {
        ProbeResult(
            target: JudgedTarget.target, startedAt: start + .milliseconds(Int64(second * 1000)),
            duration: .milliseconds(milliseconds),
            outcome: JudgedTarget.outcome(letter), void: letter == "v" ? .tainted : nil)
    }

    private func replay(_ results: [(Character, Double)], _ change: (inout ProbePolicy) -> Void = { _ in }) -> Replay {
        var policy = ProbePolicy()
        change(&policy)
        var replay = Replay(policy: policy)
        for (letter, second) in results { replay.apply(result(letter, at: second)) }
        return replay
    }

    private let outage: [(Character, Double)] = [
        ("g", 0), ("g", 30), ("b", 60), ("b", 65), ("b", 70), ("b", 100), ("b", 130), ("g", 160), ("g", 165), ("g", 190),
    ]

    @Test func withTheSettingsThatWereItSaysWhatWas() throws {
        let replay = replay(outage)
        let alert = try #require(replay.alerts.first)
        #expect(replay.alerts.count == 1)
        #expect(alert.began == start + .seconds(60))
        #expect(alert.latest == start + .milliseconds(70_100))
        #expect(alert.earliest == alert.latest)
        #expect(alert.ended == start + .seconds(160))
        #expect(replay.changes == 2)
    }

    @Test func aLowerFallIsEarlierAndExact() throws {
        let alert = try #require(replay(outage) { $0.fall = 2 }.alerts.first)
        #expect(alert.latest == start + .milliseconds(65_100))
        #expect(alert.earliest == alert.latest)
    }

    @Test func reChecksThatWereNeverMadeMakeItARange() throws {
        // The fourth and fifth were made thirty seconds apart, for the target was down by then.
        let alert = try #require(replay(outage) { $0.fall = 5 }.alerts.first)
        #expect(alert.latest == start + .milliseconds(130_100))
        #expect(alert.earliest >= start + .milliseconds(75_100))
        #expect(alert.earliest <= start + .milliseconds(80_200))
    }

    @Test func aShorterFastIntervalMakesItARangeToo() throws {
        let alert = try #require(replay(outage) { $0.fastInterval = .seconds(1) }.alerts.first)
        #expect(alert.earliest == start + .milliseconds(62_000))
        #expect(alert.latest == start + .milliseconds(70_100))
    }

    @Test func anOutageThatWasTooShortForItIsNoAlert() {
        #expect(replay([("g", 0), ("b", 30), ("b", 35), ("g", 40), ("g", 45)]).alerts.isEmpty)
        #expect(replay([("g", 0), ("b", 30), ("b", 35), ("g", 40), ("g", 45)]) { $0.fall = 2 }.alerts.count == 1)
    }

    @Test func voidResultsCountForNothing() {
        let replay = replay([("g", 0), ("b", 30), ("v", 35), ("b", 40), ("v", 45), ("g", 50)])
        #expect(replay.alerts.isEmpty)
        #expect(replay.results == 4)
    }

    @Test func whatIsStillDownHasNoEnd() throws {
        #expect(try #require(replay(Array(outage.prefix(6))).alerts.first).ended == nil)
    }
}
