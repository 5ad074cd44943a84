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

    @Test func whatIsToldApartByBothEndsIsCutInTheMiddle() {
        #expect(fitted("example.com/health", to: 9, keepsEnd: true) == "exam…alth")
        #expect(fitted("example.com/health", to: 8, isUnicode: false, keepsEnd: true) == "exam~lth")
        #expect((0...3).map { fitted("日本語", to: $0, keepsEnd: true) } == ["", "…", "…", "日…"])
        #expect(fitted("example.com/health", to: 18, keepsEnd: true) == "example.com/health")
    }

    @Test func aWideCharacterIsNeverHalved() {
        #expect(fitted("日本語", to: 4) == "日…")
        #expect(displayWidth(fitted("日本語", to: 4)) == 3)
    }

    @Test(arguments: ["👩‍👩‍👧‍👦", "🏳️‍🌈", "🧑🏽‍🚀", "❤️‍🔥", "🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}"])
    func anEmojiOfSeveralScalarsIsShownWholeOrNotAtAll(_ emoji: String) {
        #expect(displayWidth(emoji) == 2)
        #expect(fitted("\(emoji) team", to: 20) == "\(emoji) team")
        #expect(fitted("ab\(emoji)cd", to: 5) == "ab\(emoji)…")
        #expect(fitted("ab\(emoji)cd", to: 4) == "ab…")
    }

    @Test func escapesOfForeignTextAreShownNotObeyed() {
        #expect(fitted("\u{1B}[31mred\u{202E}", to: 40) == "\\u{1b}[31mred\\u{202e}")
    }
}
