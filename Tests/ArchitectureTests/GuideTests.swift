import Foundation
import Testing

private func guides() throws -> [String] { try Repository.files(in: "docs/contributing", named: ".md") }

/// What stands between back ticks in a Markdown text, without its blocks of code: an example may name files that don't exist yet.
func codeWords(in text: String) -> [String] {
    let blocks = text.components(separatedBy: "\n```").enumerated().filter { $0.offset.isMultiple(of: 2) }.map(\.element)
    return blocks.flatMap { block in
        block.split(separator: "`", omittingEmptySubsequences: false).enumerated().filter { !$0.offset.isMultiple(of: 2) }
            .map { String($0.element) }
    }
}

@Test func everyPathThatAGuideNamesExists() throws {
    let folders = ["Sources/", "Tests/", "docs/", "config/", "scripts/", "packaging/"]
    for guide in try guides() {
        let paths = codeWords(in: try Repository.text(of: guide))
            .filter { word in folders.contains { word.hasPrefix($0) } }
            .compactMap { $0.split(separator: " ").first.map(String.init) }
        #expect(paths.count >= 5, "\(guide)")
        for path in paths { #expect(Repository.exists(path), "\(guide) names \(path)") }
    }
}

/// A guide names a test by the command that runs it.
@Test func everyTestThatAGuideNamesExists() throws {
    let sources = try Repository.files(in: "Tests", named: ".swift").map { try Repository.text(of: $0) }
    for guide in try guides() {
        let names = try Repository.text(of: guide).matches(of: /scripts\/test --quick (\w+)/).map { String($0.1) }
        #expect(!names.isEmpty, "\(guide) names no test")
        for name in names {
            let declarations = ["func \(name)(", "struct \(name) "]
            #expect(sources.contains { text in declarations.contains { text.contains($0) } }, "\(guide) names the test \(name)")
        }
    }
}

@Test func theContributorsPageLinksToEveryGuide() throws {
    let links = Set(localLinks(in: try Repository.text(of: "CONTRIBUTING.md")))
    let guides = try guides()
    #expect(!guides.isEmpty)
    for guide in guides { #expect(links.contains(guide), "CONTRIBUTING.md has no link to \(guide)") }
}

@Test func wordsOfCodeAreFoundOutsideOfBlocks() {
    #expect(codeWords(in: "see `a` and\n```swift\n`b`\n```\nthen `c d`") == ["a", "c d"])
}
