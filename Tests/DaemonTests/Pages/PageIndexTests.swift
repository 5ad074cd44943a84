import Curl
import Foundation
import Health
import History
import Logging
import Pages
import Probing
import Synchronization
import TestSupport
import Testing

@testable import Daemon

/// A target that is judged as the daemon judges it.
struct JudgedTarget {
    let target: Target
    let slot: Int32
    var judge = Judge()
    var policy = SharedPolicy(ProbePolicy())
    var lastGood: LastGood?

    init(_ key: String, slot: Int32 = 0) {
        target = Target(
            identity: TargetIdentity(clientID: "c", key: key), name: "Target \(key)", baseURL: "https://\(key).example",
            testPath: "/",
            region: "eu")
        self.slot = slot
    }

    /// - Parameter at: in seconds.
    mutating func result(
        _ outcome: Outcome, at: Int, sentence: String = "", evidence: Evidence? = nil
    ) -> JudgedResult {
        let result = ProbeResult(
            target: target.identity, startedAt: Timestamp(milliseconds: 1_700_000_000_000 + Int64(at) * 1000),
            duration: .milliseconds(40),
            outcome: outcome, sentence: sentence)
        let before = judge
        let judgement = judge.judge(result, policy: policy.value)
        if outcome == .good { lastGood = LastGood(result) }
        return JudgedResult(
            result: result, judgement: judgement, judge: judge, isJudgeNews: !judge.isLike(before), target: target, slot: slot,
            url: URLParts("https://\(target.identity.key).example"), policy: policy, intervalsTolerated: 3,
            changesUnprobeable: false,
            changesCause: false, startedAt: .now, hostClass: .outside, lastGood: lastGood, evidence: evidence, otherAddresses: nil
        )
    }
}

@Suite struct PageIndexTests {
    private static let seconds = Mutex(0)

    /// Each is asked for later than the one before: a copy is used for a second.
    private func copy(_ index: PageIndex) -> PageIndex.Snapshot {
        let seconds = Self.seconds.withLock { seconds in
            seconds += 5
            return seconds
        }
        return index.snapshot(at: .now.advanced(by: .seconds(seconds)))
    }

    /// Down since the third failure; the first good answer doesn't say why.
    @Test func aTargetThatIsDownKeepsItsReasonOverAGoodAnswer() {
        let index = PageIndex(today: 19_675)
        var target = JudgedTarget("a")
        for second in [0, 30, 60] { index.record(target.result(.bad(.timeout), at: second, sentence: "no answer")) }
        index.record(target.result(.good, at: 90, sentence: "HTTP 200"))
        let snapshot = copy(index)
        #expect(snapshot.index[0].status == .down && snapshot.index[0].reason == .timeout)
        #expect(snapshot.index.said(slot: 0)?.sentence == "no answer")
        index.record(target.result(.good, at: 120, sentence: "HTTP 200"))
        #expect(copy(index).index[0].status == .up && copy(index).index.said(slot: 0) == nil)
    }

    @Test func theFirstResultMayComeBeforeTheList() {
        let index = PageIndex(today: 19_675)
        var target = JudgedTarget("a")
        index.record(target.result(.good, at: 0))
        index.replace([(0, TargetIndex.Identity(target.target, host: "a.example"), nil)])
        #expect(copy(index).index.counts[.up] == 1)
    }

    @Test func whatIsRememberedOfAnEarlierLifeHolds() {
        let index = PageIndex(today: 19_675)
        var (target, live) = (JudgedTarget("a"), TargetIndex.Live())
        (live.status, live.since) = (.up, Timestamp(milliseconds: 5))
        target.judge = Judge(status: .up, hasBeenUp: true)
        index.replace([(0, TargetIndex.Identity(target.target, host: "a.example"), live)])
        index.record(target.result(.good, at: 0))
        #expect(copy(index).index[0].since == Timestamp(milliseconds: 5))
    }

