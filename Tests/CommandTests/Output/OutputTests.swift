import Foundation
import TestSupport
import Testing

/// What could not be written is never reported as done, whichever command it is.
@Suite(.timeLimit(.minutes(10))) struct OutputTests {
    /// Each command that prints data, once in each of its forms: the words behind its name. The others print none.
    private struct Forms {
        let watched: WatchedSite
        let server: TargetsServerProgram

        var all: [String: [[String]]] {
            let database = ["--database", watched.database]
            let config = ["--config", watched.configuration]
            let api = ["--api", server.url, "--client", "c", "--token-file", server.tokenFile]
            let new = ["--name", "new", "--base-url", "https://new.example", "--test-path", "/", "--region"]
            let file = watched.folder.file("targets.yaml")
            return [
                "demo": [["--port", "0"]],
                "check-config": [config, config + ["--sync"], config + ["--schedule"]],
                "probe": [[watched.site.target.url], [watched.site.target.url, "--json"]],
                "version": [[]],
                "status": [database, database + ["--json"]],
                "history show": [["good"] + database, ["good", "--json"] + database, ["good", "--csv"] + database],
                "history check": [database],
                "history export": [database, database + ["--format", "jsonl"]],
                "incidents list": [database, database + ["--json"]],
                "incidents show": [["1"] + database, ["1", "--json"] + database],
                "maintenance list": [database, database + ["--json"]],
                "replay": [database, database + ["--json"]],
                "doctor": [config, config + ["--json"]],
                "targets list": [config, config + ["--json"], api],
                "targets get": [["good"] + config, ["good", "--json"] + config],
                "targets export": [config, api],
                "targets create": [api + new + ["eu", "--json"]],
                "targets update": [api + ["one", "--test-path", "/x", "--json"]],
                "targets delete": [api + ["two", "--yes", "--json"]],
                "targets apply": [api + ["-f", file, "--dry-run"], api + ["-f", file, "--yes", "--json"]],
            ]
        }
    }

    private static let withoutData: Set<String> = [
        "run", "watch", "sync", "reload", "history backup", "targets-server", "incidents note", "maintenance start",
        "maintenance end",
    ]

    private func forms() async throws -> Forms {
        let forms = Forms(watched: try await WatchedSite(), server: try await TargetsServerProgram(token: "t"))
        try forms.watched.folder.write(
            "targets:\n  - {name: x, region: eu, base_url: \"https://x.example\", test_path: /}\n", to: "targets.yaml")
        for name in ["one", "two"] {
            let ended = try await Program.run([
                "targets", "create", "--api", forms.server.url, "--client", "c", "--token-file", forms.server.tokenFile, "--name",
                name,
                "--base-url", "https://\(name).example", "--test-path", "/", "--region", "eu",
            ])
            #expect(ended.code == 0, "\(ended.errors)")
        }
        return forms
    }

    @Test func everyCommandThatPrintsDataSaysWhenTheDiskIsFull() async throws {
        let (forms, commands) = (try await forms(), try await CommandLine().commands)
        #expect(
            Set(commands.map(\.name)) == Set(forms.all.keys).union(Self.withoutData), "a command is missing here, or is no more")
        for command in commands {
            let variants = forms.all[command.name] ?? []
            for option in ["json", "csv"] where command.options.contains(option) {
                #expect(variants.contains { $0.contains("--\(option)") }, "\(command.name) --\(option) is missing here")
            }
            for words in variants {
                let ended = try await Program.run(
                    command.name.split(separator: " ").map(String.init) + words, output: ">/dev/full")
                #expect(ended.code == 70, "\(command.name) \(words): \(ended.errors)")
                #expect(ended.errors.contains("not all of the output could be written: the disk is full"), "\(ended.errors)")
            }
        }
        // Whatever was changed before that was said, too.
        let list = try await Program.run([
            "targets", "list", "--api", forms.server.url, "--client", "c", "--token-file", forms.server.tokenFile, "--json",
        ])
        for name in ["new", "x"] { #expect(list.output.contains("\"target\":\"\(name)\"")) }
        #expect(!list.output.contains("\"target\":\"two\""))
    }

    @Test(arguments: [
        ["--version"], ["--help"], ["status", "--help"], ["help", "probe"], ["--generate-completion-script", "bash"],
    ])
    func whatTheCommandLineItselfPrintsIsWrittenOrAnError(_ words: [String]) async throws {
        #expect(try await Program.run(words).code == 0)
        let full = try await Program.run(words, output: ">/dev/full")
        #expect(full.code == 70 && full.errors.contains("the disk is full"), "\(full.errors)")
    }

    /// `rangefinder … | head`: nobody is told that a reader has read enough.
    @Test func aReaderThatHasGoneIsNoError() async throws {
        let watched = try await WatchedSite()
        let (config, database) = (["--config", watched.configuration], ["--database", watched.database])
        let commands: [([String], Int32)] = [
            (["status"] + database, 0), (["history", "export"] + database, 0), (["targets", "export"] + config, 0),
            (["incidents", "--json"] + database, 0), (["--help"], 0), (["demo", "--port", "0"], 0),
            // What was asked about is as it was before.
            (["status", "--fail"] + database, 1),
        ]
        for (words, code) in commands {
            let gone = "exec 3> >(:); wait $!"
            let ended = try await Program.run(words, output: ">&3 3>&-", before: gone)
            #expect(ended.code == code, "\(words): \(ended.errors)")
            let said = ended.errors.split(separator: "\n").filter {
                !$0.contains("every user of this machine") && !$0.contains("no daemon is running")
                    && !$0.hasPrefix("rangefinder: starting") && !$0.hasPrefix("rangefinder: making up")
            }
            #expect(said.isEmpty, "\(words): \(said)")
        }
    }

    private func largeList() throws -> (words: [String], api: LoopbackServer, folder: TemporaryFolder) {
        let (folder, api) = (
            try TemporaryFolder(),
            try LoopbackServer { _ in
                list(
                    (0..<4000).map {
                        record("tgt_\($0)", name: "n\($0)", url: "https://h\($0).example/" + String(repeating: "x", count: 200))
                    })
            }
        )
        let token = try folder.write("t\n", to: "token")
        return (["targets", "export", "--api", api.url, "--client", "c", "--token-file", token], api, folder)
    }

    @Test func aPipeThatDoesNotBlockGetsEverything() async throws {
        let (words, api, folder) = try largeList()
        defer { withExtendedLifetime((api, folder)) {} }
        // dd leaves its standard output as it sets it, and the program has the same one.
        let ended = try await Program.run(words, output: "", before: "dd oflag=nonblock count=0 status=none </dev/null")
        #expect(ended.code == 0, "\(ended.errors)")
        #expect(ended.output.hasSuffix("\n# The end of this export: 4000 targets.\n"))
        #expect(ended.output.count > 1 << 20)
    }

    @Test func aLimitOnTheSizeOfFilesIsAnErrorAndNoSignal() async throws {
        let (words, api, folder) = try largeList()
        defer { withExtendedLifetime(api) {} }
        let ended = try await Program.run(words, output: ">'\(folder.file("export"))'", before: "ulimit -f 16")
        #expect(ended.code == 70)
        #expect(ended.errors.contains("larger than this user (ulimit -f)"), "\(ended.errors)")
    }
}
