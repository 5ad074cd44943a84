import Health
import Testing

/// One rule of the judge: what it says, the results, and the status after each of them.
struct Rule: Sendable, CustomTestStringConvertible {
    let sentence: String
    let results: String
    let statuses: String
    var fall = 3
    var rise = 2

    init(_ sentence: String, _ results: String, _ statuses: String, fall: Int = 3, rise: Int = 2) {
        self.sentence = sentence
        self.results = results
        self.statuses = statuses
        self.fall = fall
        self.rise = rise
    }

    var testDescription: String { sentence }
}

private let rules = [
    Rule("an unknown target is up on its first good result", "g", "U"),
    Rule("an unknown target is degraded on its first poor result", "p", "~"),
    Rule("an unknown target stays unknown until it has failed three times", "bbb", "??D"),
    Rule("an unknown target that answers after two failures is up", "bbg", "??U"),
    Rule("an up target stays up after two failures", "gbbg", "UUUU"),
    Rule("an up target goes down after three failures in a row", "gbbb", "UUUD"),
    Rule("a good result between failures starts the count again", "gbbgbbg", "UUUUUUU"),
    Rule("a degraded target goes down after three failures in a row", "pbbb", "~~~D"),
    Rule("an up target is degraded after three poor results", "gppp", "UUU~"),
    Rule("an up target is degraded after three that are poor or bad", "gbpb", "UUU~"),
    Rule("an up target that is poor once and then fails three times is degraded, then down", "gpbbb", "UUU~D"),
    Rule("a good result between poor ones keeps a target up", "gppgpp", "UUUUUU"),
    Rule("a certificate that expires soon degrades at once", "gc", "U~"),
    Rule("a certificate that expires soon does not lift a target that is down", "gbbbc", "UUUDD"),
    Rule("a degraded target is up after two good results in a row", "pgg", "~~U"),
    Rule("a poor result between good ones keeps a target degraded", "pgpg", "~~~~"),
    Rule("a target that is down is up after two good results in a row", "gbbbgg", "UUUDDU"),
    Rule("a target that is down is degraded when one of the two answers was poor", "gbbbgp", "UUUDD~"),
    Rule("a target that came back degraded is up after two good results", "gbbbpgg", "UUUDD~U"),
    Rule("a failure between two answers keeps a target down", "gbbbgbg", "UUUDDDD"),
    Rule("void results count neither for nor against a target", "gbvbvbv", "UUUUUDD"),
    Rule("void results do not part the answers that bring a target back", "gbbbgvg", "UUUDDDU"),
    Rule("a target that was never up and wants credentials is degraded", "aaaa", "~~~~"),
    Rule("a target that was down from the start and then wants credentials is degraded", "bbbaa", "??DD~"),
    Rule("a target that was up once and wants credentials is down", "gaaa", "UUUD"),
    Rule("an invalid URL makes a target unknown, not down", "guuu", "U???"),
    Rule("a target whose URL became valid again is judged anew", "gbbbug", "UUUD?U"),
    Rule("failures before an invalid URL are forgotten", "gbbubbg", "UUU???U"),
    Rule("one failure is enough when fall is 1", "gbg", "UDU", fall: 1, rise: 1),
    Rule("one poor result is enough when fall is 1", "gp", "U~", fall: 1),
    Rule("five failures are needed when fall is 5", "gbbbbb", "UUUUUD", fall: 5),
    Rule("four answers are needed when rise is 4", "gbbbgggg", "UUUDDDDU", rise: 4),
    Rule("a rise longer than fall is counted to its end", "pggggg", "~~~~~U", fall: 2, rise: 5),
]

@Test(arguments: rules)
func theJudgeFollowsTheRule(_ rule: Rule) {
    var judged = JudgedTarget()
    judged.policy.fall = rule.fall
    judged.policy.rise = rule.rise
    #expect(judged.statuses(after: rule.results) == rule.statuses)
}

@Test func aTransitionSaysFromWhatToWhatWhenAndWhy() throws {
    var judged = JudgedTarget()
    let transition = try #require(judged.last("gbbb").transition)
    #expect(transition.from == .up)
    #expect(transition.to == .down)
    #expect(transition.at == judged.now + .milliseconds(20))
    #expect(transition.reason == .connectRefused)
    #expect(transition.sentence == "seen b")
}

@Test func aResultThatChangesNoStatusMakesNoTransition() {
    var judged = JudgedTarget()
    #expect(judged.see("ggbb").dropFirst().allSatisfy { $0.transition == nil })
}

@Test func theCauseOfADegradedTargetIsItsLatestPoorResult() {
    var judged = JudgedTarget()
    _ = judged.see("gpc")
    #expect(judged.judge.cause == .certificateExpiring)
}

@Test func aTargetDegradedByAFailureKeepsTheCauseOfThePoorResultBefore() throws {
    var judged = JudgedTarget()
    let transition = try #require(judged.last("gpbb").transition)
    #expect(transition.to == .degraded)
    #expect(transition.cause == .slow)
}

@Test func aTargetThatCameBackDegradedByAGoodResultKeepsTheCauseOfThePoorOneBefore() throws {
    var judged = JudgedTarget()
    let transition = try #require(judged.last("gbbbpg").transition)
    #expect(transition.to == .degraded)
    #expect(transition.cause == .slow)
}

@Test func onlyADegradedTargetHasACause() {
    var judged = JudgedTarget()
    for letters in ["gp", "bbb", "pgg", "u"] {
        _ = judged.see(letters)
        #expect(judged.judge.status == .degraded || judged.judge.cause == nil, "after \(letters)")
    }
}

@Test func wantingCredentialsIsSaidAsACause() throws {
    var judged = JudgedTarget()
    let judgement = try judged.last("a")
    #expect(judgement.outcome == .poor(.credentialsWanted))
    #expect(judged.judge.cause == .credentialsWanted)
}

@Test func anotherUnexpectedStatusIsNotTakenForWantedCredentials() {
    var judged = JudgedTarget()
    var result = JudgedTarget.result("a", at: judged.now)
    result.facts.httpStatus = 500
    #expect(judged.judge.judge(result, policy: judged.policy).outcome == .bad(.statusUnexpected))
}
