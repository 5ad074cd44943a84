import Testing

@Test func everySwiftFileKeepsTheStyle() throws {
    for file in try Repository.swiftFiles() {
        #expect(Style.violations(in: try Repository.text(of: file), isTest: file.hasPrefix("Tests/")) == [], "\(file)")
    }
}

@Test func halfOfAllSourceFilesAreShorterThanAScreenOrTwo() throws {
    let lengths = try Repository.files(in: "Sources", named: ".swift")
        .map { try Repository.text(of: $0).split(separator: "\n", omittingEmptySubsequences: false).count }
        .sorted()
    #expect(lengths[lengths.count / 2] < 120)
}

@Test func noFolderHoldsMoreThanADozenSwiftFiles() throws {
    let folders = Dictionary(grouping: try Repository.swiftFiles()) { $0.split(separator: "/").dropLast().joined(separator: "/") }
    for (folder, files) in folders {
        #expect(files.count <= Style.fullestFolder, "\(folder) holds \(files.count) files")
    }
}

@Test func everyTestTargetHasATestOfItsOwn() throws {
    for target in try Repository.folders(in: "Tests") where target.hasSuffix("Tests") {
        let files = try Repository.files(in: "Tests/\(target)", named: ".swift")
        let texts = try files.map { SwiftText(try Repository.text(of: $0)).code }
        #expect(texts.contains { $0.contains("@Test") }, "\(target) has no test")
        #expect(!files.contains { $0.hasSuffix("/Placeholder.swift") }, "\(target) still has its placeholder")
    }
}

@Test func everyModuleHasATestTarget() throws {
    let modules = try Repository.folders(in: "Sources").filter {
        try !Repository.files(in: "Sources/\($0)", named: ".swift").isEmpty
    }
    for module in modules {
        let target = module == "rangefinder" ? "CommandTests" : "\(module)Tests"
        #expect(Repository.exists("Tests/\(target)"), "\(module) has no tests")
    }
}

@Test func noFileNamesAPathOfOneMachine() throws {
    let folders = ["Sources", "Tests", "docs", "scripts", "config", "systemd", ".ci"]
    let texts = try folders.filter { Repository.exists($0) }.flatMap { try Repository.files(in: $0) }
    let tops = ["Package.swift", "README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
    for file in texts + tops {
        // What is no text, such as a picture, has no path in it.
        guard let text = try? Repository.text(of: file) else { continue }
        #expect(machinePaths(in: text) == [], "\(file)")
    }
}

@Test(arguments: [
    ("let a = try! b()", "1: try!"),
    ("let a = b as! C", "1: as!"),
    ("fatalError(\"why\")", "1: fatalError"),
    ("\nlet a = b!", "2: force unwrap"),
    ("let a = b()!.c", "1: force unwrap"),
    ("let a = \"x\\(b!)\"", "1: force unwrap"),
    ("var a: Int!", "1: force unwrap"),
    ("try await Task.sleep(for: .seconds(1))", "1: sleeps"),
    ("sleep(1)", "1: sleeps"),
    ("usleep(1)", "1: sleeps"),
    ("try await ContinuousClock().sleep(for: .seconds(1))", "1: sleeps"),
    (String(repeating: "\n", count: 401), "401: longer than 400 lines"),
    ("func a() {" + String(repeating: "\n", count: 60) + "}", "1: a function of 61 lines"),
])
func whatTheStyleForbidsIsCaught(snippet: String, violation: String) {
    #expect(Style.violations(in: snippet, isTest: true) == [violation])
}

@Test(arguments: [
    "if !a, b != c { }", "// try! and fatalError(", "let a = \"b!\"", "let a = \"\"\"\n    Stop!\n    \"\"\"",
    "func sleep(until deadline: Instant) async throws { }", String(repeating: "\n", count: 400),
    "func a() {" + String(repeating: "\n", count: 59) + "}",
    "protocol A {\n    func a()\n}\n" + "struct B {" + String(repeating: "\n", count: 80) + "}",
])
func whatTheStyleAllowsIsLeftAlone(snippet: String) {
    #expect(Style.violations(in: snippet, isTest: true) == [])
}

@Test func aPathOfOneMachineIsCaught() {
    let path = "/" + "home/ann/rangefinder"
    #expect(machinePaths(in: "see \(path)").count == 1)
    #expect(machinePaths(in: "https://a.example\(path)") == [])
}
