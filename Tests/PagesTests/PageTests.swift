import Health
import Testing

@testable import Pages

@Suite struct PageTests {
    private func index() -> TargetIndex {
        var index = TargetIndex()
        for slot in 0..<60 { index.put(sample("k\(slot)", host: "h\(slot % 9).example"), slot: slot, .up) }
        for slot in 60..<70 {
            index.put(
                sample("k\(slot)", name: hostile, region: hostile, host: "db.example", client: "c/\(slot)"), slot: slot, .down,
                reason: .connectRefused, sentence: hostile)
        }
        return index
    }

    @Test func theOverviewNamesTheSharedCauseAndEscapesWhatIsForeign() throws {
        let page = OverviewPage(index(), CertificateTable())
        let html = page.html(try PageRenderer(), frame())
        #expect(html.contains("<span>10 of 70 targets are down</span>"))
        #expect(html.contains("All 10 share the host db.example."))
        #expect(html.contains("href=\"/targets?status=down&amp;host=db.example\""))
        #expect(html.contains("6 more</a>"))
        #expect(
            !html.contains("<script>alert") && html.contains("&lt;script&gt;alert(1)&lt;/script&gt;")
                && html.contains("\\u{202e}{{name}}"))
        #expect(!html.contains("{{/") && !html.contains("{{#"))
    }

    @Test func theListHasItsRowsItsFiltersAndItsPager() throws {
        var query = TargetQuery()
        query.host = "h3.example"
        query.limit = 5
        let page = TargetListPage(
            query, index(), DayTable(today: 20_000), p95: { UInt32(2000 + $0) })
        let html = page.html(try PageRenderer(), frame(.targets))
        #expect(html.contains("<span>7 of 70 targets</span>"))
        #expect(html.contains("<option value=\"h3.example\" selected>h3.example</option>"))
        #expect(html.contains("1 to 5 of 7") && html.contains("Next 5</a>") && !html.contains("First 5"))
        #expect(html.ranges(of: "<tr id=").count == 5)
        #expect(html.contains("aria-label=\"90 days: 1 good, 89 not watched\""))
    }

    /// A quote with an accent is one character of another kind, and still a quote to a browser.
    @Test(arguments: ["\"", "<", "&", "'"]) func aMarkBehindACharacterHidesItNot(_ character: String) {
        #expect(!markupEscaped("a\(character)\u{301}b").contains("\(character)\u{301}b") || character == "&")
        #expect(markupEscaped("&\u{301}") == "&amp;\u{301}")
    }

    @Test func whatIsUnknownIsNotWell() throws {
        var index = TargetIndex()
        index.put(sample("a"), slot: 0, .up)
        index.put(sample("b"), slot: 1, .unknown)
        let page = OverviewPage(index, CertificateTable())
        #expect(page.title == "1 unknown" && page.worst == .unknown)
        let wall = try WallPage(page).document(try PageRenderer(), frame(nil), isTwin: false).text
        #expect(wall.contains("1 unknown") && !wall.contains("All well"))
    }

    /// Of a host of which most is up nothing follows.
    @Test func aGroupWeighsByTheShareThatIsDown() {
        var index = TargetIndex()
        for slot in 0..<20 { index.put(sample("k\(slot)", region: "", host: "one.example"), slot: slot, .up) }
        for slot in 20..<23 {
            index.put(
                sample("k\(slot)", region: "", host: "one.example"), slot: slot, .down, reason: slot < 22 ? .timeout : .dnsFailed)
        }
        let page = OverviewPage(index, CertificateTable())
        #expect(page.groups.map(\.thing) == [.reason(.timeout), nil])
    }

    /// Two that answer with a status of their own, hours apart, are no one cause.
    @Test func whatBeganAtDifferentTimesIsNotCalledOneCause() throws {
        func html(apart: Duration) throws -> String {
            var index = TargetIndex()
            for slot in 0..<2 {
                let identity = sample("k\(slot)", host: "h\(slot).example")
                index.put(identity, slot: slot, .down, reason: .statusUnexpected)
                index.change(slot: slot, of: identity.identity, said: nil) { $0.since = sampleTime + apart * slot }
            }
            return OverviewPage(index, CertificateTable()).html(try PageRenderer(), frame())
        }
        let (together, apart) = (try html(apart: .seconds(30)), try html(apart: .seconds(7200)))
        #expect(together.contains("All 2 share") && !together.contains("at different times"))
        #expect(!apart.contains("All 2 share") && apart.contains("They began at different times, so it may be no one cause."))
        #expect(apart.contains("Nothing suggests that the daemon itself is to blame."))
    }

    @Test(arguments: [
        ("certificate expired 3 h ago", "Certificate expired 3 h ago"), ("HTTP 503", "HTTP 503"),
        ("db.example, port 443 refused", "db.example, port 443 refused"), ("127.0.0.1 refused", "127.0.0.1 refused"), ("", ""),
    ])
    func aSentenceBeginsWithACapitalUnlessItBeginsWithAName(_ sentence: String, _ shown: String) {
        #expect(sentenceCased(sentence) == shown)
    }

    @Test func aListWithoutRowsSaysWhatToDo() throws {
        var query = TargetQuery()
        query.text = "<nobody>"
        let none = TargetListPage(query, index(), DayTable(today: 1), p95: { _ in nil })
        let html = none.html(try PageRenderer(), frame(.targets))
        #expect(html.contains("No target is like that") && html.contains("value=\"&lt;nobody&gt;\""))
        let empty = TargetListPage(
            TargetQuery(), TargetIndex(), DayTable(today: 1), p95: { _ in nil })
        #expect(empty.html(try PageRenderer(), frame(.targets)).contains("rangefinder targets create"))
    }

    @Test func theTwinsSayTheSame() throws {
        let document = try OverviewPage(index(), CertificateTable()).document(try PageRenderer(), frame(), isTwin: true)
        let overview = String(decoding: document.bytes, as: UTF8.self)
        #expect(
            overview.contains("\"kind\":\"overview\"") && overview.contains("\"shared\":\"host\"")
                && overview.contains("\"down\":10"))
        #expect(overview.contains("\\u202e") && !overview.contains("\u{202e}"))
    }
}
