import Testing

@Test func noModuleImportsWhatItMayNot() throws {
    for module in try Repository.folders(in: "Sources") {
        for file in try Repository.files(in: "Sources/\(module)", named: ".swift") {
            #expect(ImportRule.violations(in: try Repository.text(of: file), of: module) == [], "\(file)")
        }
    }
}

@Test func everyModuleHasARowAndEveryRowHasAModule() throws {
    #expect(try Set(Repository.folders(in: "Sources")) == Set(ImportRule.modules.keys))
}

@Test(arguments: [
    "import Foundation", "import Foundation // quietly", "package import GRDB", "@testable import Curl", "internal import Glibc",
    "@preconcurrency import Dispatch", "import struct Foundation.Date", "import Glibc.POSIX", "let a = 1; import Yams",
    "import\n    Foundation", "#if canImport(Musl)\nimport Musl\n#endif", "/* why */ import Foundation", "import `Foundation`",
])
func anImportThatTheRuleForbidsIsCaught(snippet: String) {
    #expect(ImportRule.violations(in: snippet, of: "Health").count == 1)
}

@Test(arguments: [
    "import Synchronization", "// import Foundation", "/* import Foundation /* import Glibc */ import Yams */",
    "let text = \"import Foundation\"", "let text = \"\"\"\n    import Foundation\n    \"\"\"",
    "let text = #\"\\\" import Foundation\"#",
    "reload(import: list)", "menu.import()",
])
func aTextThatOnlyLooksLikeAnImportIsLeftAlone(snippet: String) {
    #expect(ImportRule.violations(in: snippet, of: "Health") == [])
}

@Test func aModuleWithoutARowIsCaught() {
    #expect(ImportRule.violations(in: "", of: "Utils") == ["the module Utils has no row in the table of imports"])
}
