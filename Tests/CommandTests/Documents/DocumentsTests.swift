import Foundation
import TestSupport
import Testing

/// What the documents and the examples say is true of the program.
@Suite(.timeLimit(.minutes(5))) struct DocumentsTests {
    @Test func theReferenceOfTheCommandLineIsTheProgramsOwn() async throws {
        let described = try await Program.run(["--experimental-dump-help"])
        let folder = try TemporaryFolder()
        let file = try folder.write(described.output, to: "help.json")
        let script = Documents.root.appendingPathComponent("scripts/lib/reference").path
        let made = try await onThread { try ChildProcess.run("/bin/sh", ["-c", "python3 '\(script)' <'\(file)'"]) }
        #expect(made.status == 0, "\(made.output)")
        let page = try Documents.text("docs/cli.md")
        #expect(made.output == page, "docs/cli.md is out of date; its second line says how it is made")
    }

    @Test func everyExampleIsAccepted() async throws {
        let examples = Documents.root.appendingPathComponent("config/examples")
        let folders = try FileManager.default.contentsOfDirectory(atPath: examples.path).filter { !$0.hasSuffix(".md") }
        #expect(folders.count == 6)
        for folder in folders {
            let file = examples.appendingPathComponent("\(folder)/rangefinder.yaml").path
            let checked = try await Program.run(
                ["check-config", "-c", file],
                environment: ["TARGETS_API_TOKEN": "token", "HEARTBEAT_URL": "https://hc.example.com/1"])
            #expect(checked.code == 0 && !checked.output.contains("warning"), "\(folder): \(checked.output)")
            #expect(try Documents.text("config/examples/README.md").contains("[\(folder)](\(folder))"))
        }
    }

    /// The blocks of YAML of the README. One that is about other things names no targets, and a daemon wants some.
    @Test func everyConfigurationOfTheReadmeIsAccepted() async throws {
        let folder = try TemporaryFolder()
        try folder.write("secret\n", to: "user-token")
        let blocks = try Documents.text("README.md").matches(of: /```yaml\n([\s\S]*?)```/).map { String($0.1) }
        #expect(!blocks.isEmpty)
        for text in blocks {
            let client = text.contains("clients:") ? "" : "\ntargets_api: {clients: [{id: a, token_file: user-token}]}\n"
            let file = try folder.write(text + client, to: "rangefinder.yaml")
            let ended = try await Program.run(["check-config", "--config", file])
            #expect(ended.code == 0, "\(ended.output)\n\(text)")
        }
    }

    /// What config/kubernetes gives to the daemon.
    @Test func theConfigurationForKubernetesIsAccepted() async throws {
        let manifest = try Documents.text("config/kubernetes/rangefinder.yaml")
        let block = try #require(manifest.firstMatch(of: /rangefinder\.yaml: \|\n([\s\S]*?)\n---\n/)).1
        let folder = try TemporaryFolder()
        try folder.write("secret\n", to: "user-token")
        let path = try folder.write(block.split(separator: "\n").map { $0.dropFirst(4) }.joined(separator: "\n"), to: "k.yaml")
        let ended = try await Program.run(["check-config", "--config", path])
        #expect(ended.code == 0, "\(ended.output)\(ended.errors)")
    }

    @Test func theReadmeIsShort() throws {
        let lines = try Documents.text("README.md").split(separator: "\n", omittingEmptySubsequences: false).count
        #expect(lines <= 150)
    }
}
