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
    var judged = JudgedTarget()
    #expect(judged.see(known.results).map(\.wantsRecheck) == known.isWanted)
}

@Test func aChangedURLDropsTheStreaksAndKeepsTheStatus() {
    var judged = JudgedTarget()
    _ = judged.see("gbb")
    judged.judge.urlChanged()
    #expect(judged.judge.status == .up)
    #expect(judged.judge.streaks == Streaks())
    #expect(judged.statuses(after: "bbb") == "UUD")
}

@Test func aChangedURLLeavesAnOpenIncidentOpenUntilTheNewOneIsJudged() {
    var judged = JudgedTarget()
    _ = judged.see("gbbb")
    judged.judge.urlChanged()
    #expect(judged.judge.incident != nil)
    #expect(judged.statuses(after: "gg") == "DU")
    #expect(judged.judge.incident == nil)
}

@Test func streaksAreDroppedAfterMoreThanThreeIntervalsWithoutAResult() {
    var judged = JudgedTarget()
    _ = judged.see("gbb")
    judged.step = judged.policy.interval * 3 + .milliseconds(1)
    #expect(judged.statuses(after: "b") == "U")
    #expect(judged.judge.streaks.bad == 1)
}

@Test func streaksAreKeptWhenExactlyThreeIntervalsPassed() {
    var judged = JudgedTarget()
    _ = judged.see("gbb")
    judged.step = judged.policy.interval * 3
    #expect(judged.statuses(after: "b") == "D")
}

@Test func aVoidResultDoesNotFillAGap() {
    var judged = JudgedTarget()
    _ = judged.see("gbb")
    judged.step = judged.policy.interval * 2
    #expect(judged.statuses(after: "vb") == "UU")
}

@Test func theCountOfConsecutiveFailuresGoesOnBeyondFall() {
    var judged = JudgedTarget()
    _ = judged.see("bbbbbbb")
    #expect(judged.judge.streaks.bad == 7)
}
