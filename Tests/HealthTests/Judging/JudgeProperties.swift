import Health
import TestSupport
import Testing

/// The rules once more, in another form: from the whole list of what was seen, without any counter.
private struct Oracle {
    let fall: Int
    let rise: Int
    var status = Status.unknown
    var seen: [Character] = []
    var flaps = false

    mutating func see(_ letter: Character) {
        if letter == "v" { return }
        if letter == "u" {
            (status, seen, flaps) = (.unknown, [], false)
            return
        }
        seen.append(letter)
        let newest = Array(seen.suffix(21).reversed())
        let pairs = zip(newest, newest.dropFirst())
        let weight = pairs.enumerated().reduce(0) { sum, pair in
            sum + ((pair.1.0 == "b") == (pair.1.1 == "b") ? 0 : 120 - 2 * pair.0)
        }
        flaps = weight * 100 / 2020 >= (flaps ? 25 : 40)
        let answers = seen.suffix(rise)
        let isBack = answers.count == rise && !answers.contains("b")
        let isGoodAgain = answers.count == rise && answers.allSatisfy { $0 == "g" }
        let isDown = seen.count >= fall && seen.suffix(fall).allSatisfy { $0 == "b" }
        let isWorn = seen.count >= fall && !seen.suffix(fall).contains("g")
        switch status {
        case _ where isDown: status = .down
        case .unknown: if letter != "b" { status = letter == "g" && !flaps ? .up : .degraded }
        case .up: if isWorn || letter == "c" || flaps { status = .degraded }
        case .degraded: if isGoodAgain, !flaps { status = .up }
        case .down: if isBack { status = isGoodAgain && !flaps ? .up : .degraded }
        }
    }
}

/// A random run of 600 results, with fall and rise of 1 to 4; streaks are likely, because the interesting things happen in them.
private struct RandomRun {
    let judged: JudgedTarget
    let letters: [Character]

    init(seed: UInt64) {
        var generator = SeededGenerator(state: seed)
        var judged = JudgedTarget()
        judged.policy.fall = .random(in: 1...4, using: &generator)
        judged.policy.rise = .random(in: 1...4, using: &generator)
        self.judged = judged
        var letters: [Character] = []
        while letters.count < 600 {
            let letter = "gggpcbbbvu".randomElement(using: &generator) ?? "g"
            letters += repeatElement(letter, count: .random(in: 1...5, using: &generator))
        }
        self.letters = letters
    }

    /// Calls `check` with the judge before and after each result.
    func forEachResult(_ check: (Character, Judge, Judgement, Judge) -> Void) {
        var judged = judged
        for letter in letters {
            let before = judged.judge
            for judgement in judged.see(String(letter)) { check(letter, before, judgement, judged.judge) }
        }
    }
}

private let seeds: [UInt64] = Array(1...60)

@Test(arguments: seeds)
func theJudgeAgreesWithTheRulesReadFromTheWholeList(seed: UInt64) {
    let run = RandomRun(seed: seed)
    var oracle = Oracle(fall: run.judged.policy.fall, rise: run.judged.policy.rise)
    run.forEachResult { letter, _, judgement, _ in
        oracle.see(letter)
        #expect(judgement.status == oracle.status)
    }
}

@Test(arguments: seeds)
func anIncidentIsOpenExactlyWhileATargetIsDown(seed: UInt64) {
    RandomRun(seed: seed).forEachResult { _, _, judgement, after in
        #expect((after.status == .down) == (after.incident != nil))
        #expect(judgement.status == after.status)
    }
}

@Test(arguments: seeds)
func nothingGoesDownWithFewerThanFallFailuresInARow(seed: UInt64) {
    let run = RandomRun(seed: seed)
    var failures = 0
    run.forEachResult { letter, before, _, after in
        if letter == "v" { return }
        failures = letter == "b" ? failures + 1 : 0
        guard before.status != .down, after.status == .down else { return }
        #expect(failures >= run.judged.policy.fall)
    }
}

@Test(arguments: seeds)
func aVoidResultChangesNothingOfTheJudge(seed: UInt64) {
    RandomRun(seed: seed).forEachResult { letter, before, judgement, after in
        guard letter == "v" else { return }
        #expect(before == after)
        #expect(judgement.transition == nil)
        #expect(judgement.incident == nil)
    }
}

@Test(arguments: seeds)
func everyTransitionStartsWhereTheLastOneEnded(seed: UInt64) {
    RandomRun(seed: seed).forEachResult { _, before, judgement, after in
        #expect((judgement.transition != nil) == (before.status != after.status))
        guard let transition = judgement.transition else { return }
        #expect(transition.from == before.status)
        #expect(transition.to == after.status)
    }
}

@Test(arguments: seeds)
func incidentsOpenAndCloseInTurnAndNeverEndBeforeTheyStart(seed: UInt64) {
    var isOpen = false
    RandomRun(seed: seed).forEachResult { _, _, judgement, _ in
        switch judgement.incident {
        case .opened(let incident)?:
            #expect(!isOpen)
            #expect(incident.startedAt < incident.confirmedAt)
            isOpen = true
        case .updated?: #expect(isOpen)
        case .closed(let incident)?:
            #expect(isOpen)
            #expect(incident.endedAt.map { $0 > incident.startedAt } == true)
            isOpen = false
        case nil: break
        }
    }
}

@Test(arguments: seeds)
func aDegradedTargetAlwaysHasACauseAndNoOtherTargetHas(seed: UInt64) {
    RandomRun(seed: seed).forEachResult { _, _, _, after in
        #expect((after.status == .degraded) == (after.cause != nil))
    }
}
