import Foundation
import Glibc
import TestSupport
import Testing

/// The commands on targets against the embedded server, both as a person runs them.
@Suite(.timeLimit(.minutes(5))) struct TargetsCommandTests {
    private static let token = "t0ken-of-targets-1234"

    private struct API {
        let server: TargetsServerProgram

        var folder: TemporaryFolder { server.folder }
        var url: String { server.url }

        init() async throws { server = try await TargetsServerProgram(token: TargetsCommandTests.token) }

        func run(_ arguments: [String]) async throws -> Program.Ended {
            let words =
                arguments.prefix(1) + ["--api", url, "--client", "c", "--token-file", server.tokenFile]
                + arguments.dropFirst()
            let ended = try await Program.run(["targets"] + words)
            #expect(!(ended.output + ended.errors).contains(TargetsCommandTests.token))
            return ended
        }

        func create(_ name: String, host: String? = nil, region: String = "eu", path: String = "/") async throws {
            let ended = try await run([
                "create", "--name", name, "--base-url", "https://\(host ?? name).example", "--test-path", path, "--region",
                region,
            ])
            #expect(ended.code == 0, "\(ended.errors)")
        }

        /// Name, region, base URL, test path, effect of each.
        func list(_ more: [String] = []) async throws -> [[String]] {
            let json = try await run(["list", "--json"] + more).output
            let document = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
            let items = try #require(document["items"] as? [[String: Any]])
            return items.map { item in
                ["target", "region", "base_url", "test_path", "rule_effect"].map { item[$0] as? String ?? "" }
            }
        }
    }

    @Test func aTargetIsCreatedShownChangedAndDeleted() async throws {
        let api = try await API()
        try await api.create("one")
        #expect(try await api.list() == [["one", "eu", "https://one.example", "/", "allow"]])
        let got = try await api.run(["get", "one"])
        #expect(got.output.contains("base URL     https://one.example\n"), "\(got.output)")
        #expect(try await api.run(["update", "one", "--test-path", "/health", "--effect", "deny"]).code == 0)
        #expect(try await api.list() == [["one", "eu", "https://one.example", "/health", "deny"]])
        let unasked = try await api.run(["delete", "one"])
        #expect(unasked.code == 2 && unasked.errors.contains("give --yes"))
        #expect(try await api.run(["delete", "one", "--yes"]).code == 0)
        #expect(try await api.list() == [])
        #expect(try await api.run(["list"]).output == "No targets.\n")
    }

    @Test func anAmbiguousNameListsItsCandidatesAndARegionTellsThemApart() async throws {
        let api = try await API()
        for region in ["eu", "us"] { try await api.create("twin", region: region) }
        let ambiguous = try await api.run(["get", "twin"])
        #expect(ambiguous.code == 2)
        #expect(ambiguous.errors.contains("2 targets are called twin") && ambiguous.errors.contains("  us  https://twin.example"))
        #expect(try await api.run(["get", "twin", "--region", "us"]).code == 0)
        let missing = try await api.run(["get", "TWIN"])
        #expect(missing.code == 2 && missing.errors.contains("did you mean twin?"))
    }

    /// An é in one character or in two: for Unicode the same name.
    @Test func ofNamesThatOnlyTheirSpellingTellsApartTheOneThatWasTypedIsMeant() async throws {
        let api = try await API()
        let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}")
        try await api.create(composed, host: "one")
        #expect(try await api.run(["get", decomposed]).output.contains("https://one.example"))
        try await api.create(decomposed, host: "two")
        #expect(try await api.run(["get", decomposed]).output.contains("https://two.example"))
        #expect(try await api.run(["get", composed]).output.contains("https://one.example"))
    }

    @Test func whatCantBeSaysWhyAndWhatToDo() async throws {
        let api = try await API()
        try await api.create("one")
        let moved = try await api.run(["update", "one", "--region", "us"])
        #expect(moved.code == 2 && moved.errors.contains("The region of a target can't be changed. To move it, create one"))
        let nothing = try await api.run(["update", "one"])
        #expect(nothing.code == 2 && nothing.errors.contains("Nothing to change"))
        try api.folder.write("wrong\n", to: "token")
        let refused = try await api.run(["list"])
        #expect(refused.code == 69 && refused.errors.contains("401") && refused.errors.contains("Try the client's own token"))
        let unusable = try await Program.run(["targets", "list", "--api", api.url])
        #expect(unusable.code == 2 && unusable.errors.contains("--client"))
    }

    @Test func theListIsFilteredAndSorted() async throws {
        let api = try await API()
        for (name, region) in [("b", "us"), ("a", "us"), ("c", "eu")] { try await api.create(name, region: region) }
        #expect(try await api.list().map { $0[0] } == ["a", "b", "c"])
        #expect(try await api.list(["--sort", "region"]).map { $0[0] } == ["c", "a", "b"])
        #expect(try await api.list(["--region", "u*", "--name", "b"]).map { $0[0] } == ["b"])
        #expect(try await api.list(["--effect", "deny"]).isEmpty)
        let table = try await api.run(["list"]).output
        #expect(table.contains("TARGET") && table.hasSuffix("\n3 targets\n"), "\(table)")
    }

    @Test func applyMakesItSoOnceAndExportWritesWhatApplyTakes() async throws {
        let api = try await API()
        for name in ["keep", "change", "gone"] { try await api.create(name) }
        let file = try api.folder.write(
            """
            targets:
              - {name: keep, region: eu, base_url: "https://keep.example", test_path: /}
              - {name: change, region: eu, base_url: "https://change.example", test_path: /new}
              - {name: new, region: us, base_url: "https://new.example", test_path: /, rule_effect: deny}
            """, to: "targets.yaml")
        let dry = try await api.run(["apply", "-f", file, "--prune", "--dry-run"])
        #expect(dry.code == 1)
        #expect(
            dry.output.contains("+ new (us)  https://new.example/\n~ change (eu)\n    test_path: / → /new\n- gone (eu)"),
            "\(dry.output)")
        #expect(dry.output.hasSuffix("1 to create, 1 to change, 1 to delete, 1 as declared\n"))
        #expect(try await api.list().count == 3)
        #expect(try await api.run(["apply", "-f", file, "--prune"]).code == 2)
        let applied = try await api.run(["apply", "-f", file, "--prune", "--yes"])
        #expect(applied.code == 0 && applied.errors.contains("3 of 3 done"), "\(applied.errors)")
        let again = try await api.run(["apply", "-f", file, "--prune", "--yes"])
        #expect(again.code == 0 && again.output == "0 to create, 0 to change, 0 to delete, 3 as declared\n")
        let exported = try api.folder.write(try await api.run(["export"]).output, to: "exported.yaml")
        #expect(
            try await api.run(["apply", "-f", exported, "--prune"]).output.hasPrefix(
                "0 to create, 0 to change, 0 to delete, 3 as"))
        let wrong = try api.folder.write("targets:\n  - {nam: x}\n", to: "wrong.yaml")
        let refused = try await api.run(["apply", "-f", wrong])
        #expect(refused.code == 1 && refused.errors.contains("wrong.yaml:2:6: unknown key 'nam'"), "\(refused.errors)")
    }

    @Test func manyAreCreatedAndARunThatWasInterruptedIsFinishedByAnother() async throws {
        let api = try await API()
        let entries = (0..<1500).map { "  - {name: t\($0), region: eu, base_url: \"https://h\($0).example\", test_path: /}" }
        let file = try api.folder.write("targets:\n" + entries.joined(separator: "\n") + "\n", to: "many.yaml")
        let first = try RunningProgram([
            "targets", "apply", "--api", api.url, "--client", "c", "--token-file", api.server.tokenFile, "-f", file,
        ])
        while try await api.list().count < 100 { try Task.checkCancellation() }
        first.send(SIGKILL)
        _ = await first.ended()
        let second = try await api.run(["apply", "-f", file])
        #expect(second.code == 0, "\(second.errors)")
        #expect(try await api.list().count == 1500)
    }
}
