import Testing

private func documents() throws -> [String] {
    try ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"] + Repository.files(in: "docs", named: ".md")
}

/// The targets of a Markdown text's links, without those that lead elsewhere and without the part after `#`.
func localLinks(in text: String) -> [String] {
    text.split(separator: "](").dropFirst()
        .compactMap { $0.split(separator: ")", omittingEmptySubsequences: false).first }
        .filter { !$0.contains("://") && !$0.hasPrefix("#") }
        .compactMap { $0.split(separator: "#").first.map(String.init) }
}

@Test func everyLinkOfTheDocumentsLeadsToAFile() throws {
    for document in try documents() {
        let folder = document.split(separator: "/").dropLast().map { $0 + "/" }.joined()
        for link in localLinks(in: try Repository.text(of: document)) {
            #expect(Repository.exists(folder + link), "\(document) links to \(link)")
        }
    }
}

@Test func linksAreFoundAndThoseThatLeadElsewhereAreLeftOut() {
    #expect(localLinks(in: "[a](b.md#c), [d](https://e.example/) and [f](#g)") == ["b.md"])
}

@Test func everyAlertLinksToItsSectionOfTheRunbook() throws {
    let runbook = try Repository.text(of: "docs/runbook.md")
    for file in try Repository.files(in: "config/prometheus", named: ".rules.yml") {
        let alerts = try Repository.text(of: file).split(separator: "- alert: ").dropFirst()
        #expect(!alerts.isEmpty, "\(file)")
        for alert in alerts {
            let name = String(alert.prefix { $0.isLetter })
            #expect(alert.contains("runbook_url: docs/runbook.md#\(name.lowercased())\n"), "\(name) of \(file)")
            #expect(runbook.contains("\n## \(name)\n"), "docs/runbook.md has no section \(name)")
        }
    }
}

/// Who lets the daemon send the alerts on targets loads the second group alone, which only the complete file has tests for.
@Test func theRulesOnTheDaemonAreTheSameInBothFiles() throws {
    let complete = try Repository.text(of: "config/prometheus/rangefinder.rules.yml")
    let alone = try Repository.text(of: "config/prometheus/rangefinder-daemon.rules.yml")
    let group = try #require(alone.split(separator: "\ngroups:\n").last)
    #expect(group.contains("- alert: RangefinderAbsent"))
    #expect(complete.hasSuffix(group))
}

@Test func everyMetricThatIsExposedIsExplained() throws {
    let text = try Repository.text(of: "docs/metrics.md")
    for file in try Repository.files(in: "Sources/Exposition", named: ".swift") {
        for name in metricNames(in: try Repository.text(of: file)) where !name.hasPrefix("process_") {
            #expect(text.contains("`\(name)`"), "docs/metrics.md doesn't explain \(name) of \(file)")
        }
    }
}

/// The names of metrics that stand at the beginning of string literals.
private func metricNames(in source: String) -> Set<String> {
    let prefixes = ["probe_", "rangefinder_", "process_"]
    let words = source.split(separator: "\"").map { $0.prefix { $0.isLowercase || $0 == "_" } }
    return Set(words.filter { word in !word.hasSuffix("_") && prefixes.contains { word.hasPrefix($0) } }.map(String.init))
}
