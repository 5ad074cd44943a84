import Foundation
import Glibc
import TestSupport
import Testing

/// Every command of README.md, of docs and of config, run as it stands beside a daemon that has something to tell.
///
/// Only names and places are put in: the configuration for `FILE`, a target for `TARGET`, this daemon's port for 10115.
@Suite(.timeLimit(.minutes(5))) struct DocumentedCommandsTests {
    /// What a test can't run, and why. It must be in some document, so that the list doesn't outlive its reason.
    private static let notRun = [
        "scripts/": "builds or tests for minutes; that the script knows the options is looked at",
        ".ci/run": "runs this test",
        "export": "sets this shell's own path",
        "ssh": "wants another machine", "podman": "not installed by scripts/test", "kubectl": "wants a cluster",
        "apt-get": "ServiceTests install the package, in a booted Debian", "sudoedit": "wants a person",
        "systemctl": "ServiceTests run it, in a booted Debian", "journalctl": "wants the journal of the service",
        "top": "wants a person", "ip": "is about the network of the machine",
        "rm": "belongs to a restore, with the service stopped",
        "install": "belongs to a restore, with the service stopped", "amtool": "wants an Alertmanager",
        "df": "is about the machine", "sha256sum": "wants the files of a release; ServiceTests check those of scripts/package",
    ]

    @Test func everyCommandRuns() async throws {
        let stage = try await Stage()
        var unused = Set(Self.notRun.keys)
        for path in try Documents.paths() {
            let desk = try stage.desk()
            for command in try Documents.commands(in: path) {
                if let known = Self.notRun.keys.first(where: {
                    $0.hasSuffix("/") ? command.program.hasPrefix($0) : command.program == $0
                }) {
                    unused.remove(known)
                } else {
                    try await desk.run(command)
                }
            }
        }
        #expect(unused == [], "no document has these any more")
        await stage.end()
    }

    @Test func everyScriptKnowsItsOptions() throws {
        let scripts = try Documents.paths().flatMap(Documents.commands).filter { $0.program.hasPrefix("scripts/") }
        #expect(!scripts.isEmpty)
        for command in scripts {
            let script = try Documents.text(command.program)
            for option in command.text.split(separator: " ").filter({ $0.hasPrefix("--") }) {
                #expect(script.contains(option), "\(command)")
            }
        }
    }
}
