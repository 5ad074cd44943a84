import Testing

@testable import History

/// How the time between two results is split at the edges of steps.
@Suite struct StateTimeTests {
    private struct Part: Equatable {
        var step: Int64
        var milliseconds: Int64
    }

    private func parts(from start: Int64, until end: Int64, interval: Int64 = 1000) -> [Part] {
        var parts: [Part] = []
        ResultKind(vantage: 1, void: 0, status: 1, interval: interval).eachStep(of: 1000, from: start, until: end) { step, time in
            parts.append(Part(step: step, milliseconds: time))
        }
        return parts
    }

    @Test func timeInOneStepIsOnePart() { #expect(parts(from: 2100, until: 2900) == [Part(step: 2, milliseconds: 800)]) }

    @Test func timeOverAnEdgeIsSplitThere() {
        let expected = [(2, 100), (3, 1000), (4, 500)].map { Part(step: $0.0, milliseconds: $0.1) }
        #expect(parts(from: 2900, until: 4500) == expected)
    }

    @Test func stepsBefore1970AreCountedDown() {
        #expect(parts(from: -100, until: 100) == [Part(step: -1, milliseconds: 100), Part(step: 0, milliseconds: 100)])
    }

    @Test func threeIntervalsOfSilenceAreStillBelieved() {
        #expect(parts(from: 0, until: 3000).map(\.milliseconds) == [1000, 1000, 1000])
    }

    @Test func aLongerSilenceIsNoTimeAtAll() { #expect(parts(from: 0, until: 3001) == []) }

    @Test func aResultThatDidNotStartLaterIsNoTimeAtAll() {
        #expect(parts(from: 500, until: 500) == [])
        #expect(parts(from: 500, until: 400) == [])
    }
}
