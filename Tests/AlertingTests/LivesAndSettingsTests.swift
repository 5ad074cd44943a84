import LockOrder
import Health
import Synchronization
import Testing

@testable import Alerting

/// What webhooks hear when the daemon or its settings change between the beginning of an outage and its end.
@Suite struct LivesAndSettingsTests {
    @Test func aMemberThatEndedBeforeTheRestartKeepsNoGroupAlive() async {
        var desk = Desk(webhooks: ["http://hook"])
        for key in ["a", "b"] { desk.see("gbbb", key) }
        #expect(await desk.settle() == ["http://hook": ["1 firing", "1 firing"]])
        desk.see("gg", "a")
        #expect(await desk.settle() == ["http://hook": ["2 resolved"]])

        var one = Desk(webhooks: ["http://hook"])
        for key in ["a", "b"] { one.see("gbbb", key, host: "same.example") }
        #expect(await one.settle() == ["http://hook": ["1 firing"]])
        one.see("gg", "a", host: "same.example")
        #expect(await one.settle() == ["http://hook": ["2 update"]])
        var next = one.next(webhooks: ["http://hook"], down: ["b"])
        #expect(await next.settle() == [:])
        next.see("gg", "b", host: "same.example")
        #expect(await next.settle() == ["http://hook": ["3 resolved"]])
        // And a later outage of the same host is a new one.
        next.see("bbb", "b", host: "same.example")
        #expect(await next.settle() == ["http://hook": ["1 firing"]])
    }

