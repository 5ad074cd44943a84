import Health
import Testing

/// Whether the next probe should come after the fast interval, after each of some results.
struct RecheckCase: Sendable, CustomTestStringConvertible {
    let sentence: String
    let results: String
    let isWanted: [Bool]

    init(_ sentence: String, _ results: String, _ isWanted: [Bool]) {
        self.sentence = sentence
        self.results = results
        self.isWanted = isWanted
    }

    var testDescription: String { sentence }
}

private let cases = [
    RecheckCase("a target that is up and well is not hurried", "ggg", [false, false, false]),
    RecheckCase("a first failure calls for a second look", "gb", [false, true]),
    RecheckCase("a settled outage is probed at the normal interval", "gbbbb", [false, true, true, false, false]),
    RecheckCase("the first answer after an outage calls for a second look", "gbbbg", [false, true, true, false, true]),
    RecheckCase("a recovery that is settled is not hurried", "gbbbgg", [false, true, true, false, true, false]),
    RecheckCase("an unknown target that fails is looked at again soon", "bbb", [true, true, false]),
    RecheckCase("a degraded target that stays poor is not hurried", "ppp", [false, false, false]),
    RecheckCase("a degraded target that turns good is looked at again soon", "pg", [false, true]),
    RecheckCase("a void result leaves the need as it was", "gbv", [false, true, true]),
    RecheckCase("an invalid URL is not looked at again soon", "gbu", [false, true, false]),
]

@Test(arguments: cases)
func fastRechecksRunWhileTheStatusIsInDoubt(_ known: RecheckCase) {
    var room = Courtroom()
    #expect(room.see(known.results).map(\.wantsRecheck) == known.isWanted)
}

@Test func aChangedURLDropsTheStreaksAndKeepsTheStatus() {
    var room = Courtroom()
    _ = room.see("gbb")
    room.judge.placeChanged()
    #expect(room.judge.status == .up)
    #expect(room.judge.streaks == Streaks())
    #expect(room.statuses(after: "bbb") == "UUD")
}

@Test func aChangedURLLeavesAnOpenIncidentOpenUntilTheNewOneIsJudged() {
    var room = Courtroom()
    _ = room.see("gbbb")
    room.judge.placeChanged()
    #expect(room.judge.incident != nil)
    #expect(room.statuses(after: "gg") == "DU")
    #expect(room.judge.incident == nil)
}

@Test func streaksAreDroppedAfterMoreThanThreeIntervalsWithoutAResult() {
    var room = Courtroom()
    _ = room.see("gbb")
    room.step = room.policy.interval * 3 + .milliseconds(1)
    #expect(room.statuses(after: "b") == "U")
    #expect(room.judge.streaks.bad == 1)
}

@Test func streaksAreKeptWhenExactlyThreeIntervalsPassed() {
    var room = Courtroom()
    _ = room.see("gbb")
    room.step = room.policy.interval * 3
    #expect(room.statuses(after: "b") == "D")
}

@Test func aVoidResultDoesNotFillAGap() {
    var room = Courtroom()
    _ = room.see("gbb")
    room.step = room.policy.interval * 2
    #expect(room.statuses(after: "vb") == "UU")
}

@Test func theCountOfConsecutiveFailuresGoesOnBeyondFall() {
    var room = Courtroom()
    _ = room.see("bbbbbbb")
    #expect(room.judge.streaks.bad == 7)
}
