import TestSupport
import Testing

private func scripts(of interpreter: String) throws -> [String] {
    try ["scripts", ".ci"].flatMap { try Repository.files(in: $0) }
        .filter { Repository.isScript($0, of: interpreter) }
}

@Test func everyScriptIsOneThatBashCanRead() throws {
    let scripts = try scripts(of: "bash")
    #expect(scripts.count >= 5)
    for script in scripts {
        let read = try Finished("bash", ["-n", Repository.path(of: script)])
        #expect(read.status == 0, "\(script): \(read.output)")
    }
}

@Test func shellcheckFindsNothingToSay() throws {
    let files = try scripts(of: "bash").map { Repository.path(of: $0) }
    let checked = try Finished("shellcheck", ["--external-sources", "--source-path=SCRIPTDIR"] + files)
    #expect(checked.status == 0, "\(checked.output)")
}

@Test func everyScriptStopsAtItsFirstError() throws {
    for script in try scripts(of: "bash") where !script.contains("/lib/") {
        #expect(try Repository.text(of: script).contains("\nset -euo pipefail\n"), "\(script)")
    }
}

@Test func everyProgramOfTheBenchmarksCompilesWithoutAWarning() throws {
    let programs = try Repository.files(in: "Benchmarks", named: ".c")
    #expect(programs.count >= 3)
    for program in programs {
        let options = ["-fsyntax-only", "-std=c11", "-Wall", "-Wextra", "-Werror"]
        let compiled = try Finished("gcc", options + [Repository.path(of: program)])
        #expect(compiled.status == 0, "\(program): \(compiled.output)")
    }
}

/// Calls `need_packages` where only `installed` is installed, as `user`, with an apt-get that only says how it was called.
private func needPackages(_ packages: String, installed: String, user: Int) throws -> Finished {
    let folder = try TemporaryFolder()
    try folder.write("#!/bin/sh\necho \(user)\n", to: "id", isExecutable: true)
    try folder.write("#!/bin/sh\necho \"apt-get $*\"\n", to: "apt-get", isExecutable: true)
    try folder.write(
        "#!/bin/sh\nfor name; do :; done\ncase \" \(installed) \" in *\" $name \"*) printf 'install ok installed';; *) exit 1;; esac\n",
        to: "dpkg-query", isExecutable: true)
    let library = Repository.path(of: "scripts/lib/common.sh")
    // Nothing outside the folder may be touched: the file that keeps services from starting goes there too.
    let policy = folder.file("policy-rc.d")
    return try Finished(
        "bash",
        ["-c", "set -euo pipefail; . \"$1\"; policy_file=\"$2\"; need_packages \(packages)", "bash", library, policy],
        path: folder.path)
}

@Test func withoutRootTheExactCommandIsPrintedAndNothingIsInstalled() throws {
    let asked = try needPackages("alpha beta gamma", installed: "beta", user: 1000)
    #expect(asked.status == 1)
    #expect(asked.output.contains("sudo apt-get install alpha gamma\n"))
    #expect(!asked.output.contains("apt-get -y"))
}

@Test func asRootOnlyWhatIsMissingIsInstalledAndSaid() throws {
    let asked = try needPackages("alpha beta gamma", installed: "beta", user: 0)
    #expect(asked.status == 0, "\(asked.output)")
    #expect(asked.output.contains("alpha gamma"))
    #expect(asked.output.split(separator: "\n").contains { $0.hasPrefix("apt-get") && $0.hasSuffix("install alpha gamma") })
}

@Test func nothingIsSaidOrInstalledWhenNothingIsMissing() throws {
    let asked = try needPackages("alpha beta", installed: "alpha beta", user: 0)
    #expect(asked.status == 0)
    #expect(asked.output.isEmpty)
}

// MARK: scripts/test --quick

/// A repository with the modules `Base`, `Upper` that imports `Base`, and `Top` that imports `Upper`.
private func smallRepository() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for (path, text) in [
        ("Sources/Base/Base.swift", "\n"), ("Sources/Upper/Upper.swift", "@preconcurrency package import Base\n"),
        ("Sources/Top/Top.swift", "import struct Upper.Value\n// import Base\n"),
        ("Sources/rangefinder/Main.swift", "import Top\n"),
        ("Tests/BaseTests/BaseTests.swift", "let page = \"docs/base.md\"\n"), ("Tests/UpperTests/UpperTests.swift", "\n"),
        ("Tests/TopTests/TopTests.swift", "import Shared\n"), ("Tests/CommandTests/Tests.swift", "\n"),
        ("Tests/ArchitectureTests/Tests.swift", "\n"), ("Tests/Shared/Shared.swift", "\n"),
    ] { try folder.write(text, to: path) }
    return folder
}

/// What a line of bash prints that has the functions of `scripts/lib/changes.sh` for the repository in `folder`.
private func changes(_ line: String, in folder: TemporaryFolder) throws -> String {
    let library = Repository.path(of: "scripts/lib")
    let script = "set -euo pipefail; . \"$1/common.sh\"; . \"$1/changes.sh\"; root=$2; \(line)"
    let ended = try Finished("bash", ["-c", script, "bash", library, folder.path])
    #expect(ended.status == 0, "\(ended.output)")
    return ended.output
}

