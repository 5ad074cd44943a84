import Health
import Testing

/// A target that keeps changing.
@Suite struct FlappingTests {
    private var room = Courtroom()
    init() { room.policy.fall = 3 }

    private func repeated(_ pattern: String, times: Int) -> String { String(repeating: pattern, count: times) }

    @Test mutating func aTargetThatAlternatesIsDegradedAndSaysWhy() {
        #expect(room.statuses(after: "gggg") == "UUUU")
        let statuses = room.statuses(after: repeated("bg", times: 8))
        #expect(statuses.first == "U")
        #expect(statuses.last == "~")
        #expect(room.judge.cause == .flapping)
        #expect(room.judge.flapping.isOn)
    }

    /// Written down result by result: eight changes, newest first, are 8.74 of 20.2, which is more than two fifths; seven aren't.
    @Test mutating func itBeginsWithTheEighthChange() {
        #expect(room.statuses(after: "gbgbgbgb") == "UUUUUUUU")
        #expect(room.statuses(after: "g") == "~")
    }

    @Test mutating func anOutageAndItsRecoveryAreNoFlapping() {
        _ = room.see("ggg" + repeated("bbbbbgggg", times: 2))
        #expect(!room.judge.flapping.isOn)
        #expect(room.judge.status == .up)
    }

    @Test mutating func threeSingleFailuresAmongTwentyResultsAreNoFlapping() {
        #expect(room.statuses(after: "gggbgggggbggggbgggg").contains("~") == false)
    }

    @Test mutating func itEndsOnlyWhenTheTargetHasBeenSteadyForAWhile() {
        _ = room.see(repeated("bg", times: 10))
        #expect(room.judge.flapping.isOn)
        var count = 0
        while room.judge.status == .degraded, count < 40 { (_, count) = (room.see("g"), count + 1) }
        // A quarter of the weight of all is left of the oldest changes then, not two fifths.
        #expect((14...16).contains(count))
        #expect(room.judge.status == .up)
        #expect(room.judge.cause == nil)
    }

    @Test mutating func aRealOutageOfAFlappingTargetIsDown() {
        _ = room.see(repeated("bg", times: 10))
        #expect(room.statuses(after: "bbb") == "~~D")
        #expect(room.judge.incident != nil)
        #expect(room.statuses(after: "gg") == "D~")
        #expect(room.judge.cause == .flapping)
        #expect(room.judge.incident == nil)
    }

    @Test mutating func goodResultsOfAFlappingTargetAreNotHurried() {
        let judgements = room.see(repeated("bg", times: 10) + "ggb")
        #expect(judgements.suffix(3).map(\.wantsRecheck) == [false, false, true])
    }

    @Test mutating func anotherPlaceAndALongSilenceEndIt() {
        _ = room.see(repeated("bg", times: 10))
        var silent = room
        silent.now = silent.now + silent.policy.interval * 4
        #expect(silent.statuses(after: "gg") == "~U")
        room.judge.placeChanged()
        #expect(room.statuses(after: "gg") == "~U")
    }

    @Test mutating func itsCodeIsAllThereIsToIt() {
        _ = room.see(repeated("bg", times: 10))
        let flapping = room.judge.flapping
        #expect(Flapping(code: flapping.code) == flapping)
        #expect(Flapping(code: .max).share == 100)
        #expect(Flapping(code: .max).isOn)
    }
}
