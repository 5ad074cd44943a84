import Testing

@testable import Terminal

struct WidthTests {
    @Test(arguments: [
        ("abc", 3), ("é", 1), ("e\u{301}", 1), ("日本", 4), ("한글", 4), ("🚀", 2), ("⚠️", 2), ("ｗ", 2), ("", 0), ("●", 1), ("…", 1),
    ])
    func columns(_ text: String, _ width: Int) {
        #expect(displayWidth(text) == width)
    }

    @Test func whatFitsStaysWhole() {
        #expect(fitted("Stripe API", to: 10) == "Stripe API")
    }

    @Test func whatDoesNotFitIsCutWithAnEllipsis() {
        #expect(fitted("Stripe API", to: 7) == "Stripe…")
        #expect(fitted("Stripe API", to: 7, isUnicode: false) == "Stripe~")
    }

    @Test func aWideCharacterIsNeverHalved() {
        #expect(fitted("日本語", to: 4) == "日…")
        #expect(displayWidth(fitted("日本語", to: 4)) == 3)
    }

    @Test func escapesOfForeignTextAreShownNotObeyed() {
        #expect(fitted("\u{1B}[31mred\u{202E}", to: 40) == "\\u{1b}[31mred\\u{202e}")
    }
}
