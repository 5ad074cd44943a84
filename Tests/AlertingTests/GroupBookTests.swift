import Health
import Testing

@testable import Alerting

@Suite struct GroupBookTests {
    private var book = GroupBook(window: .seconds(10))
    private let start = ContinuousClock.now

    private func at(_ seconds: Int) -> ContinuousClock.Instant { start.advanced(by: .seconds(seconds)) }

    private func apply(_ book: inout GroupBook, _ alerts: [Alert], at second: Int) -> [GroupMessage] {
        alerts.flatMap { book.apply($0, at: at(second)) }
    }

    @Test func oneAlertIsAMessageWhenItBeginsAndOneWhenItEnds() throws {
        var book = book
        let alert = Sample.alert("a")
        #expect(apply(&book, [alert], at: 0) == [])
        #expect(book.tick(at: at(9)) == [])
        let first = try #require(book.tick(at: at(10)).first)
        #expect(first.kind == .firing)
        #expect(first.group.sequence == 1)
        #expect(book.tick(at: at(60)) == [])
        let last = try #require(apply(&book, [Sample.ended(alert)], at: 61).first)
        #expect((last.kind, last.group.sequence) == (.resolved, 2))
        #expect(last.group.id == first.group.id)
        #expect(book.groups.isEmpty)
    }

    @Test func aWindowThatIsMadeShorterEndsSooner() {
        var book = book
        #expect(apply(&book, [Sample.alert("a")], at: 0) == [])
        book.setWindow(.seconds(3), at: at(4))
        #expect(book.nextDue == at(7))
        #expect(book.tick(at: at(6)) == [])
        #expect(book.tick(at: at(7)).count == 1)
        // One that is made longer is for what begins from then on.
        #expect(apply(&book, [Sample.alert("b", host: "other.example", region: "us")], at: 10) == [])
        book.setWindow(.seconds(60), at: at(11))
        #expect(book.tick(at: at(13)).count == 1)
    }

    @Test func thoseOfOneHostGoTogetherAndEndWithTheLast() throws {
        var book = book
        let alerts = ["a", "b", "c"].map { Sample.alert($0) }
        _ = apply(&book, alerts + [Sample.alert("x", host: "other.example", region: "us")], at: 0)
        let messages = book.tick(at: at(10))
        #expect(messages.map(\.group.kind) == [.host, .host])
        #expect(messages.map(\.group.members.count) == [3, 1])
        #expect(apply(&book, alerts.prefix(2).map { Sample.ended($0) }, at: 20) == [])
        let last = try #require(apply(&book, [Sample.ended(alerts[2])], at: 30).first)
        #expect(last.kind == .resolved)
        #expect(last.group.members.count == 3)
    }

    @Test func whoJoinsLaterIsSaidInOneFollowUp() throws {
        var book = book
        _ = apply(&book, [Sample.alert("a"), Sample.alert("b")], at: 0)
        _ = book.tick(at: at(10))
        _ = apply(&book, [Sample.alert("c", at: 30)], at: 30)
        _ = apply(&book, [Sample.alert("d", at: 35)], at: 35)
        #expect(book.tick(at: at(39)) == [])
        let update = try #require(book.tick(at: at(40)).first)
        #expect((update.kind, update.group.sequence, update.group.members.count) == (.update, 2, 4))
        #expect(book.tick(at: at(80)) == [])
    }

    @Test func hostsThatShareACertificateGoTogether() throws {
        var book = book
        let alerts = (0..<4).map { Sample.alert("t\($0)", host: "h\($0).example", region: "r\($0)", expiry: "2026-01-01") }
        _ = apply(&book, alerts, at: 0)
        let messages = book.tick(at: at(10))
        #expect(messages.map(\.group.kind) == [.certificate])
        #expect(messages.first?.group.members.count == 4)
    }

    @Test func manyHostsOfOneRegionGoTogetherAndFewDoNot() {
        var many = book
        _ = apply(&many, (0..<5).map { Sample.alert("t\($0)", host: "h\($0).example") }, at: 0)
        #expect(many.tick(at: at(10)).map(\.group.kind) == [.region])
        var few = book
        _ = apply(&few, (0..<4).map { Sample.alert("t\($0)", host: "h\($0).example") }, at: 0)
        #expect(few.tick(at: at(10)).count == 4)
    }

    @Test func whatIsOverBeforeItWasSaidIsNeverSaid() {
        var book = book
        let alert = Sample.alert("a")
        _ = apply(&book, [alert], at: 0)
        #expect(apply(&book, [Sample.ended(alert)], at: 5) == [])
        #expect(book.tick(at: at(10)) == [])
        #expect(book.groups.isEmpty)
    }

    /// What is told of it last must not be taken for what nobody has heard of.
    @Test func theEndOfAnOutageThatWasToldIsToldAlsoWhileThereIsNewsOfIt() throws {
        var book = book
        var alert = Sample.alert("a")
        _ = apply(&book, [alert, Sample.alert("b")], at: 0)
        _ = book.tick(at: at(10))
        alert.annotations[Alert.flappingAnnotation] = "true"
        _ = apply(&book, [alert], at: 20)
        _ = apply(&book, [Sample.ended(alert)], at: 21)
        let update = try #require(book.tick(at: at(30)).first)
        #expect(update.kind == .update && update.group.members[alert.outage]?.isFiring == false)
    }

    @Test func thoseWithoutAHostAreEachAlone() {
        var book = book
        _ = apply(&book, ["a", "b"].map { Sample.alert($0, host: "") }, at: 0)
        #expect(book.tick(at: at(10)).map(\.group.kind) == [.alone, .alone])
    }

    @Test func aRegionTakesNobodyAfterItsWindow() {
        var book = book
        _ = apply(&book, (0..<5).map { Sample.alert("t\($0)", host: "h\($0).example") }, at: 0)
        #expect(book.tick(at: at(10)).map(\.group.kind) == [.region])
        _ = apply(&book, [Sample.alert("x", host: "x.example", at: 20)], at: 20)
        #expect(book.tick(at: at(30)).map { "\($0.kind) \($0.group.kind) \($0.group.members.count)" } == ["firing host 1"])
    }

    @Test func theSameAlertsGiveTheSameIdentity() {
        #expect(groupID([Sample.alert("a"), Sample.alert("b")]) == groupID([Sample.alert("b"), Sample.alert("a")]))
        #expect(groupID([Sample.alert("a")]) != groupID([Sample.alert("a", at: 1)]))
    }
}
