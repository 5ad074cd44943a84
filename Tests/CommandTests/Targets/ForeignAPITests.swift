import Foundation
import Glibc
import TestSupport
import Testing

/// The commands on targets against an API that isn't ours: it breaks off, refuses, and lists what can't be read.
@Suite(.timeLimit(.minutes(5))) struct ForeignAPITests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try folder.write("t0ken\n", to: "token")
    }

    private func targets(_ command: String, _ api: LoopbackServer, _ more: [String] = []) async throws -> Program.Ended {
        try await Program.run(
            ["targets", command, "--api", api.url, "--client", documentedClient, "--token-file", folder.file("token")] + more)
    }

    private func declaring(_ names: [String]) throws -> String {
        let entries = names.map { "  - {name: \($0), region: us-east-1, base_url: \"https://x.example\", test_path: /}" }
        return try folder.write("targets:\n" + entries.joined(separator: "\n") + "\n", to: "targets.yaml")
    }

    @Test func aCreateWhoseAnswerWasLostIsLookedForAndNotDoneTwice() async throws {
        let there = Watched<[String]>([])
        let api = try LoopbackServer { request in
            guard request.method == "POST" else {
                return list(there.value.map { record("tgt_\($0)", name: $0, url: "https://x.example") })
            }
            there.change { $0.append("n\($0.count)") }
            return .reset
        }
        let ended = try await targets("apply", api, ["-f", try declaring(["n0"]), "--json"])
        #expect(ended.code == 0, "\(ended.errors)")
        #expect(ended.output.contains(#""state":"done""#))
        #expect(api.requests.filter { $0.method == "POST" }.count == 1)
        #expect(api.requests.first { $0.method == "POST" }?.headers["idempotency-key"]?.isEmpty == false)
        let lost = try await targets(
            "create", api, ["--name", "a", "--base-url", "https://a", "--test-path", "/", "--region", "r"])
        #expect(lost.code == 69 && lost.errors.contains("It may have been done all the same"), "\(lost.errors)")
    }

    @Test func anAPIThatLetsNothingBeChangedIsAskedOnce() async throws {
        let api = try LoopbackServer { request in
            request.method == "POST" ? .http(403, body: #"{"message":"read only"}"#) : list([])
        }
        let ended = try await targets("apply", api, ["-f", try declaring((0..<100).map { "n\($0)" })])
        #expect(ended.code == 1)
        // As many as were on their way at once.
        #expect(api.requests.filter { $0.method == "POST" }.count <= 16)
        #expect(ended.errors.contains("not tried\n") && ended.errors.contains("read only"), "\(ended.errors)")
    }

    @Test func whatCantBeReadOfTheListIsNeitherTouchedNorLeftOutInSilence() async throws {
        let odd = record("tgt_1", name: "odd", url: "https://x.example").replacingOccurrences(of: "\"allow\"", with: "7")
        let twins = ["a", "b"].map { record($0, name: "twin", url: "https://x.example") }
        let api = try LoopbackServer { request in request.method == "GET" ? list([odd] + twins) : .http(500) }
        let applied = try await targets("apply", api, ["-f", try declaring(["odd"])])
        #expect(applied.code == 1 && applied.output.contains("! odd (us-east-1)  a record of this name can't be read"))
        let json = try await targets("apply", api, ["-f", try declaring(["odd", "twin"]), "--json"])
        #expect(json.output.components(separatedBy: #""state":"refused""#).count == 3)
        let exported = try await targets("export", api)
        #expect(exported.code == 1 && exported.errors.contains("twin is there more than once in us-east-1"))
        #expect(exported.errors.contains("rejected record 0 tgt_1 (odd)"))
    }

    @Test(arguments: [
        (302, "Location: https://elsewhere.example/\r\n", "See whether the API's address is right"),
        (404, "", "See whether the API's address and the client's id are right"),
        (429, "Retry-After: 3600\r\n", "asked less often: wait 3600 s"),
    ])
    func aRefusalSaysWhatToTry(status: Int, header: String, words: String) async throws {
        let api = try LoopbackServer { _ in
            .raw("HTTP/1.1 \(status) X\r\n\(header)Content-Length: 2\r\nConnection: close\r\n\r\n{}")
        }
        let ended = try await targets("list", api)
        #expect(ended.errors.contains(words), "\(ended.errors)")
        #expect(ended.code == (status == 404 ? 1 : 69))
    }

    @Test func aListThatFailedChangedNothing() async throws {
        let api = try LoopbackServer { _ in .raw("HTTP/1.1 501 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n") }
        let ended = try await targets("delete", api, ["n", "--yes"])
        #expect(ended.code == 69 && ended.errors.contains("Nothing was changed"), "\(ended.errors)")
    }

    @Test func secretsOfAURLStayHiddenAndADatabaseThatIsNotThereIsSaid() async throws {
        let api = try LoopbackServer { _ in
            list([record("k", name: "n", url: "https://u:hunter2@x.example", path: "/?k=hunter2")])
        }
        let got = try await targets("get", api, ["n"])
        #expect(got.code == 0 && !got.output.contains("hunter2"), "\(got.output)")
        let missing = try await targets("list", api, ["--database", folder.file("nothing.db")])
        #expect(missing.code == 69 && missing.errors.contains("nothing.db"), "\(missing.errors)")
        let none = try await targets("list", api, ["--name", "other"])
        #expect(none.output == "The only target does not match.\n")
    }

    @Test func onlyWhatNoShellTakesForMoreThanAWordIsOffered() async throws {
        let names = [
            "Plain", "P$(touch \(folder.file("pwned")))", "P`touch \(folder.file("pwned"))`", "P\u{202E}x", "Pä-1", "P:x",
        ]
        let api = try LoopbackServer { _ in
            list(names.enumerated().map { record("Pid\($0)", name: $1, url: "https://x.example") })
        }
        let file = try folder.write(
            """
            listen: 127.0.0.1:0
            targets_api: {base_url: "\(api.url)", clients: [{id: c, token_file: token}]}
            history: {path: "\(folder.file("history.db"))"}
            probe: {enabled: false}
            """, to: "rangefinder.yaml")
        let daemon = try RunningProgram(["run", "--config", file])
        #expect(try await daemon.errors.until("info probing"))
        #expect(try await daemon.errors.until("added=6"))
        daemon.send(SIGTERM)
        _ = await daemon.ended()
        let script = try folder.write(
            try await Program.run(["--generate-completion-script", "bash"]).output
                + """

                rangefinder() { "\(Program.path)" "$@"; }
                COMP_WORDS=(rangefinder targets get --config "\(file)" P) COMP_CWORD=5 COMP_LINE="${COMP_WORDS[*]}" COMP_POINT=${#COMP_LINE}
                _rangefinder rangefinder P "\(file)"
                printf '%s\\n' "${COMPREPLY[@]}"
                """, to: "complete.sh")
        let ended = try await onThread { try ChildProcess.run("bash", [script]) }
        let offered = ended.output.split(separator: "\n").map(String.init).sorted()
        #expect(offered == ["Pid1", "Pid2", "Pid3", "Pid5", "Plain", "Pä-1"], "\(ended.output)")
        #expect(access(folder.file("pwned"), F_OK) != 0)
    }
}
