import Foundation
import TestSupport

/// The commands that the program has, by its own definitions: a new one is in them as soon as there is one.
struct CommandLine {
    struct Command {
        /// As in `targets export`.
        var name: String
        /// Without their dashes.
        var options: Set<String>
    }

    /// Those that do something, which of a group are its members.
    let commands: [Command]

    init() async throws {
        let dumped = try await Program.run(["--experimental-dump-help"])
        let document = try JSONSerialization.jsonObject(with: Data(dumped.output.utf8)) as? [String: Any]
        guard let root = document?["command"] as? [String: Any] else { throw SupportError(dumped.output + dumped.errors) }
        commands = Self.leaves(of: root, path: [])
    }

    private static func leaves(of command: [String: Any], path: [String]) -> [Command] {
        let inner = (command["subcommands"] as? [[String: Any]] ?? []).filter { $0["commandName"] as? String != "help" }
        guard inner.isEmpty else {
            return inner.flatMap { leaves(of: $0, path: path + [$0["commandName"] as? String ?? ""]) }
        }
        let arguments = command["arguments"] as? [[String: Any]] ?? []
        let names = arguments.flatMap { $0["names"] as? [[String: Any]] ?? [] }.compactMap { $0["name"] as? String }
        return [Command(name: path.joined(separator: " "), options: Set(names))]
    }
}

extension Program {
    /// Runs to the end with its standard output where `shell` leads it: the tail of a line of bash, as in `>/dev/full`.
    static func run(_ arguments: [String], output shell: String, before: String = "") async throws -> Ended {
        let script = "\(before)\nexec \"$0\" \"$@\" \(shell)"
        let ended = try await onThread {
            try ChildProcess.run("bash", ["-c", script, Program.path] + arguments, errors: .apart)
        }
        return Ended(code: ended.status, output: ended.output, errors: ended.errors)
    }
}
