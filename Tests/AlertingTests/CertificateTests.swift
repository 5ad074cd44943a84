import Health
import Testing

@testable import Alerting

/// `CertificateExpiring` follows the certificate, and nothing else.
@Suite struct CertificateTests {
    @Test func itNeedsNoDegradedAndAnOutageDoesNotEndIt() throws {
        var office = Office()
        #expect(office.see("CC9") == ["+CertificateExpiring a"])
        let alert = try #require(office.book.alerts.values.first)
        #expect(alert.labels["severity"] == "warning")
        #expect(alert.annotations["certificate_expiry"] == "\(Sample.noon + .seconds(9 * 86_400))")
        #expect(office.see("bbb") == ["+TargetDown a"])
        #expect(office.see("99") == ["-TargetDown a"])
        #expect(office.book.firing == 1)
        #expect(office.seeForLong("C") == ["-CertificateExpiring a"])
        #expect(office.book.alerts.values.first { $0.name == .certificateExpiring }?.ending == .recovered)
    }

    @Test func theLastDaysAreAnotherAlertWhichSaysWhenItHasExpired() throws {
        var office = Office()
        #expect(office.see("5") == ["+CertificateExpiring a"])
        #expect(office.see("2") == ["+CertificateExpiring critical a", "-CertificateExpiring a"])
        #expect(office.book.alerts.values.first { !$0.isFiring }?.ending == .raised)
        let urgent = try #require(office.book.alerts.values.first { $0.isFiring })
        #expect(
            urgent.labels["severity"] == "critical" && urgent.annotations["summary"] == "a has a certificate that expires soon")
        // It is told once more when that is so, as the same alert.
        #expect(office.see("0") == ["+CertificateExpiring critical a"])
        let expired = try #require(office.book.alerts[urgent.key])
        #expect(expired.annotations["summary"] == "a has an expired certificate" && expired.outage == urgent.outage)
        #expect(office.see("00") == ["+TargetDown a"])
        #expect(office.seeForLong("C") == ["-TargetDown a", "-CertificateExpiring critical a"])
    }

    @Test func oneThatIsRenewedForDaysOnlyIsToldAsItIs() {
        var office = Office()
        #expect(office.see("1") == ["+CertificateExpiring critical a"])
        #expect(office.seeForLong("6") == ["-CertificateExpiring critical a", "+CertificateExpiring a"])
        #expect(office.book.alerts.values.first { !$0.isFiring }?.ending == .recovered)
        #expect(office.see("7") == [])
        #expect(
            office.book.alerts.values.first { $0.isFiring }?.annotations["certificate_expiry"]
                == "\(Sample.noon + .seconds(7 * 86_400))")
    }

    /// A restart while the target is down: no certificate was seen since, and nothing has ended.
    @Test func itOutlivesARestartUntilAnotherCertificateIsSeen() throws {
        var office = Office()
        _ = office.see("9bbb")
        let known = Array(office.book.alerts.values)
        var reborn = Office()
        (reborn.judges, reborn.now, reborn.wall) = (office.judges, office.now, office.wall)
        for alert in known { reborn.book.restore(alert) }
        let judges = [Office.identity("a"): try #require(office.judges["a"])]
        #expect(reborn.book.reconcile(judges, at: office.wall, office.now) { _ in .seconds(30) } == [])
        #expect(reborn.book.awaits(Office.identity("a"), isDown: false))
        #expect(reborn.see("b") == [])
        #expect(reborn.book.firing == 2)
        #expect(reborn.seeForLong("C") == ["-TargetDown a", "-CertificateExpiring a"])
        #expect(!reborn.book.awaits(Office.identity("b"), isDown: false))
    }

    @Test func withDegradedWhatIsWrongWithTheCertificateAloneIsToldOnce() {
        var office = Office(degraded: true)
        #expect(office.see("999") == ["+CertificateExpiring a"])
    }

    /// One of two servers has the new one: no news, however often they take turns.
    @Test func oneOfSeveralServersThatWasNotRenewedKeepsItsAlert() {
        var office = Office()
        #expect(office.see("9") == ["+CertificateExpiring a"])
        for _ in 0..<200 { #expect(office.see("CC9") == []) }
        #expect(office.see("2") == ["+CertificateExpiring critical a", "-CertificateExpiring a"])
        for _ in 0..<200 { #expect(office.see("9C2") == []) }
        #expect(
            office.book.alerts.values.first { $0.isFiring }?.annotations["certificate_expiry"]
                == "\(Sample.noon + .seconds(2 * 86_400))")
        #expect(office.seeForLong("9") == ["-CertificateExpiring critical a", "+CertificateExpiring a"])
    }

    /// The first hop of a redirect answers, and the second, whose certificate it is, is down.
    @Test func aProbeThatBrokeOffRefutesNothing() {
        var office = Office()
        #expect(office.see("9") == ["+CertificateExpiring a"])
        office.pass(700)
        var report = office.report("b", "a")
        report.result.facts.certificateExpiry = Sample.noon + .seconds(90 * 86_400)
        report.certificate = CertificateNotice(report.result, days: 14)
        #expect(report.certificate == nil)
        report.result.facts.certificateExpiry = Sample.noon + .seconds(2 * 86_400)
        report.certificate = CertificateNotice(report.result, days: 14)
        #expect(
            office.describe(office.book.apply(report, office.trust, at: office.now)).first == "+CertificateExpiring critical a")
    }

    @Test func theMilderOneGoesOnWhileTheWorseOneWaitsForTheEndOfAWindow() {
        var office = Office()
        #expect(office.see("5") == ["+CertificateExpiring a"])
        office.inMaintenance = ["a"]
        #expect(office.see("22") == [])
        #expect(office.book.firing == 1)
        office.inMaintenance = []
        #expect(office.see("2") == ["+CertificateExpiring critical a", "-CertificateExpiring a"])
    }

    @Test func whatIsRenewedInTheWindowIsNotAnnouncedAfterIt() {
        var office = Office()
        #expect(office.see("5") == ["+CertificateExpiring a"])
        office.inMaintenance = ["a"]
        #expect(office.see("22C") == [])
        office.inMaintenance = []
        #expect(office.see("CC") == [])
        #expect(office.book.firing == 1)
        #expect(office.seeForLong("C") == ["-CertificateExpiring a"])
    }

    /// One of two servers has a certificate that has expired, and the other one that will soon.
    @Test func thatItHasExpiredIsToldOnce() {
        var office = Office()
        #expect(office.see("2") == ["+CertificateExpiring critical a"])
        let told = office.see("0202020202").filter { $0.contains("Certificate") }
        #expect(told == ["+CertificateExpiring critical a"])
        #expect(office.book.alerts.values.first { $0.kind == .certificateUrgent }?.isOfExpired == true)
    }

    @Test func whenItIsProbedElsewhereNobodySeesTheOldOneAnyMore() {
        var office = Office()
        #expect(office.see("5") == ["+CertificateExpiring a"])
        #expect(office.describe(office.book.move(Office.identity("a"), at: office.wall)) == ["-CertificateExpiring a"])
        // One that waits is forgotten, too.
        office.inMaintenance = ["b"]
        #expect(office.see("2", "b") == [])
        #expect(office.book.move(Office.identity("b"), at: office.wall) == [])
        office.inMaintenance = []
        #expect(office.see("bb", "b") == [])
    }

    @Test func inMaintenanceItWaits() {
        var office = Office()
        office.inMaintenance = ["a"]
        #expect(office.see("99") == [])
        office.inMaintenance = []
        #expect(office.see("9") == ["+CertificateExpiring a"])
    }
}
