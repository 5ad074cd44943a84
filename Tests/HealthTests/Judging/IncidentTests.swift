import Health
import Testing

@Test func anIncidentStartsAtTheFirstOfItsFailures() throws {
    var judged = JudgedTarget()
    _ = judged.see("gg")
    let firstFailure = judged.now + judged.step
    let incident = try #require(judged.last("bbb").incident?.incident)
    #expect(incident.startedAt == firstFailure)
    #expect(incident.confirmedAt == judged.now + .milliseconds(20))
    #expect(incident.reason == .connectRefused)
    #expect(incident.failedProbes == 3)
    #expect(incident.endedAt == nil)
    #expect(incident.closedAs == nil)
}

@Test func anIncidentEndsAtTheFirstAnswerOfTheRunThatConfirmedRecovery() throws {
    var judged = JudgedTarget()
    // The first answer is followed by a failure, so the recovery that counts begins with the second one.
    _ = judged.see("gbbbgb")
    let firstAnswer = judged.now + judged.step
    let change = try #require(judged.last("pg").incident)
    guard case .closed(let incident) = change else {
        Issue.record("expected a closed incident, got \(change)")
        return
    }
    #expect(incident.endedAt == firstAnswer)
    #expect(incident.closedAs == .recovered)
    #expect(incident.failedProbes == 4)
    #expect(judged.judge.incident == nil)
}

@Test func everyFurtherFailureIsAddedToTheOpenIncident() throws {
    var judged = JudgedTarget()
    let change = try #require(judged.last("gbbbb").incident)
    guard case .updated(let incident) = change else {
        Issue.record("expected an updated incident, got \(change)")
        return
    }
    #expect(incident.failedProbes == 4)
    #expect(judged.judge.incident == incident)
}

@Test func anAnswerThatDoesNotSettleTheRecoveryChangesNoIncident() throws {
    var judged = JudgedTarget()
    let judgement = try judged.last("gbbbg")
    #expect(judgement.incident == nil)
    #expect(judged.judge.incident != nil)
}

@Test func aTargetThatGoesDownAgainHasANewIncident() throws {
    var judged = JudgedTarget()
    let first = try #require(judged.last("gbbb").incident?.incident)
    let second = try #require(judged.last("ggbbb").incident?.incident)
    #expect(second.startedAt > first.startedAt)
    #expect(second.failedProbes == 3)
}

@Test func aTargetThatLeavesTheListClosesItsIncidentAsRemoved() throws {
    var judged = JudgedTarget()
    _ = judged.see("gbbb")
    let moment = judged.now + .seconds(1)
    let removed = judged.judge.removed(at: moment)
    let incident = try #require(removed)
    #expect(incident.endedAt == moment)
    #expect(incident.closedAs == .removed)
    #expect(judged.judge.incident == nil)
}

@Test func aTargetWithoutAnIncidentLeavesTheListWithoutOne() {
    var judged = JudgedTarget()
    _ = judged.see("gbb")
    #expect(judged.judge.removed(at: judged.now) == nil)
}

@Test func anIncidentOfATargetWhoseURLBecameInvalidIsNotShownAsARecovery() throws {
    var judged = JudgedTarget()
    _ = judged.see("gbbb")
    let judgement = try judged.last("u")
    #expect(judgement.incident?.incident.closedAs == .removed)
    #expect(judgement.transition?.to == .unknown)
    #expect(judged.judge.isUnprobeable)
}

@Test func aDeniedAddressOpensNoIncidentHoweverOftenItIsSeen() {
    var judged = JudgedTarget()
    for _ in 0..<5 {
        var result = JudgedTarget.result("b", at: judged.now)
        result.outcome = .bad(.addressDenied)
        #expect(judged.judge.judge(result, policy: judged.policy).incident == nil)
    }
    #expect(judged.judge.status == .unknown)
    #expect(judged.judge.isUnprobeable)
}

@Test func aProbeThatCanBeMadeAgainIsNoLongerUnprobeable() {
    var judged = JudgedTarget()
    _ = judged.see("ub")
    #expect(!judged.judge.isUnprobeable)
}

@Test func ourOwnFaultIsAlwaysVoid() {
    let result = ProbeResult(
        target: JudgedTarget.target, startedAt: Timestamp(milliseconds: 0), duration: .zero, outcome: .bad(.proberFault))
    #expect(result.void == .proberFault)
}
