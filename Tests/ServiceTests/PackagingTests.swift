import Foundation
import TestSupport
import Testing

/// What holds for all files that `scripts/package` makes.
@Suite(.enabled(if: Packages.isThere, "\(Packages.whyNot)"), .timeLimit(.minutes(5)))
struct PackagingTests {
    @Test func theChecksumsHoldAndAreThoseOfEveryFile() async throws {
        let packages = try Packages()
        try await output("sha256sum", ["--check", "--strict", "SHA256SUMS"], in: packages.folder)
        let kinds = [".deb", ".tar.gz", ".oci.tar", ".spdx.json"]
        for kind in kinds { #expect(FileManager.default.fileExists(atPath: try packages.path(kind))) }
        #expect(packages.digests.count == kinds.count)
    }

    /// Such a path would make another program of the same sources in another folder.
    @Test func theProgramDoesNotNameTheFolderThatItWasBuiltIn() async throws {
        let folder = try await Packages().unpacked()
        let arguments = [
            "--count", "--text", "--fixed-strings", try Packages.sources().path + "/", folder.file("usr/bin/rangefinder"),
        ]
        let found = try await onThread { try ChildProcess.run("grep", arguments) }
        #expect(found.output == "0\n")
        // The search finds what is there.
        let other = ["--count", "--text", "--fixed-strings", "Sources/CNIOBoringSSL/crypto/", arguments[4]]
        #expect(try await output("grep", other) != "0\n")
    }
}

/// Packs the program a second time, which takes as long as the first.
@Suite(
    .enabled(if: Packages.isThere && environment("RANGEFINDER_LONG") != nil, "scripts/test --long packs twice"),
    .timeLimit(.minutes(10)))
struct PackagingLongRuns {
    @Test func packingTwiceGivesTheSameBytes() async throws {
        let (packages, folder) = (try Packages(), try TemporaryFolder())
        let maintainer = try await output("dpkg-deb", ["--field", try packages.path(".deb"), "Maintainer"])
        try await output(
            "bash",
            [
                Packages.repository.appending(path: "scripts/package").path, "--maintainer", String(maintainer.dropLast()),
                "--program",
                try Packages.program(), folder.path,
            ])
        let again = try folder.read("SHA256SUMS")
        #expect(try again == String(contentsOfFile: "\(packages.folder)/SHA256SUMS", encoding: .utf8))
    }
}
