import Health
import Testing

/// A target that keeps changing.
@Suite struct FlappingTests {
    private var judged = JudgedTarget()
    init() { judged.policy.fall = 3 }

    private func repeated(_ pattern: String, times: Int) -> String { String(repeating: pattern, count: times) }

    @Test mutating func aTargetThatAlternatesIsDegradedAndSaysWhy() {
        #expect(judged.statuses(after: "gggg") == "UUUU")
        let statuses = judged.statuses(after: repeated("bg", times: 8))
        #expect(statuses.first == "U")
        #expect(statuses.last == "~")
        #expect(judged.judge.cause == .flapping)
        #expect(judged.judge.flapping.isOn)
    }

    /// Written down result by result: eight changes, newest first, are 8.74 of 20.2, which is more than two fifths; seven aren't.
    @Test mutating func itBeginsWithTheEighthChange() {
        #expect(judged.statuses(after: "gbgbgbgb") == "UUUUUUUU")
        #expect(judged.statuses(after: "g") == "~")
    }

    @Test mutating func anOutageAndItsRecoveryAreNoFlapping() {
        _ = judged.see("ggg" + repeated("bbbbbgggg", times: 2))
        #expect(!judged.judge.flapping.isOn)
        #expect(judged.judge.status == .up)
    }

    @Test mutating func threeSingleFailuresAmongTwentyResultsAreNoFlapping() {
        #expect(judged.statuses(after: "gggbgggggbggggbgggg").contains("~") == false)
    }

    @Test mutating func itEndsOnlyWhenTheTargetHasBeenSteadyForAWhile() {
        _ = judged.see(repeated("bg", times: 10))
        #expect(judged.judge.flapping.isOn)
        var count = 0
        while judged.judge.status == .degraded, count < 40 { (_, count) = (judged.see("g"), count + 1) }
        // A quarter of the weight of all is left of the oldest changes then, not two fifths.
        #expect((14...16).contains(count))
        #expect(judged.judge.status == .up)
        #expect(judged.judge.cause == nil)
    }

    @Test mutating func aRealOutageOfAFlappingTargetIsDown() {
        _ = judged.see(repeated("bg", times: 10))
        #expect(judged.statuses(after: "bbb") == "~~D")
        #expect(judged.judge.incident != nil)
        #expect(judged.statuses(after: "gg") == "D~")
        #expect(judged.judge.cause == .flapping)
        #expect(judged.judge.incident == nil)
    }

    @Test mutating func goodResultsOfAFlappingTargetAreNotHurried() {
        let judgements = judged.see(repeated("bg", times: 10) + "ggb")
        #expect(judgements.suffix(3).map(\.wantsRecheck) == [false, false, true])
    }

    @Test mutating func anotherPlaceAndALongSilenceEndIt() {
        _ = judged.see(repeated("bg", times: 10))
        var silent = judged
        silent.now = silent.now + silent.policy.interval * 4
        #expect(silent.statuses(after: "gg") == "~U")
        judged.judge.urlChanged()
        #expect(judged.statuses(after: "gg") == "~U")
    }

    @Test mutating func itsCodeIsAllThereIsToIt() {
        _ = judged.see(repeated("bg", times: 10))
        let flapping = judged.judge.flapping
        #expect(Flapping(code: flapping.code) == flapping)
        #expect(Flapping(code: .max).share == 100)
        #expect(Flapping(code: .max).isOn)
    }
}
