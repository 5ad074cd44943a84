import Testing

/// The rule stands in ``ImportRule``. These tests hold the two other places that say the same against it.
@Suite struct ImportTableTests {
    @Test func theArchitectureDocumentSaysWhatTheRuleAllows() throws {
        let table = try importTable(in: Repository.text(of: "docs/architecture.md"))
        #expect(Set(table.keys) == Set(ImportRule.modules.keys))
        for (module, allowed) in ImportRule.modules {
            let documented = table[module] ?? []
            let (missing, more) = (allowed.subtracting(documented).sorted(), documented.subtracting(allowed).sorted())
            #expect(missing.isEmpty, "docs/architecture.md doesn't say that \(module) may import \(missing)")
            #expect(more.isEmpty, "docs/architecture.md says that \(module) may import \(more), and the import rule doesn't")
        }
    }

    @Test func thePackageGivesEachModuleTheModulesThatTheRuleAllows() throws {
        let dependencies = try packageDependencies(in: Repository.text(of: "Package.swift"))
        for module in ImportRule.modules.keys {
            let declared = try #require(dependencies[module], "Package.swift has no target \(module)")
            let allowed = ImportRule.ownModules(of: module)
            let (missing, more) = (allowed.subtracting(declared).sorted(), declared.subtracting(allowed).sorted())
            #expect(missing.isEmpty, "the import rule lets \(module) import \(missing), and Package.swift doesn't")
            #expect(more.isEmpty, "Package.swift lets \(module) import \(more), and the import rule doesn't")
        }
    }

    @Test func aRowNamesModulesAndAFootnoteNamesMore() throws {
        let text = """
            | what | may import | where |
            |---|---|---|
            | `A` | – | here |
            | `B` | A, C¹ | there |

            ¹ and these: D, E.
            | `F` | A |
            """
        #expect(try importTable(in: text) == ["A": [], "B": ["A", "C", "D", "E"]])
    }

    @Test func aTargetIsReadInEachFormThatThePackageHas() {
        let text = """
            .systemLibrary(
                name: "A", pkgConfig: "a", providers: [.apt(["a-dev"])]),
            .target(name: "B"),
            module("C"),
            module(
                "D",
                [
                    "A", "B", yams,
                ]),
            .executableTarget(
                name: "e",
                dependencies: ["D", logging], swiftSettings: strict),
            tests(of: "D", ["A"]),
            """
        #expect(packageDependencies(in: text) == ["A": [], "B": [], "C": [], "D": ["A", "B"], "e": ["D"]])
    }
}

/// The rows of the table with the column `may import`: names with commas between them, `–` for none. A name with a footnote's number has the
/// names of the footnote behind its colon, too.
private func importTable(in text: String) throws -> [String: Set<String>] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    func cells(_ line: Substring) -> [String] {
        line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast().map { trimmed($0) }
    }
    let header = try #require(lines.firstIndex { cells($0).contains("may import") }, "no table has the column `may import`")
    let column = try #require(cells(lines[header]).firstIndex(of: "may import"))
    let footnote = try #require(lines[header...].first { $0.hasPrefix("¹ ") }?.split(separator: ":").last, "no footnote")
    let more = footnote.split(separator: ",").map { trimmed($0.filter { $0 != "." }) }
    var table: [String: Set<String>] = [:]
    for line in lines[(header + 2)...].prefix(while: { $0.hasPrefix("|") }) {
        let row = cells(line)
        let names = row[column].split(separator: ",").map { trimmed($0) }.filter { $0 != "–" }
        table[row[0].filter { $0 != "`" }] = Set(names.flatMap { $0.hasSuffix("¹") ? [String($0.dropLast())] + more : [$0] })
    }
    return table
}

/// For each target that isn't one of tests, its dependencies that stand as texts: other targets of the package.
private func packageDependencies(in text: String) -> [String: Set<String>] {
    let target =
        /(?:module\(|\.(?:executableTarget|target|systemLibrary)\(\s*name:)\s*"(\w+)"(?:,\s*(?:dependencies:\s*)?\[([^\]]*)\])?/
    var found: [String: Set<String>] = [:]
    for match in text.matches(of: target) {
        found[String(match.1)] = Set((match.2 ?? "").matches(of: /"(\w+)"/).map { String($0.1) })
    }
    return found
}

private func trimmed(_ text: some StringProtocol) -> String {
    String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
}
