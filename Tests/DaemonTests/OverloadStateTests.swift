import Scheduling
import Testing

@testable import Daemon

@Suite struct OverloadStateTests {
    private let start = ContinuousClock.now

    private func note(_ state: inout OverloadState, _ isOverloaded: Bool, at second: Int) -> OverloadState.News? {
        state.note(isOverloaded, at: start + .seconds(second), alertAfter: .seconds(30), calmAfter: .seconds(60))
    }

    @Test func itsBeginningAndItsEndAreToldOnce() {
        var state = OverloadState()
        let news = (0..<200).map { note(&state, (10..<50).contains($0), at: $0) }
        #expect(news.compactMap(\.self) == [.begins, .ends])
        #expect(news[10] == .begins)
        #expect(news[109] == .ends)
    }

    @Test func theAlertFiresAfterHalfAMinute() {
        var state = OverloadState()
        for second in 0..<30 { _ = note(&state, true, at: second) }
        #expect(state.isFiring == nil)
        _ = note(&state, true, at: 30)
        #expect(state.isFiring == true)
    }

    @Test func twoMomentsOfOverloadAreNoAlert() {
        var state = OverloadState()
        for second in 0..<50 { _ = note(&state, second == 0 || second == 40, at: second) }
        #expect(state.isFiring == nil)
    }

    @Test func afterAMinuteOfCalmNoAlertFires() {
        var state = OverloadState()
        for second in 0...60 { _ = note(&state, false, at: second) }
        #expect(state.isFiring == false)
    }

    @Test func aLaneThatGoesInAndOutIsOneOverload() {
        var state = OverloadState()
        let news = (0..<300).map { note(&state, $0 % 10 < 4, at: $0) }
        #expect(news.compactMap(\.self) == [.begins])
        #expect(state.isFiring == true)
    }

    @Test func theSentenceSaysHowMuchCanBeDone() {
        let lanes = [LaneOverload(plannedPerSecond: 600, stretch: 3), LaneOverload(plannedPerSecond: 400, stretch: 1)]
        let text = OverloadSentence(lanes, targets: 30_000).text
        #expect(text.contains("1000 probes fall due in a second, and about 600 can be made on time"))
        #expect(text.contains("once in up to 3 of its intervals"))
        #expect(text.contains("about 18000 of the 30000 targets"))
    }
}
