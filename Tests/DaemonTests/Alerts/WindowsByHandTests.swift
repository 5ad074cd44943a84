import Health
import History
import Testing

@testable import Daemon

@Suite struct WindowsByHandTests {
    private let start = Timestamp(milliseconds: 1_700_000_000_000)

    private func window(from: Duration = .zero, for length: Duration = .seconds(3600)) -> AdHocWindow {
        AdHocWindow(id: 0, words: ["x"], from: start + from, to: start + from + length, note: "")
    }

    @Test func eachHasANumberThatNoOtherHadWithinADay() {
        var windows = WindowsByHand()
        let first = windows.begin(window())
        let ended = windows.end(1, at: start + .seconds(60))
        let again = windows.end(1, at: start + .seconds(61))
        #expect(first?.window.id == 1 && ended?.first?.id.key == "1" && again == nil)
        #expect(windows.open(at: start + .seconds(61)).isEmpty)
        let second = windows.begin(window(from: .seconds(61)))
        #expect(second?.window.id == 2)
        let soon = windows.forgetOld(at: start + .seconds(3600))
        let late = windows.forgetOld(at: start + .seconds(91_000))
        #expect(soon.isEmpty && late.count == 2 && windows.windows.isEmpty)
    }

    @Test func aClockThatWasSetBackEndsAWindowWhereItBegan() {
        var windows = WindowsByHand()
        _ = windows.begin(window())
        let ended = windows.end(1, at: start + .seconds(-300))
        #expect(ended != nil && windows.windows.first?.to == start)
        let document = StoredDocument.ID(kind: AdHocWindow.kind, key: "7")
        #expect(AdHocWindow(document, "match=x&from=9&to=5&note=")?.to == Timestamp(milliseconds: 9))
    }

    @Test func noMoreThanAHundredAreOpenAndTwiceAsManyKept() throws {
        var windows = WindowsByHand()
        for _ in 0..<WindowsByHand.openMax { _ = windows.begin(window()) }
        let refused = windows.begin(window())
        #expect(refused == nil)
        for round in 1...150 {
            let last = try #require(windows.open(at: start).last)
            _ = windows.end(last.id, at: start + .seconds(round))
            let begun = windows.begin(window(from: .seconds(round)))
            #expect(begun?.window.id == WindowsByHand.openMax + round)
        }
        #expect(windows.windows.count == 200 && windows.open(at: start + .seconds(150)).count == 100)
        // The oldest of those that are over is forgotten in the database, too.
        _ = windows.end(250, at: start + .seconds(151))
        let begun = windows.begin(window(from: .seconds(151)))
        #expect(begun?.documents.count == 2 && windows.windows.count == 200 && windows.documents.count == 200)
    }
}
