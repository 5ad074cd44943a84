import Curl
import Foundation
import Glibc
import TestSupport
import Testing

/// The examples of the README do what it says.
@Suite(.timeLimit(.minutes(5))) struct ReadmeTests {
    private let readme: String

    init() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("README.md")
        readme = try String(contentsOf: file, encoding: .utf8)
    }

    /// Configurations: blocks of YAML, and files that a shell example writes.
    private var configurations: [String] {
        let blocks = readme.matches(of: /```yaml\n([\s\S]*?)```/).map { String($0.1) }
        let written = readme.matches(of: /cat >rangefinder\.yaml <<'END'\n([\s\S]*?)\nEND\n/).map { String($0.1) }
        return blocks + written
    }

    @Test func everyConfigurationIsAccepted() async throws {
        let folder = try TemporaryFolder()
        for secret in ["user-token", "registry-token"] { try folder.write("secret\n", to: secret) }
        #expect(configurations.count >= 3)
        for (index, text) in configurations.enumerated() {
            // One that is about other things names no client, and a daemon wants one.
            let client = text.contains("clients:") ? "" : "\ntargets_api: {clients: [{id: a, token_file: user-token}]}\n"
            let file = try folder.write(text + client, to: "\(index).yaml")
            let ended = try await Program.run(["check-config", "--config", file])
            #expect(ended.code == 0, "\(ended.output)\n\(text)")
        }
    }

    @Test func everyCommandIsInTheTableOfCommands() async throws {
        let table = try #require(readme.components(separatedBy: "\n## Commands\n").last).components(separatedBy: "\n## ")[0]
        for command in try await CommandLine().commands {
            let words = command.name.split(separator: " ")
            // Each of these has a shorter form. The commands of one group may share a row.
            let short = ["history show": "history TARGET", "incidents list": "incidents --config"][command.name]
            let forms =
                short.map { ["`rangefinder \($0)"] }
                ?? ["`rangefinder \(command.name)", "`\(command.name)`"] + (words.count == 2 ? ["`\(words[1])`"] : [])
            #expect(forms.contains { table.contains($0) }, "README.md has no row for \(command.name)")
        }
    }

    /// What config/kubernetes gives to the daemon.
    @Test func theConfigurationForKubernetesIsAccepted() async throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("config/kubernetes/rangefinder.yaml")
        let manifest = try String(contentsOf: file, encoding: .utf8)
        let block = try #require(manifest.firstMatch(of: /rangefinder\.yaml: \|\n([\s\S]*?)\n---\n/)).1
        let folder = try TemporaryFolder()
        try folder.write("secret\n", to: "user-token")
        let path = try folder.write(block.split(separator: "\n").map { $0.dropFirst(4) }.joined(separator: "\n"), to: "k.yaml")
        let ended = try await Program.run(["check-config", "--config", path])
        #expect(ended.code == 0, "\(ended.output)\(ended.errors)")
    }

    @Test func withoutAnAccountATargetThatIsCreatedIsProbed() async throws {
        let folder = try TemporaryFolder()
        try folder.write("a-token-of-this-test\n", to: "registry-token")
        let target = try LoopbackServer { _ in .http(200) }
        let port = try freePort()
        let example = try #require(configurations.first { $0.contains("targets_server:") })
        let configuration = example.replacing("10116", with: "\(port)").replacing("sync_interval: 5s", with: "sync_interval: 1s")
        let file = try folder.write(
            configuration
                + "\nlisten: 127.0.0.1:0\negress: {allow: [127.0.0.1]}\nprobe: {interval: 1s, timeout: 1s}\nlog: {level: debug}\n",
            to: "rangefinder.yaml")
        let program = try RunningProgram(["run", "--config", file])
        #expect(try await program.errors.until("sync: list changed"))

        let body = try #require(readme.firstMatch(of: /-d '(\{"targetName".*?\})'/)).1
            .replacing("https://www.example.com", with: target.url)
        var request = TransferRequest(
            url: try #require(URLParts("http://127.0.0.1:\(port)/api/clients/default/targets")), method: "POST")
        request.headers = [
            (name: "Authorization", value: "a-token-of-this-test"), (name: "Content-Type", value: "application/json"),
        ]
        request.body = Array(body.utf8)
        let engine = try TransferEngine()
        #expect(await engine.transfer(request).status == 200)
        await engine.shutDown()
        #expect(try await program.errors.until("Example is up"))
        program.send(SIGTERM)
        #expect(await program.ended() == 0)
        #expect(!program.errors.text.contains("a-token-of-this-test"))
    }
}