@Test(arguments: [
    ("Sources/Base/Base.swift", ["ArchitectureTests", "BaseTests", "UpperTests"]),
    ("Sources/Upper/Upper.swift", ["ArchitectureTests", "TopTests", "UpperTests"]),
    ("Sources/Top/Top.swift", ["ArchitectureTests", "CommandTests", "TopTests"]),
    ("Sources/rangefinder/Main.swift", ["ArchitectureTests", "CommandTests"]),
    ("Sources/Removed/Removed.swift", ["ArchitectureTests"]),
    ("Tests/BaseTests/BaseTests.swift", ["ArchitectureTests", "BaseTests"]),
    ("Tests/Shared/Shared.swift", ["ArchitectureTests", "TopTests"]),
    ("docs/base.md", ["ArchitectureTests", "BaseTests"]),
    ("docs/other.md", ["ArchitectureTests"]),
    ("scripts/test", ["ArchitectureTests"]),
    ("Package.swift", ["ArchitectureTests", "BaseTests", "CommandTests", "TopTests", "UpperTests"]),
])
func aChangedFileNeedsTheTestsOfItsModuleAndOfItsImporters(file: String, modules: [String]) throws {
    let found = try changes("test_modules_of \(file)", in: smallRepository())
    #expect(found.split(separator: "\n").map(String.init) == modules)
}

@Test func commitsUncommittedChangesAndNewFilesAreChanges() throws {
    let folder = try smallRepository()
    let git = "git -C \"$root\" -c user.name=a -c user.email=a@a.example"
    let commit = "\(git) add --all; \(git) commit --quiet --message=a"
    #expect(try changes("git -C \"$root\" init --quiet; change_base || echo none", in: folder) == "none\n")
    _ = try changes(commit, in: folder)
    try folder.write("committed\n", to: "Sources/Base/Base.swift")
    _ = try changes(commit, in: folder)
    try folder.write("uncommitted\n", to: "Sources/Top/Top.swift")
    try folder.write("new\n", to: "Sources/Top/New.swift")
    let changed = try changes("changed_files \"$(change_base)\"", in: folder)
    #expect(changed == "Sources/Base/Base.swift\nSources/Top/New.swift\nSources/Top/Top.swift\n")
}

@Test func withAnUpstreamBranchAChangeBeginsAtTheLastCommitThatItHas() throws {
    let folder = try smallRepository()
    let git = "git -C \"$root\" -c user.name=a -c user.email=a@a.example"
    let commit = "\(git) add --all; \(git) commit --quiet --message=a"
    _ = try changes("git -C \"$root\" init --quiet; \(commit); git -C \"$root\" branch upstream", in: folder)
    for (file, text) in [("Sources/Base/Base.swift", "one\n"), ("Sources/Top/Top.swift", "two\n")] {
        try folder.write(text, to: file)
        _ = try changes(commit, in: folder)
    }
    _ = try changes("git -C \"$root\" branch --quiet --set-upstream-to=upstream", in: folder)
    let changed = try changes("changed_files \"$(change_base)\"", in: folder)
    #expect(changed == "Sources/Base/Base.swift\nSources/Top/Top.swift\n")
}

@Test func quickTestsOnlyBuildAndTestAndSayWhatTheyLeaveOut() throws {
    let folder = try TemporaryFolder()
    // Each program says how it was called. Nothing is built and installed.
    let swift = "#!/bin/sh\necho \"called swift $*\" >>\"$(dirname \"$0\")/calls\"\necho 'Swift version 6.2'\n"
    try folder.write(swift, to: "swift", isExecutable: true)
    for name in ["apt-get", "dpkg-query", "python3"] {
        try folder.write("#!/bin/sh\necho \"called \(name)\" >>\"$(dirname \"$0\")/calls\"\n", to: name, isExecutable: true)
    }
    let ended = try Finished("bash", [Repository.path(of: "scripts/test"), "--quick", "aWord"], path: folder.path)
    #expect(ended.status == 0, "\(ended.output)")
    let calls = try folder.read("calls").split(separator: "\n")
    #expect(calls.map { $0.split(separator: " ")[2] } == ["--version", "build", "test"])
    #expect(calls.count > 2 && calls[1].hasSuffix(" --build-tests") && calls[2].hasSuffix(" --filter aWord"))
    let skipped = ended.output.split(separator: "\n").filter { $0.hasPrefix("Skipped: ") }
    for words in ["missing packages", "prometheus_client", "release build", "booted Debian", "needs longer"] {
        #expect(skipped.contains { $0.contains(words) }, "\(words): \(ended.output)")
    }
}

@Test func aQuickAndALongRunExcludeEachOther() throws {
    let ended = try Finished("bash", [Repository.path(of: "scripts/test"), "--quick", "--long"])
    #expect(ended.status == 2 && ended.output.contains("--quick [WORD]"))
}
