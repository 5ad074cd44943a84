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
    ("", ""),
])
func whatCouldDeceiveATerminalIsShownAsItsCode(text: String, shown: String) {
    #expect(displayText(text) == shown)
}

@Test func aLongTextIsCutAndSaysSo() {
    let text = String(repeating: "x", count: 300)
    #expect(displayText(text) == String(repeating: "x", count: 256) + "…")
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
