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

@Test func everyMetricThatIsDocumentedIsExposed() throws {
    let files = try Repository.files(in: "Sources/Exposition", named: ".swift")
    let exposed = try files.reduce(into: Set<String>()) { $0.formUnion(metricNames(in: try Repository.text(of: $1))) }
    let rows = try Repository.text(of: "docs/metrics.md").split(separator: "\n").filter { $0.hasPrefix("| `") }
    #expect(rows.count > 50)
    // `process_*` stands for all of a prefix.
    for name in rows.map({ $0.dropFirst(3).prefix { $0 != "`" } }) where !name.hasSuffix("*") {
        #expect(
            exposed.contains(String(name)), "docs/metrics.md has a row for \(name), which no file of Sources/Exposition names")
    }
}

@Test func everyPathOfTheListenerIsDocumented() throws {
    let site = try Repository.text(of: "Sources/Web/Site.swift")
    let routes = site.matches(of: /case "(\/[^"]*)": route = \(\.(\w+),/).map { (path: String($0.1), method: String($0.2)) }
    #expect(routes.count >= 5)
    let document = try Repository.text(of: "docs/listener.md")
    for route in routes {
        let isDocumented = ["`\(route.path)`", "`\(route.method.uppercased()) \(route.path)`"].contains { document.contains($0) }
        #expect(isDocumented, "docs/listener.md doesn't name \(route.path)")
    }
}

@Test func everyPageIsDocumented() throws {
    let pages = try Repository.text(of: "Sources/Pages/PageAddress.swift").matches(of: /case ("\/[^:]*"):/)
        .flatMap { $0.1.split(separator: ", ").map { $0.filter { $0 != "\"" } } }
    #expect(pages.count >= 7)
    let document = try Repository.text(of: "docs/pages.md")
    for page in pages where page != "/index" { #expect(document.contains("`\(page)"), "docs/pages.md doesn't name \(page)") }
}

/// A channel is a case of `AlertJob`. Its name begins its section of the document and its tests with a real daemon.
@Test func everyChannelOfAlertsIsDocumentedAndTestedWithARealDaemon() throws {
    let source = try Repository.text(of: "Sources/Alerting/Delivery/Deliveries.swift")
    let jobs = try #require(source.firstMatch(of: /enum AlertJob: Sendable \{([\s\S]*?)\n\}/)).1
    let channels = jobs.matches(of: /case (\w+)\(/).map { $0.1.prefix(1).uppercased() + $0.1.dropFirst() }
    #expect(channels.count >= 2)
    let document = try Repository.text(of: "docs/alerting.md")
    for channel in channels {
        #expect(document.contains("\n## \(channel)"), "docs/alerting.md has no section \(channel)")
        let tests = "Tests/DaemonTests/Alerts/\(channel)Tests.swift"
        #expect(Repository.exists(tests), "\(channel) has no \(tests)")
    }
}

/// The names of metrics that stand at the beginning of string literals.
private func metricNames(in source: String) -> Set<String> {
    let prefixes = ["probe_", "rangefinder_", "process_"]
    let words = source.split(separator: "\"").map { $0.prefix { $0.isLowercase || $0 == "_" } }
    return Set(words.filter { word in !word.hasSuffix("_") && prefixes.contains { word.hasPrefix($0) } }.map(String.init))
}