    @Test func anotherTargetInTheSlotHasNothingOfTheOneBefore() throws {
        let index = PageIndex(today: 19_675)
        let (old, new) = (JudgedTarget("a"), JudgedTarget("b"))
        index.replace([(0, TargetIndex.Identity(old.target, host: nil), nil)])
        _ = index.takeNew()
        let row = PageIndex.DayRow(
            place: try #require(index.place(of: old.target.identity, slot: 0)), sums: StateSums(down: 9), p95: 7)
        index.add([row], day: 19_675, through: 1, takesP95: true)
        #expect(copy(index).p95(slot: 0) == 7)
        index.replace([(0, TargetIndex.Identity(new.target, host: nil), nil)])
        let snapshot = copy(index)
        #expect(snapshot.days.sums(slot: 0) == StateSums() && snapshot.p95(slot: 0) == nil)
        // What was read meanwhile for the old one.
        index.add([row], day: 19_675, through: 1)
        #expect(copy(index).days.sums(slot: 0) == StateSums())
    }

    @Test func aTargetThatWentIsGoneWhateverComesLate() {
        let index = PageIndex(today: 19_675)
        var (old, new) = (JudgedTarget("a"), JudgedTarget("b"))
        index.replace([(0, TargetIndex.Identity(old.target, host: nil), nil)])
        let late = old.result(.bad(.timeout), at: 0)
        index.replace([])
        // Its last result is told after the list, and then that it has gone.
        index.record(late)
        index.remove(old.target.identity, slot: 0)
        #expect(copy(index).index.count == 0)
        // Another target has the slot: nothing of the old one touches it.
        index.record(new.result(.good, at: 0))
        index.record(late)
        index.remove(old.target.identity, slot: 0)
        #expect(copy(index).index.counts[.up] == 1 && copy(index).index.count == 1)
    }

    @Test func aTargetThatIsNewHasNoPlaceBeforeItsDaysAreAskedFor() {
        let index = PageIndex(today: 19_675)
        let target = JudgedTarget("a").target
        index.replace([(0, TargetIndex.Identity(target, host: nil), nil)])
        #expect(index.hasNew && index.place(of: target.identity, slot: 0) == nil)
        let new = index.takeNew()
        #expect(new == [index.place(of: target.identity, slot: 0)] && !index.hasNew)
        index.askAgain(new)
        #expect(index.hasNew && index.place(of: target.identity, slot: 0) == nil)
        // Whoever had the slot before is asked for no more.
        _ = index.takeNew()
        index.replace([])
        index.askAgain(new)
        #expect(!index.hasNew)
    }

    /// Six hours of a target, in a database as the daemon writes it.
    @Test func theDaysAreThoseOfTheDatabaseAndAreAddedOnce() async throws {
        let folder = try TemporaryFolder()
        let start: Int64 = 1_699_920_000_000
        let history = try History.open(
            path: folder.file("history.db"), options: HistoryOptions(vantage: "v", now: { Timestamp(milliseconds: start) }))
        var target = JudgedTarget("a")
        history.persist(list: [target.target], client: "c")
        for step in 0..<720 {
            // From midnight on, every thirty seconds.
            let isBad = (100..<160).contains(step)
            let judged = target.result(isBad ? .bad(.timeout) : .good, at: -80_000 + 30 * step)
            history.append(
                HistoryRecord(
                    result: judged.result, judgement: judged.judgement, judge: judged.isJudgeNews ? judged.judge : nil,
                    interval: .seconds(30)))
            if step % 10 == 9 { await history.flush() }
        }
        while await history.compact() {}
        await history.close()
        let index = PageIndex(today: start / 86_400_000)
        index.replace([(0, TargetIndex.Identity(target.target, host: nil), nil)])
        let readers = HistoryReaders(path: folder.file("history.db"))
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let feed = DayFeed(index: index, readers: readers, logger: logger) { _ in 0 }
        let now = Timestamp(milliseconds: start + 6 * 3_600_000)
        for _ in 0..<3 { try feed.look(at: now) }
        let whole = try readers.read { reader throws(HistoryError) in try reader.hoursAreWholeBefore() }
        let span = Timestamp(milliseconds: start)..<Timestamp(milliseconds: whole * 3_600_000)
        let summary = try readers.read { reader throws(HistoryError) in try reader.summary(of: target.target.identity, in: span) }
        let (sums, time) = (copy(index).days.sums(slot: 0), try #require(summary.time))
        #expect(sums.down == time.down.wholeMilliseconds && sums.available == (time.up + time.degraded).wholeMilliseconds)
        #expect(sums.down > 0 && copy(index).days.window > 0)
        #expect(copy(index).days.states(slot: 0, now: .up).last == .down)
        // A target that comes later has its past, too.
        let late = PageIndex(today: start / 86_400_000)
        let other = DayFeed(index: late, readers: readers, logger: logger) { _ in 4 }
        try other.look(at: now)
        late.replace([(4, TargetIndex.Identity(target.target, host: nil), nil)])
        for _ in 0..<2 { try other.look(at: now) }
        #expect(copy(late).days.sums(slot: 4) == sums)
        // Ninety days later nothing of it is left.
        try feed.look(at: now + .seconds(90 * 86_400))
        #expect(copy(index).days.states(slot: 0, now: .unknown).allSatisfy { $0 == .unknown })
        // A history that has begun anew has nothing of before.
        let before = copy(late).days.sums(slot: 4)
        readers.forget(isNew: false)
        try other.look(at: now)
        #expect(copy(late).days.sums(slot: 4) == before)
        readers.forget(isNew: true)
        try FileManager.default.removeItem(atPath: folder.file("history.db"))
        let empty = try History.open(path: folder.file("history.db"), options: HistoryOptions(vantage: "v", now: { now }))
        for _ in 0..<2 { try other.look(at: now) }
        #expect(copy(late).days.sums(slot: 4) == StateSums())
        await empty.close()
    }
}

@Suite struct EvidenceBookTests {
    private func evidence(at: Int, _ said: String = "no", status: Int = 503) -> Evidence {
        Evidence(
            at: Timestamp(milliseconds: 1_700_000_000_000 + Int64(at) * 1000), httpStatus: status,
            headers: "HTTP/1.1 \(status)\n",
            body: Array(said.utf8))
    }

    private func kinds(_ notes: [IncidentNote]) -> [String] {
        notes.map { note in
            switch note.change {
            case .confirmed: "confirmed"
            case .alerted: "alerted"
            case .noted: "noted"
            case .evidence(let kind, let evidence):
                "\(kind.rawValue) \(evidence.body.map { String(decoding: $0, as: UTF8.self) } ?? "-")"
            }
        }
    }

    @Test func theFirstFailureIsKeptUntilTheIncidentIsConfirmed() {
        let book = EvidenceBook()
        var target = JudgedTarget("a")
        _ = book.notes(on: target.result(.good, at: 0)) { nil }
        for second in [30, 60] {
            #expect(
                book.notes(on: target.result(.bad(.statusUnexpected), at: second, evidence: evidence(at: second, "s\(second)"))) {
                    nil
                }.isEmpty)
        }
        let certificate = Evidence.Certificate(
            subject: "CN=a", issuer: "", names: [], notBefore: nil, notAfter: nil, fingerprint: "00")
        let notes = book.notes(on: target.result(.bad(.statusUnexpected), at: 90, evidence: evidence(at: 90, "s90"))) {
            certificate
        }
        #expect(kinds(notes) == ["confirmed", "first_bad s30", "last_bad s90", "last_good -"])
        guard case .evidence(_, let good) = notes[3].change else {
            Issue.record("no evidence")
            return
        }
        #expect(good.certificates == [certificate])
        // The same again is not written each time, and what it said last when it ends.
        for second in stride(from: 120, to: 360, by: 30) {
            let judged = target.result(.bad(.statusUnexpected), at: second, evidence: evidence(at: second, "id \(second)"))
            #expect(book.notes(on: judged) { nil }.isEmpty)
        }
        let other = target.result(.bad(.statusUnexpected), at: 360, evidence: evidence(at: 360, "gone", status: 404))
        #expect(kinds(book.notes(on: other) { nil }) == ["last_bad gone"])
        let again = target.result(.bad(.statusUnexpected), at: 390, evidence: evidence(at: 390, "gone again", status: 404))
        #expect(book.notes(on: again) { nil }.isEmpty)
        #expect(book.notes(on: target.result(.good, at: 420)) { nil }.isEmpty)
        #expect(kinds(book.notes(on: target.result(.good, at: 450)) { nil }) == ["last_bad gone again"])
    }

    /// After a restart in the middle of a run of failures.
    @Test func whatTheFirstFailureSaidIsNotMadeUp() {
        let book = EvidenceBook()
        var target = JudgedTarget("a")
        for second in [0, 30] { _ = target.result(.bad(.timeout), at: second) }
        let notes = book.notes(on: target.result(.bad(.statusUnexpected), at: 60, evidence: evidence(at: 60, "s60"))) { nil }
        #expect(kinds(notes) == ["confirmed", "last_bad s60"])
    }

    @Test func aRunThatASuccessEndsLeavesNothing() {
        let book = EvidenceBook()
        var target = JudgedTarget("a")
        _ = book.notes(on: target.result(.bad(.timeout), at: 0, evidence: evidence(at: 0, "old"))) { nil }
        _ = book.notes(on: target.result(.good, at: 30)) { nil }
        for second in [60, 90] {
            _ = book.notes(on: target.result(.bad(.timeout), at: second, evidence: evidence(at: second, "s\(second)"))) { nil }
        }
        let notes = book.notes(on: target.result(.bad(.timeout), at: 120, evidence: evidence(at: 120, "s120"))) { nil }
        #expect(kinds(notes).contains("first_bad s60"))
    }

    @Test func whatWaitsWhenATargetIsRemovedIsWritten() throws {
        let book = EvidenceBook()
        var target = JudgedTarget("a")
        for second in [0, 30, 60, 90] {
            _ = book.notes(on: target.result(.bad(.timeout), at: second, evidence: evidence(at: second, "s\(second)"))) { nil }
        }
        let closed = target.judge.removed(at: Timestamp(milliseconds: 1_700_000_100_000))
        let incident = try #require(closed)
        let note = book.end(of: incident)
        #expect(kinds(note.map { [$0] } ?? []) == ["last_bad s90"])
        #expect(book.end(of: incident) == nil)
    }
}
