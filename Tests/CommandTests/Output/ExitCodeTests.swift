import Foundation
import TestSupport
import Testing

/// README.md's table of exit codes, command by command: each code means the same for all.
@Suite(.timeLimit(.minutes(10))) struct ExitCodeTests {
    @Test func everyCommandAnswersHelpWithZeroAndAnUnknownOptionWithTwo() async throws {
        for command in try await CommandLine().commands {
            let words = command.name.split(separator: " ").map(String.init)
            let help = try await Program.run(words + ["--help"])
            #expect(help.code == 0 && help.errors.isEmpty, "\(command.name): \(help.errors)")
            let wrong = try await Program.run(words + ["--no-such-option"])
            #expect(wrong.code == 2 && wrong.output.isEmpty && !wrong.errors.isEmpty, "\(command.name): \(wrong.output)")
        }
    }

    private func expect(_ code: Int32, _ words: [String]) async throws {
        let ended = try await Program.run(words)
        #expect(ended.code == code, "\(words.joined(separator: " ")): \(ended.code), not \(code)\n\(ended.output)\(ended.errors)")
    }

    @Test func whatIsAskedOfTheHistory() async throws {
        let watched = try await WatchedSite()
        let (known, missing) = (["--database", watched.database], ["--database", watched.folder.file("nothing.db")])
        let wrong = ["--config", try watched.folder.write("nonsense: 1\n", to: "wrong.yaml")]
        for words in [["status"], ["history", "good"], ["history", "check"], ["history", "export"], ["incidents"], ["replay"]] {
            try await expect(0, words + known)
            try await expect(69, words + missing)
            try await expect(1, words + wrong)
            try await expect(2, words)
        }
        try await expect(1, ["status", "--fail"] + known)
        for words in [["history", "nobody"], ["incidents", "--target", "nobody"], ["replay", "--target", "nobody"]] {
            try await expect(2, words + known)
        }
        let copy = watched.folder.file("copy.db")
        try await expect(69, ["history", "backup", copy] + missing)
        try await expect(0, ["history", "backup", copy] + known)
        // The command line names a file that is there, and one that can't be made.
        try await expect(2, ["history", "backup", copy] + known)
        try await expect(70, ["history", "backup", watched.folder.file("no/such/copy.db")] + known)
    }

    @Test func whatIsAskedOfTargetsAndTheConfiguration() async throws {
        let site = try Site(paths: ["a", "b"]) { $0.path == "/b" ? .http(500) : .http(200) }
        let config = ["--config", site.configuration]
        let wrong = ["--config", try site.folder.write("nonsense: 1\n", to: "wrong.yaml")]
        let text = try site.folder.read("rangefinder.yaml")
        let closed = try ClosedPort()
        let alone = [
            "--config",
            try site.folder.write(
                text.replacingOccurrences(of: site.api.url, with: "http://127.0.0.1:\(closed.port)"), to: "alone.yaml"),
        ]
        try await expect(0, ["check-config"] + config)
        try await expect(0, ["check-config", "--sync"] + config)
        try await expect(69, ["check-config", "--sync"] + alone)
        try await expect(0, ["probe", "--target", "a"] + config)
        try await expect(1, ["probe", "--target", "b"] + config)
        try await expect(2, ["probe", "--target", "nobody"] + config)
        try await expect(69, ["probe", "--target", "a"] + alone)
        for words in [
            ["check-config"], ["probe", "--target", "a"], ["run"], ["doctor"], ["targets", "list"], ["sync"], ["reload"],
        ] {
            try await expect(1, words + wrong)
        }
        for words in [["sync"], ["reload"]] { try await expect(69, words + config) }
        try await expect(0, ["doctor"] + config)
        try await expect(1, ["doctor"] + alone)
    }

    @Test func whatIsAskedOfTheTargetsAPI() async throws {
        let server = try await TargetsServerProgram(token: "t")
        func api(_ port: Int, token: String) -> [String] {
            ["--api", "http://127.0.0.1:\(port)", "--client", "c", "--token-file", token]
        }
        let good = api(server.port, token: server.tokenFile)
        let unauthorized = api(server.port, token: try server.folder.write("wrong\n", to: "wrong-token"))
        let unreadable = api(server.port, token: server.folder.file("no-token"))
        let closed = try ClosedPort()
        let gone = api(closed.port, token: server.tokenFile)
        let new = ["targets", "create", "--name", "n", "--test-path", "/", "--region", "eu", "--base-url"]
        try await expect(0, new + ["https://n.example"] + good)
        try await expect(2, new + ["n.example"] + good)
        let file = try server.folder.write(
            "targets:\n  - {name: n, region: eu, base_url: \"https://n.example\", test_path: /x}\n", to: "targets.yaml")
        let apply = ["targets", "apply", "-f", file]
        for words in [["targets", "list"], ["targets", "get", "n"], ["targets", "export"]] {
            try await expect(0, words + good)
        }
        for words in [
            ["targets", "list"], ["targets", "get", "n"], ["targets", "export"], ["targets", "delete", "n", "--yes"], apply,
            ["targets", "update", "n", "--test-path", "/"], new + ["https://m.example"],
        ] {
            try await expect(69, words + unauthorized)
            try await expect(69, words + gone)
            try await expect(1, words + unreadable)
        }
        for words in [["get", "nobody"], ["delete", "nobody", "--yes"], ["update", "nobody", "--test-path", "/"]] {
            try await expect(2, ["targets"] + words + good)
        }
        try await expect(2, ["targets", "update", "n", "--base-url", "n.example"] + good)
        try await expect(1, apply + ["--dry-run"] + good)
        try await expect(2, apply + good)
        try await expect(0, apply + ["--yes"] + good)
        try await expect(1, ["targets", "apply", "-f", server.folder.file("no.yaml")] + good)
        let database = ["--database", server.folder.file("other.db"), "--listen"]
        try await expect(69, ["targets-server", "--token-file", server.tokenFile] + database + ["127.0.0.1:\(server.port)"])
        try await expect(1, ["targets-server", "--token-file", server.folder.file("no")] + database + ["127.0.0.1:0"])
        try await expect(2, ["targets-server", "--token-file", server.tokenFile] + database + ["nonsense"])
        try await expect(69, ["demo", "--port", "\(server.port)"])
        try await expect(70, ["demo", "--port", "0", "--state", server.folder.file("no/such/folder")])
    }
}
