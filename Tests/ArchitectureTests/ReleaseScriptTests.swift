import TestSupport
import Testing

// MARK: Who answers for a package

/// What `need_maintainer` of `scripts/lib/common.sh` says after `setting`; no terminal is there to ask.
private func maintainer(after setting: String) throws -> Finished {
    let script = "set -euo pipefail; unset DEBFULLNAME DEBEMAIL; . \"$1\"; \(setting); need_maintainer; echo \"$maintainer\""
    return try Finished("bash", ["-c", script, "bash", Repository.path(of: "scripts/lib/common.sh")])
}

@Test(arguments: [
    ("maintainer='Ann Example <ann@example.org>'", "Ann Example <ann@example.org>\n"),
    ("DEBFULLNAME='Ann & Bob' DEBEMAIL=ann@example.org", "Ann & Bob <ann@example.org>\n"),
    ("DEBFULLNAME=Bob DEBEMAIL=bob@example.org maintainer='Ann <ann@example.org>'", "Ann <ann@example.org>\n"),
])
func theMaintainerIsTheOptionsOrDebiansVariables(setting: String, maintainer name: String) throws {
    let asked = try maintainer(after: setting)
    #expect(asked.status == 0 && asked.output == name, "\(asked.output)")
}

@Test func withoutAMaintainerNoneIsMadeUp() throws {
    for setting in ["true", "DEBFULLNAME=Ann", "DEBEMAIL=ann@example.org"] {
        let asked = try maintainer(after: setting)
        #expect(asked.status == 1, "\(setting)")
        #expect(asked.output.contains("Give --maintainer 'NAME <ADDRESS>', or set DEBFULLNAME and DEBEMAIL."), "\(asked.output)")
    }
    #expect(try !Repository.text(of: "packaging/debian/control").contains("Maintainer:"))
}

@Test(arguments: [
    "Ann", "ann@example.org", "Ann <ann>", "Ann <ann@example.org> more", "<ann@example.org>", "Ann\\nBob <a@example.org>",
])
func aMaintainerHasANameAndAnAddress(name: String) throws {
    let asked = try maintainer(after: "maintainer=$'\(name)'")
    #expect(asked.status == 1 && asked.output.contains("is no maintainer"), "\(name): \(asked.output)")
}

// MARK: What stops a release

/// A repository with the scripts and this newest heading of the change log, as its only commit.
private func releasable(_ heading: String) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let copied = try Finished("cp", ["-R", Repository.path(of: "scripts"), folder.path])
    #expect(copied.status == 0, "\(copied.output)")
    try folder.write("# Changes\n\n## \(heading)\n\n- [FEATURE] It is new.\n\n## 0.0.9 (2020-01-01)\n", to: "CHANGELOG.md")
    try run("init --quiet; $git add --all; $git commit --quiet --message=a", in: folder)
    return folder
}

private func run(_ commands: String, in folder: TemporaryFolder) throws {
    let script = "set -e; git=\"git -C $0 -c user.name=a -c user.email=a@a.example\"; $git \(commands)"
    let ended = try Finished("bash", ["-c", script, folder.path])
    #expect(ended.status == 0, "\(ended.output)")
}

private func release(_ folder: TemporaryFolder, _ options: String...) throws -> Finished {
    let ended = try Finished("bash", [folder.file("scripts/release"), "--maintainer", "Ann <ann>"] + options)
    #expect(ended.status == 1, "\(ended.output)")
    return ended
}

@Test func aReleaseIsWhatTheLastCommitHas() throws {
    let folder = try releasable("0.1.0 (2026-01-31)")
    try folder.write("new\n", to: "new.txt")
    let stopped = try release(folder)
    #expect(stopped.output.contains("Commit them") && stopped.output.contains("\n?? new.txt\n"), "\(stopped.output)")
}

@Test(arguments: ["0.1.0 (not released)", "0.1.0", "Next"])
func aReleaseHasItsDayInTheChangeLog(heading: String) throws {
    let stopped = try release(releasable(heading))
    #expect(stopped.output.contains("CHANGELOG.md is '## \(heading)'"), "\(stopped.output)")
}

@Test func aReleaseIsTheNewestOfTheChangeLog() throws {
    let stopped = try release(releasable("0.1.0 (2026-01-31)"), "--version", "0.2.0")
    #expect(stopped.output.contains("The newest version in CHANGELOG.md is 0.1.0, and not 0.2.0."), "\(stopped.output)")
}

@Test func aVersionThatIsTaggedElsewhereIsNotReleasedAgain() throws {
    let folder = try releasable("0.1.0 (2026-01-31)")
    try run("tag v0.1.0; $git commit --quiet --allow-empty --message=b", in: folder)
    let stopped = try release(folder)
    #expect(stopped.output.contains("The tag v0.1.0 is of another commit."), "\(stopped.output)")
}

/// All is well so far. The maintainer isn't, and comes next.
@Test func aCleanCommitWithItsDayGetsToTheMaintainer() throws {
    let stopped = try release(releasable("0.1.0 (2026-01-31)"), "--version", "0.1.0")
    #expect(stopped.output.contains("'Ann <ann>' is no maintainer"), "\(stopped.output)")
}

// MARK: What is in a program

/// Without the folder of the build nothing says what was linked, and under which licences.
@Test func aProgramThatIsNotWhereItWasBuiltIsNotPacked() throws {
    let contents = try Finished("python3", ["-B", Repository.path(of: "scripts/lib/contents"), "/bin/true"])
    #expect(contents.status == 1)
    #expect(
        contents.output.contains("Only the folder that a program was built in says what is linked into it"), "\(contents.output)")
}
