import Health
import Testing

@testable import Pages

@Suite struct IncidentPageTests {
    private func company(_ count: Int, sharing: Int) -> [CompanionFacts] {
        (0..<count).map { number in
            CompanionFacts(
                incident(
                    Int64(number + 1), "k\(number)", host: "h\(number).example",
                    reason: number % 2 == 0 ? .connectRefused : .timeout),
                address: IPAddress(number < sharing ? "203.0.113.\(number)" : "198.51.\(number).1"), fingerprint: nil)
        }
    }

    private func html(_ facts: IncidentFacts, _ company: [CompanionFacts], _ index: TargetIndex = TargetIndex()) throws -> String
    {
        try IncidentPage(facts, company: company, index).document(try PageRenderer(), frame(.incidents), isTwin: false).text
    }

    @Test func itSaysWhatExplainsTheMost() throws {
        let facts = IncidentFacts(incident(1), interval: .seconds(30), bound: .seconds(63))
        // Of the region, nearly all are up.
        var index = TargetIndex()
        for slot in 0..<99 { index.put(sample("k\(slot)"), slot: slot, .up) }
        let html = try html(facts, company(15, sharing: 14), index)
        #expect(html.contains("<b>14 of 15 share the block 203.0.113.0/24.</b>"))
        #expect(html.contains("15 incidents began within 30 s of each other"))
        #expect(html.contains("The 14 other targets"))
    }

    /// A whole region is no cause as long as most of the region is up.
    @Test func whatMostOfAllShareExplainsNothing() throws {
        var index = TargetIndex()
        for slot in 0..<60 {
            index.put(sample("k\(slot)", region: "eu", host: "h\(slot).example"), slot: slot, slot < 6 ? .down : .up)
        }
        let companions = Companions(company(6, sharing: 5), index)
        #expect(companions.groups.first?.thing == .block("203.0.113.0/24"))
        #expect(companions.groups.first { $0.thing == .region("eu") }?.standing == 54)
        #expect(companions.explanation?.count == 5)
        #expect(Companions(company(6, sharing: 2), index).explanation == nil)
    }

    @Test func anIncidentAloneSaysSo() throws {
        let html = try html(IncidentFacts(incident(1)), company(1, sharing: 1))
        #expect(html.contains("Nothing else began to fail in that time."))
        #expect(html.contains("Nothing is kept of it."))
    }

    @Test func evidenceIsEscapedAndTheSecondTimeOnlyOnDemand() throws {
        let facts = IncidentFacts(
            incident(1, name: hostile, region: hostile), interval: .seconds(30), bound: .seconds(63),
            alertedAt: sampleTime + .seconds(15),
            evidence: [
                .firstBad: hostileEvidence, .lastBad: hostileEvidence, .lastGood: Evidence(at: sampleTime, httpStatus: 200),
            ])
        let html = try html(facts, company(2, sharing: 2)).replacing("{{name}}", with: "")
        #expect(!html.contains("<script>alert") && !html.contains("\u{202e}") && !html.contains("{{"))
        #expect(html.contains("The same as the first.") && html.contains("<details id=\"last-said\">"))
        #expect(html.contains("Last good probe") && html.contains("Alerted") && html.contains("The bound is 1 min 3 s."))
    }

    @Test func theListFiltersByLinksThatReadBack() throws {
        var query = IncidentQuery()
        (query.state, query.region, query.reason) = (.open, "eu west", .timeout)
        (query.target, query.day, query.before) = (TargetIdentity(clientID: "a/b", key: "c.json"), 20_000, 77)
        let fields = query.link.dropFirst("/incidents?".count).split(separator: "&").map { pair in
            let parts = pair.split(separator: "=")
            return (name: String(parts[0]), value: percentDecoded(parts[1]) ?? "")
        }
        #expect(try IncidentQuery(fields: fields) == query)
        #expect(throws: PageAddress.Mistake.self) { try IncidentQuery(fields: [("target", "k")]) }
        #expect(throws: PageAddress.Mistake.self) { try IncidentQuery(fields: [("day", "yesterday")]) }
        #expect(throws: PageAddress.Mistake.self) { try IncidentQuery(fields: [("stat", "open")]) }
    }

    @Test func theListHasAPageAndThenTheNext() throws {
        var query = IncidentQuery()
        query.limit = 2
        let page = IncidentListPage(
            query, [incident(9), incident(8, lasted: .seconds(100)), incident(7)], open: 1, counts: [.down: 1, .up: 3],
            choices: .init(regions: ["eu"], hosts: [], clients: []))
        let html = try page.document(try PageRenderer(), frame(.incidents), isTwin: false).text
        #expect(
            html.contains("1 incident is open") && html.contains("/incidents?before=8&amp;limit=2") && html.contains("1 min 40 s")
        )
        #expect(html.ranges(of: "<tr id=").count == 2)
    }

    @Test func theFeedNamesEachIncidentForGood() throws {
        let facts = IncidentFacts(
            incident(3, name: hostile), uuid: "6ba7b810-9dad-41d1-80b4-00c04fd430c8", changedAt: sampleTime + .seconds(99))
        let feed = IncidentFeed([facts], base: "https://m.example/", vantage: "a<b")
        let text = try feed.document(asOf: sampleTime, isTwin: false).text
        #expect(text.contains("<id>urn:uuid:6ba7b810-9dad-41d1-80b4-00c04fd430c8</id>"))
        #expect(
            text.contains("<published>\(sampleTime + .seconds(14))</published>")
                && text.contains("<updated>\(sampleTime + .seconds(99))</updated>"))
        #expect(!text.contains("<script>") && text.contains("a&lt;b") && !text.contains("\u{202e}"))
    }
}
