import Foundation
import TestSupport
import Testing

/// A name of a target that would write to a terminal what it likes.
@Suite(.timeLimit(.minutes(5))) struct ForeignTextTests {
    private let name = "=a\u{1B}[31m\u{7}\u{9B}2J\u{202E}b\u{2066},c\u{7F}"
    private let dangerous: Set<Unicode.Scalar> = ["\u{1B}", "\u{7}", "\u{9B}", "\u{202E}", "\u{2066}", "\u{7F}"]

    private func isHarmless(_ text: String) -> Bool { !text.unicodeScalars.contains { dangerous.contains($0) } }

    @Test func noCommandPrintsItRawAndJSONHasItExactly() async throws {
        let watched = try await WatchedSite(name: name)
        let (database, config) = (["--database", watched.database], ["--config", watched.configuration])
        for words in [
            ["status"] + database, ["incidents"] + database, ["replay"] + database, ["history", "tgt_bad"] + database,
            ["targets", "list"] + config, ["targets", "get", "tgt_bad"] + config, ["doctor"] + config,
            ["check-config", "--sync"] + config,
        ] {
            #expect(isHarmless(try await Program.run(words).output), "\(words)")
        }
        for words in [
            ["status", "--json"] + database, ["incidents", "--json"] + database, ["targets", "list", "--json"] + config,
            ["replay", "--json"] + database,
        ] {
            let output = try await Program.run(words).output
            #expect(isHarmless(output), "\(words)")
            let document = try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
            let items = try #require(document["items"] as? [[String: Any]])
            #expect(items.contains { $0["target"] as? String == name }, "\(output)")
        }
        let lines = try await Program.run(["history", "export", "--view", "incident_history", "--format", "jsonl"] + database)
            .output
        #expect(isHarmless(lines))
        let line = try #require(try JSONSerialization.jsonObject(with: Data(lines.utf8)) as? [String: Any])
        #expect(line["target"] as? String == name)
        #expect(isHarmless(try await Program.run(["targets", "export"] + config).output))
    }

    /// Escaped wherever it goes: a file is shown on a terminal later. The apostrophe keeps a spreadsheet from computing it.
    @Test func aCellOfCSVIsEscaped() async throws {
        let watched = try await WatchedSite(name: name)
        let output = try await Program.run(["history", "export", "--view", "incident_history", "--database", watched.database])
            .output
        #expect(isHarmless(output))
        #expect(output.contains(#""'=a\u{1b}[31m\u{7}\u{9b}2J\u{202e}b\u{2066},c\u{7f}""#), "\(output)")
    }
}
