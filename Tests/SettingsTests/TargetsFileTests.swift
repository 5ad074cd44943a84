import Health
import Settings
import Testing

@Suite struct TargetsFileTests {
    private func problems(_ text: String) -> [String] {
        TargetsFile.read(Array(text.utf8)).diagnostics.map { "\($0.line):\($0.column): \($0.message)" }
    }

    @Test func whatIsExportedIsReadBackAsItWas() throws {
        let names = [
            "plain", "a: b # c", "\"quoted\\\"", "- x", "true", "ünïcödé 🎯", "line\u{2028}break", "*star &anchor", " spaces ",
            "odd \u{FFFE}\u{1FFFF}", "bidi \u{202E}x\u{2066}", "👩‍👩‍👧 \u{E000}\u{AD}",
        ]
        let targets = names.enumerated().map { index, name in
            Target(
                identity: TargetIdentity(clientID: "c", key: "\(index)"), name: name, baseURL: "https://h\(index).example/?q=1",
                testPath: "/p", region: "eu", ruleEffect: index % 2 == 0 ? .allow : .deny)
        }
        let read = try #require(TargetsFile.read(Array(TargetsFile.text(of: targets).utf8)).file)
        #expect(Set(read.entries.map(\.name)) == Set(names))
        #expect(read.entries.count == names.count)
        #expect(Set(read.entries.map(\.baseURL)) == Set(targets.map(\.baseURL)))
        #expect(read.entries.first { $0.name == "a: b # c" }?.ruleEffect == .deny)
        #expect(TargetsFile.read(Array(TargetsFile.text(of: []).utf8)).file?.entries.isEmpty == true)
    }

    @Test(arguments: ["ALLOW", "audit", "a: b # c", "true", "null", "~"])
    func aRuleEffectThatIsNotKnownIsExportedAndReadBackAsItWas(effect: String) throws {
        let target = Target(
            identity: TargetIdentity(clientID: "c", key: "k"), name: "n", baseURL: "u", testPath: "/", region: "r",
            ruleEffect: .init(rawValue: effect))
        let read = TargetsFile.read(Array(TargetsFile.text(of: [target]).utf8))
        #expect(read.file?.entries.map(\.ruleEffect) == [target.ruleEffect], "\(read.diagnostics)")
    }

    @Test func anExportThatLostItsLastLineIsCutShort() throws {
        let target = Target(
            identity: TargetIdentity(clientID: "c", key: "1"), name: "a", baseURL: "https://a.example", testPath: "/",
            region: "eu")
        let text = TargetsFile.text(of: [target])
        func file(_ text: String) throws -> TargetsFile { try #require(TargetsFile.read(Array(text.utf8)).file) }
        #expect(text.hasSuffix("\n# The end of this export: 1 target.\n"))
        #expect(try file(text).isCutShort == false && file(text).exported == 1)
        #expect(try file("\u{FEFF}" + text.replacing("\n", with: "\r\n")).isCutShort == false)
        for count in 2...30 { #expect(try file(String(text.dropLast(count))).isCutShort) }
        // A person may write more behind it, and need not write it.
        #expect(try file(text + "  - {name: b, region: eu, base_url: u, test_path: /}\n").isCutShort == false)
        #expect(try file("targets: []\n").isCutShort == false)
    }

    @Test func whatTheAPILetsBeEmptyMayBeEmpty() throws {
        let text = "targets: [{name: a, region: '', base_url: u, test_path: ''}]"
        let entry = try #require(TargetsFile.read(Array(text.utf8)).file?.entries.first)
        #expect(entry.region == "" && entry.testPath == "")
    }

    @Test(
        arguments: [
            ("", "1:1: 'targets' is missing: a list of targets"),
            ("targets:", "1:9: 'targets' must be a list; write [] for none"),
            ("targets:\n  - {name: a, region: r, base_url: u, test_path: }", "2:50: 'test_path' must be a text, not nothing"),
            ("targets:\n  - {name: a, region: ~, base_url: u, test_path: /}", "2:23: 'region' must be a text, not nothing"),
            ("targets: {}", "1:10: 'targets' must be a list, not a mapping"),
            ("targets:\n  - name: a\n", "2:5: 'url' is missing: what is to be probed"),
            ("targets:\n  - {name: a, region: r, base_url: u, test_path: /, effect: allow}", "2:53: unknown key 'effect'"),
            (
                "targets:\n  - {name: a, region: r, base_url: u, test_path: /, rule_effect: maybe}",
                "'rule_effect' must be allow or deny"
            ),
            (
                "targets:\n  - {name: a, region: r, base_url: u, test_path: /}\n  - {name: a, region: r, base_url: v, test_path: /}",
                "3:6: 'a' in 'r' is already on line 2"
            ),
        ])
    func whatIsWrongIsSaidWithItsPlace(text: String, message: String) {
        let found = problems(text)
        #expect(found.contains { $0.contains(message) }, "\(found)")
        #expect(TargetsFile.read(Array(text.utf8)).file == nil)
    }
}
