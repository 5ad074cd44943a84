import Health
import Testing

@testable import Exposition

@Suite struct HostileTextTests {
    @Test func labelsNeverBreakALine() {
        let target = Samples.target(
            "a\"b\\c\nd", name: "x\"} 1\nprobe_success 0\r\u{1b}[31m\u{202e}", url: "https://h/\u{0}?q=\"\n", region: "r\\")
        let series = Samples.series([target])
        let expected =
            #"{target_id="a\"b\\u{5c}c\\u{a}d",target="x\"} 1\\u{a}probe_success 0\\u{d}\\u{1b}[31m\\u{202e}","#
            + #"instance="https://h/\\u{0}?q=…",region="r\\"}"#
        #expect(series.lines().first == "rangefinder_target_status" + expected.dropLast() + #",status="unknown"} 1"#)
        #expect(series.lines().allSatisfy { $0.hasPrefix("rangefinder_target_") })
    }

    @Test func keysThatWouldLookTheSameStayDistinct() {
        let series = Samples.series([Samples.target("a\u{1b}"), Samples.target("a\\u{1b}")])
        #expect(Set(series.lines()).count == series.lines().count)
    }

    @Test func ofTwoWithOneIdentityTheFirstCounts() {
        let series = Samples.series([Samples.target("t1", name: "first"), Samples.target("t1", name: "second")])
        #expect(!series.lines().contains { $0.contains("target=\"second\"") })
        #expect(Set(series.lines()).count == series.lines().count)
    }

    @Test(
        arguments: [
            ("https://a/b", "https://a/b"),
            ("https://a/b?x=1&y=2", "https://a/b?x=…&y=…"),
            ("https://a/b?x=1=2?3", "https://a/b?x=…"),
            ("https://a/b?bare", "https://a/b?…"),
            ("https://a/b?&x=&", "https://a/b?&x=…&"),
            ("https://a/b?x=1#secret", "https://a/b?x=…"),
            ("https://user:pass@a/b", "https://…@a/b"),
            ("https://user:p@ss@a/b?c=d", "https://…@a/b?c=…"),
            ("not a url", "not a url"),
            ("", ""),
        ])
    func aURLIsShownWithoutItsSecrets(_ url: String, _ shown: String) {
        #expect(urlWithoutSecrets(url) == shown)
    }

    @Test func wordsPastTheBoundAreCountedTogether() {
        var counts = WordCounts()
        for number in 0..<1000 { counts.count("reason\(number)") }
        #expect(counts.sorted.count == WordCounts.limit + 1)
        #expect(counts.counts["other"] == 1000 - WordCounts.limit)
    }
}

@Suite struct NumberTests {
    @Test(
        arguments: [
            (0, "0"), (-0.0, "0"), (1, "1"), (-1, "-1"), (0.5, "0.5"), (0.000000001, "0.000000001"), (0.025250, "0.02525"),
            (1_705_924_800.123, "1705924800.123"), (1_705_924_800, "1705924800"), (999_999.999, "999999.999"),
            (42_000_000_000, "42000000000"), (1e20, "1e+20"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
            (0.1 + 0.2, "0.3"), (0.9999999999, "1"),
        ] as [(Double, String)])
    func isWrittenInPlainDigits(_ value: Double, _ text: String) {
        var writer = PageWriter()
        writer.write(value)
        #expect(String(decoding: writer.bytes, as: UTF8.self) == text)
    }
}
