import Health
import Testing

@testable import Alerting

@Suite struct AlertBookTests {
    @Test func anOutageBeginsOnceAndEndsOnce() {
        var office = Office()
        #expect(office.see("gggbb") == [])
        #expect(office.see("b") == ["+TargetDown a"])
        #expect(office.see("bbbbg") == [])
        #expect(office.see("g") == ["-TargetDown a"])
        #expect(office.see("gggg") == [])
    }

    @Test func itsLabelsAreFrozenAndSayWhatTheyMust() throws {
        var office = Office()
        _ = office.see("gbbb")
        let alert = try #require(office.book.alerts.values.first)
        #expect(
            alert.labels == [
                "alertname": "TargetDown", "client_id": "c", "target_id": "a", "target": "a",
                "instance": "https://a.example/health",
                "host": "a.example", "region": "eu", "severity": "critical", "vantage": "here",
            ])
        #expect(alert.annotations["reason"] == "connect_refused")
        #expect(alert.annotations["sentence"] == "seen b")
        #expect(alert.annotations["last_good_latency"] == "12 ms")
        #expect(alert.annotations["detection_bound"] == "55000 ms")
        // From the first failure on.
        #expect(alert.startedAt == office.wall + .seconds(-10))
    }

    @Test func degradedIsSaidOnlyToThoseWhoWantIt() {
        var silent = Office()
        #expect(silent.see("gpppppp") == [])
        var office = Office(degraded: true)
        #expect(office.see("gppp") == ["+TargetDegraded a"])
        #expect(office.see("bbb") == ["+TargetDown a", "-TargetDegraded a"])
        #expect(office.see("gg") == ["-TargetDown a"])
        #expect(office.see("c") == ["+CertificateExpiring a"])
        #expect(office.seeForLong("C") == ["-CertificateExpiring a"])
    }

    @Test func aBadRecordIsNotProbedAndNoOutage() {
        var office = Office()
        #expect(office.see("u") == ["+TargetNotProbed a"])
        #expect(office.see("uuu") == [])
        #expect(office.see("g") == ["-TargetNotProbed a"])
        #expect(office.see("bbb") == ["+TargetDown a"])
        let changes = office.see("u")
        #expect(changes == ["-TargetDown a", "+TargetNotProbed a"])
        #expect(office.book.alerts.values.first { $0.name == .targetDown }?.ending == .removed)
    }

    @Test func aTargetThatLeavesTheListEndsAsRemoved() {
        var office = Office()
        _ = office.see("gbbb")
        let changes = office.book.remove(Office.identity("a"), at: office.wall)
        #expect(office.describe(changes) == ["-TargetDown a"])
        #expect(changes.first?.ending == .removed)
    }

    // MARK: Doubt

    @Test func whatGoesDownInADoubtWaitsAndIsForgottenWhenItRecovers() {
        var office = Office()
        _ = office.see("g")
        office.trust.isDoubtful = true
        #expect(office.see("bbbbb") == [])
        #expect(office.tick() == [])
        #expect(office.book.held == [Office.identity("a")])
        #expect(office.book.exceptions[.vantageDoubt] == 1)
        office.trust = .init(trustedSince: office.now)
        #expect(office.see("gg") == [])
        #expect(office.tick() == [])
        #expect(office.book.held == [])
        #expect(office.book.firing == 0)
    }

    @Test func whatIsDownAfterADoubtIsAnnouncedByTheFirstProbeThatStartedAfterIt() {
        var office = Office()
        _ = office.see("g")
        office.trust.isDoubtful = true
        _ = office.see("bbb")
        var late = office.report("b", "a")
        office.pass(1)
        office.trust = .init(trustedSince: office.now)
        // It was on its way when the doubt ended.
        late.startedAt = office.now.advanced(by: .seconds(-1))
        #expect(office.book.apply(late, office.trust, at: office.now) == [])
        #expect(office.see("b") == ["+TargetDown a"])
        #expect(office.book.held == [])
    }

    @Test func aTransitionByAProbeThatStartedInTheDoubtWaitsToo() {
        var office = Office()
        _ = office.see("gbb")
        var last = office.report("b", "a")
        last.startedAt = office.now
        office.trust.trustedSince = office.now.advanced(by: .milliseconds(1))
        office.pass(1)
        #expect(office.book.apply(last, office.trust, at: office.now) == [])
        #expect(office.see("b") == ["+TargetDown a"])
    }

    @Test func afterHoldMaxTheyGoOutMarked() throws {
        var office = Office(holdMax: .seconds(60))
        _ = office.see("g")
        office.trust.isDoubtful = true
        _ = office.see("bbb")
        office.pass(30)
        _ = office.see("gbbb", "b")
        #expect(office.tick() == [])
        office.pass(20)
        #expect(Set(office.tick()) == ["+TargetDown a", "+TargetDown b"])
        #expect(office.book.alerts.values.allSatisfy { $0.annotations["during_vantage_doubt"] == "true" })
        #expect(office.see("gg") == ["-TargetDown a"])
        // The doubt goes on, and nobody waits for it any more.
        #expect(office.see("gbbb", "c") == ["+TargetDown c"])
        #expect(office.book.alerts.values.first { $0.labels["target"] == "c" }?.annotations["during_vantage_doubt"] == "true")
        office.trust = .init(trustedSince: office.now)
        #expect(office.tick() == [])
        office.trust.isDoubtful = true
        #expect(office.see("gbbb", "d") == [])
    }

    @Test func degradedAlertsEndWhenNobodyWantsThemAnyMore() {
        var office = Office(degraded: true)
        #expect(office.see("gppp") == ["+TargetDegraded a"])
        let changes = office.book.configure(AlertingOptions(vantage: "here", link: ""), at: office.wall)
        #expect(office.describe(changes) == ["-TargetDegraded a"])
        #expect(changes.first?.ending == .disabled)
    }

    @Test func whatIsSaidOfATargetThatIsDownIsRenewedAndItsLabelsStay() throws {
        var office = Office()
        _ = office.see("gbbb")
        let first = try #require(office.book.alerts.values.first)
        #expect(first.annotations["reason"] == "connect_refused")
        #expect(office.book.awaits(Office.identity("a"), isDown: true))
        #expect(office.see("t") == [])
        let renewed = try #require(office.book.alerts.values.first)
        #expect(renewed.annotations["reason"] == "timeout" && renewed.annotations["sentence"] == "seen t")
        #expect(renewed.annotations["since"] == first.annotations["since"])
        #expect(renewed.labels == first.labels && renewed.startedAt == first.startedAt)
        // A good result that decides nothing yet says nothing of why it is down.
        #expect(office.see("g") == [])
        #expect(office.book.alerts.values.first?.annotations == renewed.annotations)
    }

    @Test func anOutageWaitsForCanariesThatWereAskedAfterItBegan() {
        var office = Office()
        office.trust.vouchedUntil = office.wall
        #expect(office.see("gbbb") == [])
        #expect(office.tick() == [])
        // Of another that begins later nobody has to know.
        _ = office.see("gb", "b")
        office.trust.vouchedUntil = office.wall + .seconds(-5)
        #expect(office.tick() == ["+TargetDown a"])
        #expect(office.see("bb", "b") == [])
        office.trust.vouchedUntil = office.wall
        #expect(office.tick() == ["+TargetDown b"])
    }

    @Test func aTargetThatFlapsIsToldOnceAndItsEndOnce() {
        var office = Office()
        let turns = String(repeating: "bbbgg", count: 40)
        let told = office.see("g" + turns)
        // Until it is known to flap it comes and goes; after that one thing is said.
        let flaps = told.count
        #expect(flaps <= 10, "\(told)")
        #expect(office.book.alerts.values.first?.isFlapping == true)
        #expect(office.book.alerts.values.first?.annotations["summary"] == "a is flapping")
        #expect(office.see(turns) == [])
        #expect(office.see(String(repeating: "g", count: 30)) == ["-TargetDown a"])
        #expect(office.see("bbb") == ["+TargetDown a"])
    }

    /// Cut for some time, well again, and probed as ever: what is held is judged by what is seen then, however long that takes.
    @Test func timeAfterADoubtIsNotCounted() {
        var office = Office(holdMax: .seconds(60))
        office.trust.isDoubtful = true
        #expect(office.see("gbbb") == [])
        office.pass(30)
        #expect(office.tick() == [])
        office.trust = .init(trustedSince: office.now)
        #expect(office.tick() == [])
        office.pass(300)
        #expect(office.tick() == [])
        // Another doubt goes on where the first ended.
        office.trust.isDoubtful = true
        #expect(office.tick() == [])
        office.pass(20)
        #expect(office.tick() == [])
        office.pass(15)
        #expect(office.tick() == ["+TargetDown a"])
    }

    @Test func whatWasDownBeforeAndRecoveriesAreUntouched() {
        var office = Office()
        #expect(office.see("gbbb") == ["+TargetDown a"])
        office.trust.isDoubtful = true
        #expect(office.see("bbb") == [])
        #expect(office.see("gg") == ["-TargetDown a"])
    }

    @Test func aSuspicionThatComesToNothingHoldsNoLonger() {
        var office = Office()
        _ = office.see("g")
        office.trust.isSuspicious = true
        #expect(office.see("bbb") == [])
        #expect(office.tick() == [])
        office.trust.isSuspicious = false
        #expect(office.tick() == ["+TargetDown a"])
    }

    @Test func aSuspicionThatBecomesADoubtWantsProof() {
        var office = Office()
        _ = office.see("g")
        office.trust.isSuspicious = true
        _ = office.see("bbb")
        office.trust = .init(isDoubtful: true)
        #expect(office.tick() == [])
        office.trust = .init(trustedSince: office.now)
        #expect(office.tick() == [])
        #expect(office.see("gg") == [])
    }

    // MARK: Maintenance

    @Test func inMaintenanceNothingBeginsAndAfterItWhatIsStillWrongDoes() {
        var office = Office()
        _ = office.see("g")
        office.inMaintenance = ["a"]
        #expect(office.see("bbbbb") == [])
        #expect(office.book.exceptions[.maintenance] == 1)
        #expect(office.book.awaits(Office.identity("a"), isDown: false))
        office.inMaintenance = []
        #expect(office.see("g") == [])
        #expect(office.see("b") == ["+TargetDown a"])
        office.inMaintenance = ["a"]
        #expect(office.see("gg") == ["-TargetDown a"])
    }

    @Test func anOutageWithinAMaintenanceWindowIsNeverHeardOf() {
        var office = Office()
        _ = office.see("g")
        office.inMaintenance = ["a"]
        #expect(office.see("bbbbbgg") == [])
        office.inMaintenance = []
        #expect(office.see("ggg") == [])
        #expect(!office.book.awaits(Office.identity("a"), isDown: false))
    }

    // MARK: Restart

    @Test func aRestartInAnOutageAnnouncesNothingAgainAndEndsItInTheEnd() throws {
        var office = Office()
        _ = office.see("gbbb")
        let announced = try #require(office.book.alerts.values.first)
        var restarted = office
        restarted.book = Office().book
        restarted.book.restore(announced)
        var judge = Judge()
        for _ in 1...3 { _ = judge.judge(office.report("b", "x").result, policy: office.policy) }
        #expect(restarted.book.reconcile([Office.identity("a"): judge], at: office.wall, office.now) { _ in .zero } == [])
        #expect(restarted.see("bb") == [])
        #expect(restarted.see("gg") == ["-TargetDown a"])
    }

    @Test func whatWasNotAnnouncedBeforeTheRestartIsWhenItFailsAgain() {
        var office = Office()
        _ = office.see("gbbb")
        var judge = Judge(status: .down)
        judge.urlChanged()
        office.book = Office().book
        #expect(office.book.reconcile([Office.identity("a"): judge], at: office.wall, office.now) { _ in .zero } == [])
        #expect(office.book.awaits(Office.identity("a"), isDown: false))
        #expect(office.see("g") == [])
        #expect(office.see("b") == ["+TargetDown a"])
    }

    @Test func anAlertWhoseTargetIsGoneAfterTheRestartEnds() {
        var office = Office()
        office.book.restore(Sample.alert("gone"))
        #expect(office.describe(office.book.reconcile([:], at: office.wall, office.now) { _ in .zero }) == ["-TargetDown gone"])
    }
}
