import Foundation
import TestSupport
import Testing

/// What bash offers behind a part of a command line.
@Suite(.timeLimit(.minutes(5))) struct CompletionTests {
    private func offered(_ words: [String], in folder: TemporaryFolder) async throws -> Set<String> {
        let script = try await Program.run(["--generate-completion-script", "bash"]).output
        let quoted = (["rangefinder"] + words).map { "'\($0)'" }.joined(separator: " ")
        let previous = words.dropLast().last ?? "rangefinder"
        let file = try folder.write(
            script + """

                rangefinder() { "\(Program.path)" "$@"; }
                COMP_WORDS=(\(quoted)) COMP_CWORD=\(words.count) COMP_LINE="${COMP_WORDS[*]}" COMP_POINT=${#COMP_LINE}
                _rangefinder rangefinder '\(words.last ?? "")' '\(previous)'
                printf '%s\\n' "${COMPREPLY[@]}"
                """, to: "complete.sh")
        let ended = try await onThread { try ChildProcess.run("bash", [file], in: folder.path) }
        return Set(ended.output.split(separator: "\n").map(String.init))
    }

    @Test func namesOfTargetsAreOfferedWhereOneIsWanted() async throws {
        let watched = try await WatchedSite()
        let options = [["--config", watched.configuration], ["--database", watched.database]]
        for option in options {
            for command in [["history"], ["history", "show"], ["incidents"], ["replay"], ["probe"], ["targets", "get"]] {
                guard option[0] == "--config" || !["probe", "targets"].contains(command[0]) else { continue }
                let last = ["history", "targets"].contains(command[0]) ? ["g"] : ["--target", "g"]
                #expect(try await offered(command + option + last, in: watched.folder) == ["good"], "\(command) \(option)")
            }
        }
    }

    @Test func filesAreOfferedWhereOneIsWanted() async throws {
        let folder = try TemporaryFolder()
        try folder.write("", to: "my-file.yaml")
        for words in [
            ["run", "--config"], ["check-config", "--config"], ["probe", "--config"], ["status", "--config"],
            ["status", "--database"],
            ["history", "--config"], ["history", "backup"], ["incidents", "--database"], ["replay", "--config"],
            ["doctor", "--config"],
            ["targets", "apply", "-f"], ["targets", "apply", "--file"], ["targets", "--config"],
            ["targets", "list", "--token-file"],
            ["targets-server", "--token-file"],
        ] {
            #expect(try await offered(words + ["my"], in: folder).contains("my-file.yaml"), "\(words)")
        }
    }
}
