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

// MARK: What is in a program

/// Without the folder of the build nothing says what was linked, and under which licences.
@Test func aProgramThatIsNotWhereItWasBuiltIsNotPacked() throws {
    let contents = try Finished("python3", ["-B", Repository.path(of: "scripts/lib/contents"), "/bin/true"])
    #expect(contents.status == 1)
    #expect(
        contents.output.contains("Only the folder that a program was built in says what is linked into it"), "\(contents.output)")
}
