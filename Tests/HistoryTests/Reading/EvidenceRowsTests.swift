import GRDB
import Health
import TestSupport
import Testing

@testable import History

@Suite struct EvidenceRowsTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static let whole = Evidence(
        at: Sample.start, httpStatus: 503, headers: "HTTP/1.1 503 \"no\"\nX: <b>\n", body: [0x68, 0x69, 0, 0xff], bodyBytes: 9000,
        address: "192.0.2.7", addresses: [.init(text: "192.0.2.7", state: .failed), .init(text: "2001:db8::1", state: .answers)],
        certificates: [
            .init(
                subject: "CN=a\"\\", issuer: "CN=\u{1F4A5}", names: ["a.example", "192.0.2.7"], notBefore: nil,
                notAfter: Sample.start, fingerprint: "00ff"),
            .init(subject: "CN=root", issuer: "", names: [], notBefore: Sample.start, notAfter: nil, fingerprint: "01"),
        ],
        phases: Phases(dns: .microseconds(1), processing: .microseconds(5)))

    /// An incident that was confirmed with these notes.
    private func incident(_ changes: [IncidentNote.Change]) async throws -> Int64 {
        let history = try folder.open()
        var judge = Judge()
        var policy = ProbePolicy()
        policy.fall = 1
        let result = Sample.result("tgt_1", .bad(.statusUnexpected))
        let judgement = judge.judge(result, policy: policy)
        let startedAt = try #require(judge.incident).startedAt
        let notes = changes.map { IncidentNote(target: result.target, startedAt: startedAt, $0) }
        history.append(
            HistoryRecord(result: result, judgement: judgement, judge: judge, interval: .seconds(30), incidentNotes: notes))
        #expect(await history.close())
        return Int64(try #require(try folder.integer("SELECT incident_id FROM incident_history")))
    }

    @Test func whatIsWrittenIsReadAgain() async throws {
        let good = Evidence(at: Sample.start, httpStatus: 200, body: [], phases: Phases(transfer: .microseconds(7)))
        let id = try await incident([
            .confirmed(interval: .seconds(30), bound: .seconds(53)), .evidence(.firstBad, Self.whole), .evidence(.lastGood, good),
            .alerted(at: Sample.start + .seconds(9)), .alerted(at: Sample.start + .seconds(99)),
        ])
        let detail = try #require(try HistoryReader.open(path: folder.database).incident(id))
        #expect(detail.evidence == [.firstBad: Self.whole, .lastGood: good])
        #expect((detail.interval, detail.bound) == (.seconds(30), .seconds(53)))
        #expect(detail.alertedAt == Sample.start + .seconds(9))
        #expect(detail.uuid?.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil)
        #expect(try HistoryReader.open(path: folder.database).incident(id + 1) == nil)
    }

    @Test func theViewHasItAsOtherProgramsReadIt() async throws {
        let id = try await incident([.evidence(.lastBad, Self.whole)])
        let row = try #require(try folder.rows("SELECT * FROM incident_evidence").first)
        #expect(
            Array(row.columnNames) == [
                "incident_id", "kind", "at_ms", "http_status", "headers", "body", "body_bytes", "address", "addresses",
                "certificates",
            ])
        #expect(row["incident_id"] == id && row["kind"] == "last_bad")
        let states = "SELECT group_concat(a.value ->> 'state') FROM incident_evidence, json_each(addresses) a"
        #expect(try folder.texts(states) == ["failed,answers"])
        let names = "SELECT c.value ->> '$.names[1]' FROM incident_evidence, json_each(certificates) c WHERE c.key = 0"
        #expect(try folder.texts(names) == ["192.0.2.7"])
    }

    @Test func whatSomebodyNotedIsReadInItsOrder() async throws {
        let notes = (0..<3).map { NoteRow(at: Sample.start + .seconds($0), text: "note \($0) \u{0} é", isPublic: $0 == 1) }
        let id = try await incident(notes.map { .noted($0) })
        #expect(try HistoryReader.open(path: folder.database).incident(id)?.notes == notes)
    }

    /// A server may send its own certificate twice.
    @Test func twoCertificatesThatAreAlikeAreTwo() async throws {
        var twice = Self.whole
        twice.certificates = [Self.whole.certificates[0], Self.whole.certificates[0]]
        let id = try await incident([.evidence(.lastBad, twice)])
        #expect(try HistoryReader.open(path: folder.database).incident(id)?.evidence == [.lastBad: twice])
    }

    @Test func evidenceGoesWithItsIncident() async throws {
        _ = try await incident([.evidence(.lastBad, Self.whole)])
        try folder.stranger().inDatabase { try $0.execute(sql: "UPDATE incident SET ended_at_ms = 0, closed_as = 'recovered'") }
        let history = try folder.open { $0.keep.days = .seconds(1) }
        while await history.removeOld() {}
        await history.close()
        #expect(try folder.integer("SELECT count(*) FROM incident") == 0)
        #expect(try folder.integer("SELECT count(*) FROM evidence") == 0)
    }

    /// What servers said may have personal data in it.
    @Test func evidenceIsNotKeptForLongerThanMinutes() async throws {
        _ = try await incident([
            .evidence(.lastBad, Self.whole), .noted(NoteRow(at: Sample.start, text: "kept", isPublic: false)),
        ])
        try folder.stranger().inDatabase { try $0.execute(sql: "UPDATE incident SET ended_at_ms = 0, closed_as = 'recovered'") }
        let history = try folder.open { $0.keep.minutes = .seconds(1) }
        while await history.removeOld() {}
        await history.close()
        #expect(try folder.integer("SELECT count(*) FROM incident") == 1)
        #expect(try folder.integer("SELECT count(*) FROM evidence") == 0)
        #expect(try folder.integer("SELECT count(*) FROM note") == 1)
    }

    @Test func whenEverythingFailsAtOnceNoResultIsCalledLost() {
        var batch = Batch(limit: 100_000)
        for number in 0..<5000 {
            batch.append(
                IncidentNote(target: Sample.identity("t\(number)"), startedAt: Sample.start, .evidence(.lastBad, Self.whole)))
        }
        batch.append(
            IncidentNote(
                target: Sample.identity(), startedAt: Sample.start, .noted(NoteRow(at: Sample.start, text: "x", isPublic: false)))
        )
        #expect(batch.incidentNotes.count == 5001 && batch.dropped == 0)
        guard case .evidence(_, let last) = batch.incidentNotes[4999].change else {
            Issue.record("no evidence")
            return
        }
        #expect(last.body == nil && last.headers == nil && last.certificates == Self.whole.certificates)
    }
}
