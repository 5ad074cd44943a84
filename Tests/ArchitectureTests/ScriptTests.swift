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
