import Health
import Testing

@Test func anIncidentStartsAtTheFirstOfItsFailures() throws {
    var room = Courtroom()
    _ = room.see("gg")
    let firstFailure = room.now + room.step
    let incident = try #require(room.last("bbb").incident?.incident)
    #expect(incident.startedAt == firstFailure)
    #expect(incident.confirmedAt == room.now + .milliseconds(20))
    #expect(incident.reason == .connectRefused)
    #expect(incident.failedProbes == 3)
    #expect(incident.endedAt == nil)
    #expect(incident.closedAs == nil)
}

@Test func anIncidentEndsAtTheFirstAnswerOfTheRunThatConfirmedRecovery() throws {
    var room = Courtroom()
    // The first answer is followed by a failure, so the recovery that counts begins with the second one.
    _ = room.see("gbbbgb")
    let firstAnswer = room.now + room.step
    let change = try #require(room.last("pg").incident)
    guard case .closed(let incident) = change else {
        Issue.record("expected a closed incident, got \(change)")
        return
    }
    #expect(incident.endedAt == firstAnswer)
    #expect(incident.closedAs == .recovered)
    #expect(incident.failedProbes == 4)
    #expect(room.judge.incident == nil)
}

@Test func everyFurtherFailureIsAddedToTheOpenIncident() throws {
    var room = Courtroom()
    let change = try #require(room.last("gbbbb").incident)
    guard case .updated(let incident) = change else {
        Issue.record("expected an updated incident, got \(change)")
        return
    }
    #expect(incident.failedProbes == 4)
    #expect(room.judge.incident == incident)
}

@Test func anAnswerThatDoesNotSettleTheRecoveryChangesNoIncident() throws {
    var room = Courtroom()
    let judgement = try room.last("gbbbg")
    #expect(judgement.incident == nil)
    #expect(room.judge.incident != nil)
}

@Test func aTargetThatGoesDownAgainHasANewIncident() throws {
    var room = Courtroom()
    let first = try #require(room.last("gbbb").incident?.incident)
    let second = try #require(room.last("ggbbb").incident?.incident)
    #expect(second.startedAt > first.startedAt)
    #expect(second.failedProbes == 3)
}

@Test func aTargetThatLeavesTheListClosesItsIncidentAsRemoved() throws {
    var room = Courtroom()
    _ = room.see("gbbb")
    let moment = room.now + .seconds(1)
    let removed = room.judge.removed(at: moment)
    let incident = try #require(removed)
    #expect(incident.endedAt == moment)
    #expect(incident.closedAs == .removed)
    #expect(room.judge.incident == nil)
}

@Test func aTargetWithoutAnIncidentLeavesTheListWithoutOne() {
    var room = Courtroom()
    _ = room.see("gbb")
    #expect(room.judge.removed(at: room.now) == nil)
}

@Test func anIncidentOfATargetWhoseURLBecameInvalidIsNotShownAsARecovery() throws {
    var room = Courtroom()
    _ = room.see("gbbb")
    let judgement = try room.last("u")
    #expect(judgement.incident?.incident.closedAs == .removed)
    #expect(judgement.transition?.to == .unknown)
    #expect(room.judge.isUnprobeable)
}

@Test func aDeniedAddressOpensNoIncidentHoweverOftenItIsSeen() {
    var room = Courtroom()
    for _ in 0..<5 {
        var result = Courtroom.result("b", at: room.now)
        result.outcome = .bad(.addressDenied)
        #expect(room.judge.judge(result, policy: room.policy).incident == nil)
    }
    #expect(room.judge.status == .unknown)
    #expect(room.judge.isUnprobeable)
}

@Test func aProbeThatCanBeMadeAgainIsNoLongerUnprobeable() {
    var room = Courtroom()
    _ = room.see("ub")
    #expect(!room.judge.isUnprobeable)
}

@Test func ourOwnFaultIsAlwaysVoid() {
    let result = ProbeResult(
        target: Courtroom.target, startedAt: Timestamp(milliseconds: 0), duration: .zero, outcome: .bad(.proberFault))
    #expect(result.void == .proberFault)
}
