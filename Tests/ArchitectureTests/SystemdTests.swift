import Foundation
import TestSupport
import Testing

@Test func systemdFindsNothingWrongWithTheUnit() throws {
    let folder = try TemporaryFolder()
    let unit = try Repository.text(of: "systemd/rangefinder.service")
    let command = "ExecStart=/usr/bin/rangefinder run --config"
    #expect(unit.contains(command))
    // The program isn't installed where the tests run, and a missing one is all that would be reported.
    let installed = unit.replacingOccurrences(of: "/usr/bin/rangefinder", with: "/bin/true")
    let file = try folder.write(installed, to: "rangefinder.service")
    let verified = try Finished("systemd-analyze", ["verify", "--man=no", file])
    let about = verified.output.split(separator: "\n").filter { $0.contains("rangefinder") }
    #expect(about == [])
    #expect(verified.status == 0, "\(verified.output)")
}

@Test func systemdMakesTheUserThatTheUnitRunsAs() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write(
        try Repository.text(of: "systemd/rangefinder.sysusers"), to: "usr/lib/sysusers.d/rangefinder.conf")
    try folder.write("root:x:0:0:root:/:/bin/sh\n", to: "etc/passwd")
    try folder.write("root:x:0:\n", to: "etc/group")
    let made = try Finished("systemd-sysusers", ["--root=\(folder.path)", file])
    let users = try String(contentsOfFile: folder.file("etc/passwd"), encoding: .utf8)
    #expect(users.contains("\nrangefinder:"), "\(made.output)")
    #expect(try Repository.text(of: "systemd/rangefinder.service").contains("\nUser=rangefinder\n"))
}

@Test(arguments: ["rangefinder.service"])
func theSandboxIsAsTightAsItIsSaid(unit: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(try Repository.text(of: "systemd/\(unit)"), to: unit)
    let rated = try Finished("systemd-analyze", ["security", "--offline=true", "--no-pager", "--threshold=12", path])
    #expect(rated.status == 0, "\(rated.output.suffix(200))")
}

@Test func theManifestsAreWellFormed() throws {
    let rules = "{extends: relaxed, rules: {line-length: {max: 140}, key-duplicates: enable}}"
    let files = try Repository.files(in: "config", named: ".yaml").map { Repository.path(of: $0) }
    let linted = try Finished("yamllint", ["--strict", "-d", rules] + files)
    #expect(linted.status == 0, "\(linted.output)")
}
