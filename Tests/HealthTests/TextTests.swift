import Health
import Testing

@Test(arguments: [
    ("Stripe API", "Stripe API"),
    ("Zürich 東京 🚀", "Zürich 東京 🚀"),
    ("a\nb\tc\r", "a\\u{a}b\\u{9}c\\u{d}"),
    ("\u{1B}[31mred\u{1B}[0m", "\\u{1b}[31mred\\u{1b}[0m"),
    ("\u{0}\u{7F}\u{85}\u{9B}2J", "\\u{0}\\u{7f}\\u{85}\\u{9b}2J"),
    ("a\u{202E}b\u{2066}c\u{200F}", "a\\u{202e}b\\u{2066}c\\u{200f}"),
    ("a\u{2028}b\u{2029}", "a\\u{2028}b\\u{2029}"),
    ("a\u{200B}b\u{FEFF}", "a\\u{200b}b\\u{feff}"),
    ("\u{E0041}\u{E000}", "\\u{e0041}\\u{e000}"),
    // What joins emoji is kept there, and nowhere else.
    ("👩‍👩‍👧 🏳️‍🌈 🧑🏽‍🚀", "👩‍👩‍👧 🏳️‍🌈 🧑🏽‍🚀"),
    ("a\u{200D}b\u{200D}", "a\\u{200d}b\\u{200d}"),
    ("🚀\u{200D}a 1\u{200D}2", "🚀\\u{200d}a 1\\u{200d}2"),
    ("🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}", "🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}"),
    ("🚀\u{E0067}\u{E007F}", "🚀\\u{e0067}\\u{e007f}"),
    ("", ""),
])
func whatCouldDeceiveATerminalIsShownAsItsCode(text: String, shown: String) {
    #expect(displayText(text) == shown)
}

@Test func aLongTextIsCutAndSaysSo() {
    let text = String(repeating: "x", count: 300)
    #expect(displayText(text) == String(repeating: "x", count: 256) + "…")
}

@Test func aTextIsCutBetweenCharacters() {
    #expect(displayText("ab👩‍👩‍👧cd", limit: 4) == "ab…")
    #expect(displayText("ab👩‍👩‍👧cd", limit: 7) == "ab👩‍👩‍👧…")
}

@Test(arguments: [(0, "0 targets"), (1, "1 target"), (2, "2 targets")])
func aCountAndItsNounAgree(_ count: Int, _ words: String) {
    #expect(counted(count, "target") == words)
}

@Test(arguments: [
    (0, "0 ms"), (49, "less than 0.1 ms"), (400, "0.4 ms"), (1000, "1 ms"), (1040, "1 ms"), (2_150, "2.1 ms"), (12_900, "12 ms"),
])
func whatTookTimeNeverTookNone(_ microseconds: Int, _ words: String) {
    #expect(millisecondWords(.microseconds(microseconds)) == words)
}

@Test func aTextOfExactlyTheLimitIsNotCut() {
    let text = String(repeating: "é", count: 256)
    #expect(displayText(text) == text)
}

@Test func aTextIsCutByScalarsSoThatOneCharacterCannotBeEndless() {
    let stacked = "e" + String(repeating: "\u{301}", count: 10_000)
    #expect(displayText(stacked).unicodeScalars.count == 257)
}

@Test func anIdentityIsShownWithItsForeignTextEscaped() {
    #expect(TargetIdentity(clientID: "c\n", key: "k\u{1B}").description == "c\\u{a}/k\\u{1b}")
}

@Test func aSecretIsNeverShown() {
    let secret = Secret("hunter2")
    var dumped = ""
    dump(secret, to: &dumped)
    let shown = ["\(secret)", String(reflecting: secret), "\(Optional(secret) as Any)", "\([secret])", dumped]
    #expect(shown.allSatisfy { !$0.contains("hunter2") && $0.contains("[secret]") })
}

@Test func aPolicyThatHoldsSecretsShowsNone() {
    var policy = ProbePolicy()
    policy.headers = [.init(name: "X-Api-Key", value: .secret(Secret("hunter2")))]
    policy.body = .secret(Secret("hunter3"))
    var shown = "\(policy) \(String(reflecting: policy))"
    dump(policy, to: &shown)
    #expect(!shown.contains("hunter"))
}

@Test func aSecretIsRevealedWhereItIsAskedFor() {
    #expect(PolicyText.secret(Secret("hunter2")).revealed == "hunter2")
    #expect(PolicyText.secret(Secret("hunter2")).isSecret)
    #expect(!PolicyText.plain("open").isSecret)
}

@Test func eachByteIsTwoDigitsInLowerCase() {
    #expect(Hex.text([0, 0x0a, 0xff]) == "000aff")
    #expect(Hex.text([UInt8]()).isEmpty)
}

@Test func aPercentEncodedByteHasItsDigitsInUpperCase() {
    #expect(String(decoding: Hex.percentEncoded(0x2f), as: UTF8.self) == "%2F")
}

@Test func aJSONEscapeHasFourDigits() {
    #expect(Hex.jsonEscape(0x1b) == #"\u001b"#)
    #expect(Hex.jsonEscape(0x202e) == #"\u202e"#)
}

@Test func everyDigitHasTheValueThatItIsWrittenFor() {
    let values = UInt8.min...UInt8.max
    #expect(values.allSatisfy { byte in Hex.value(of: byte) == UInt8(String(UnicodeScalar(byte)), radix: 16) })
}