    @Test func afterALongAbsenceNothingIsSaidBeforeItWasLooked() async {
        var desk = Desk(alertmanagers: ["http://am"])
        desk.see("gbbb")
        desk.shelf.commit()
        #expect(await desk.send().count == 1)
        // It recovered meanwhile: that is all there is to say.
        var next = desk.next(alertmanagers: ["http://am"], down: ["a"], away: 3600, patience: .seconds(30))
        #expect(await next.send().isEmpty)
        next.see("g")
        #expect(await next.send().isEmpty)
        next.see("g")
        next.shelf.commit()
        let over = await next.send()
        #expect(
            over.count == 1 && over.allSatisfy { $0.body.contains("\"endsAt\":\"\(next.wall + .milliseconds(20))") }, "\(over)")
    }

    @Test func whatIsStillDownAfterAnAbsenceGoesOnWithTheFirstLook() async {
        var desk = Desk(alertmanagers: ["http://am"], webhooks: ["http://hook"])
        desk.see("gbbb")
        desk.shelf.commit()
        _ = await desk.send()
        var next = desk.next(
            alertmanagers: ["http://am"], webhooks: ["http://hook"], down: ["a"], away: 3600, patience: .seconds(30))
        #expect(await next.send().isEmpty)
        next.see("b")
        #expect(await next.send().map(\.url) == ["http://am/api/v2/alerts"])
        // Its window was over long ago.
        #expect(await next.settle()["http://hook"] == ["1 firing"])
    }

    @Test func anIntervalIsTheLongestThatALookIsWaitedFor() async {
        var desk = Desk(alertmanagers: ["http://am"])
        desk.see("gbbb")
        desk.shelf.commit()
        _ = await desk.send()
        var next = desk.next(alertmanagers: ["http://am"], down: ["a"], away: 3600, patience: .seconds(30))
        next.pass(29)
        #expect(await next.send().isEmpty)
        next.pass(1)
        #expect(await next.send().count == 1)
    }

    @Test func howAMemberEndedIsToldAfterARestartToo() async throws {
        var desk = Desk(webhooks: ["http://hook"])
        for key in ["a", "b"] { desk.see("gbbb", key, host: "same.example") }
        _ = await desk.settle()
        desk.see("gg", "a", host: "same.example")
        _ = await desk.settle()
        var next = desk.next(webhooks: ["http://hook"], down: [])
        next.shelf.commit()
        _ = await next.send()
        next.shelf.commit()
        let last = try #require(await next.send().first?.body)
        #expect(last.contains("\"ended_as\":\"recovered\"") && last.contains("\"ended_as\":\"removed\""))
        _ = await next.settle()
        #expect(next.shelf.count("alert") == 0 && next.shelf.count("group") == 0)
    }

    @Test func anOutageThatEndsWhileThereIsNoWebhookIsOverForTheNext() async {
        var desk = Desk(webhooks: ["http://hook"])
        desk.see("gbbb")
        #expect(await desk.settle() == ["http://hook": ["1 firing"]])
        desk.configure(webhooks: [])
        desk.see("gg")
        #expect(await desk.settle() == [:])
        desk.configure(webhooks: ["http://hook"])
        #expect(await desk.settle() == [:])
        #expect(desk.shelf.count("group") == 0)
        desk.see("bbb")
        #expect(await desk.settle() == ["http://hook": ["1 firing"]])
    }

    @Test func aWebhookThatIsAddedBesideAnotherHearsWhatGoesOn() async {
        var desk = Desk(webhooks: ["http://one"])
        desk.see("gbbb")
        _ = await desk.settle()
        desk.configure(webhooks: ["http://one", "http://two"])
        #expect(await desk.settle() == ["http://two": ["1 firing"]])
        desk.see("gg")
        #expect(await desk.settle() == ["http://one": ["2 resolved"], "http://two": ["2 resolved"]])
    }

    @Test(arguments: [false, true]) func aWebhookWhoseURLChangesGetsWhatWaitedForIt(byRestart: Bool) async {
        var desk = Desk(webhooks: ["http://old"])
        desk.see("gbbb")
        _ = await desk.settle()
        desk.see("gg")
        desk.shelf.commit()
        _ = await desk.send(.refused("HTTP 410"))
        desk.shelf.commit()
        #expect(await desk.send(.refused("HTTP 410")).count == 1)
        if byRestart { desk = desk.next(webhooks: ["http://new"], down: []) } else { desk.configure(webhooks: ["http://new"]) }
        #expect(await desk.settle() == ["http://new": ["2 resolved"]])
        #expect(desk.shelf.count("message") == 0)
    }

    @Test func aRestartWithOneMoreWebhookTellsItAndNobodyElse() async {
        var desk = Desk(webhooks: ["http://one"])
        desk.see("gbbb")
        _ = await desk.settle()
        var next = desk.next(webhooks: ["http://one", "http://two"], down: ["a"])
        #expect(await next.settle() == ["http://two": ["1 firing"]])
        var last = next.next(webhooks: ["http://one", "http://two"], down: ["a"])
        #expect(await last.settle() == [:])
    }

    /// Others may not have had their turn yet since the restart: whether it is our own uplink isn't known.
    @Test func anOutageThatBeganBeforeTheRestartWantsOneMoreFailure() {
        var office = Office()
        #expect(office.see("gbb") == [])
        // The judge is remembered, with its streak.
        #expect(office.book.reconcile([:], at: office.wall, office.now) { _ in .zero } == [])
        #expect(office.see("b") == [])
        #expect(office.book.awaits(Office.identity("a"), isDown: false))
        #expect(office.see("b") == ["+TargetDown a"])
        #expect(office.see("ggbbb") == ["-TargetDown a", "+TargetDown a"])
    }

    @Test func whatIsNotKnownYetEndsNothing() {
        let desk = Desk()
        desk.alerter.set(.vantageUnhealthy, isFiring: true, at: desk.wall)
        desk.alerter.set(.vantageUnhealthy, isFiring: nil, at: desk.wall)
        #expect(desk.alerter.state.withLock { $0.pipeline.book.firing } == 1)
        desk.alerter.set(.vantageUnhealthy, isFiring: false, at: desk.wall)
        #expect(desk.alerter.state.withLock { $0.pipeline.book.firing } == 0)
    }

    @Test func theListOfAClientThatIsGoneIsNoAlert() {
        let desk = Desk()
        desk.alerter.set(.syncStale, .client("c"), isFiring: true, at: desk.wall)
        desk.alerter.set(.syncHeld, .client("d"), isFiring: true, at: desk.wall)
        desk.alerter.keepClients(["d"], at: desk.wall)
        let alerts = desk.alerter.state.withLock {
            $0.pipeline.book.alerts.values.map { "\($0.name) \($0.isFiring) \($0.ending as Any)" }
        }
        #expect(alerts.sorted() == ["syncHeld true nil", "syncStale false Optional(Alerting.Alert.Ending.removed)"])
    }

    @Test func whoIsDegradedAlreadyIsSaidWhenThatBecomesAMatterOfAlerts() {
        var office = Office()
        #expect(office.see("gppp") == [])
        var options = AlertingOptions(vantage: "here", link: "")
        options.alertsDegraded = true
        #expect(office.book.configure(options, at: office.wall) == [])
        #expect(!office.book.awaits(Office.identity("a"), isDown: false))
        office.book.expect([Office.identity("a")])
        #expect(office.book.awaits(Office.identity("a"), isDown: false))
        #expect(office.see("pp") == ["+TargetDegraded a"])
    }

    @Test func aWindowThatOpensKeepsBackWhatADoubtHeld() {
        var office = Office()
        _ = office.see("g")
        office.trust.isSuspicious = true
        #expect(office.see("bbb") == [])
        office.inMaintenance = ["a"]
        office.trust.isSuspicious = false
        #expect(office.tick() == [])
        #expect(office.book.held == [])
        #expect(office.see("b") == [])
        office.inMaintenance = []
        #expect(office.tick() == [])
        #expect(office.see("b") == ["+TargetDown a"])
    }

    @Test func oneAlertmanagerIsToldOnce() {
        var options = AlertingOptions(vantage: "here", link: "")
        for url in ["http://am:9093", "http://am:9093/", "http://am:9093/prefix/"] { options.add(alertmanager: url) }
        #expect(options.alertmanagers == ["http://am:9093", "http://am:9093/prefix"])
    }

    @Test func aPartThatIsRefusedKeepsNoneOfTheOthers() async {
        let alerts = (0..<1200).map { Sample.alert("t\($0)") }
        let job = AlertJob.alertmanager(
            url: "http://am", alerts: alerts, endsAt: Timestamp(milliseconds: 0), link: "")
        let asked = Mutex(0)
        let answer = await Alerter.carryOut(job) { _ in
            asked.withLock { asked in
                asked += 1
                return asked == 1 ? .refused("HTTP 400") : .taken
            }
        }
        #expect(answer == .refused("HTTP 400"))
        #expect(asked.withLock { $0 } == 3)
    }
}
