import Foundation
import Glibc

/// The programs that scripts and tests may start, with the Debian packages that have them: the table `scripts/lib/programs`.
///
/// A test that starts another program would pass where somebody happened to have installed it, and fail on a fresh machine.
package enum KnownPrograms {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The package of each program. Empty when the table can't be read: then no program is known.
    package static let packages: [String: String] = {
        let text = (try? String(contentsOf: root.appending(path: "scripts/lib/programs"), encoding: .utf8)) ?? ""
        let rows = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { $0.split(separator: " ").map(String.init) }
        return Dictionary(rows.filter { $0.count == 2 }.map { ($0[0], $0[1]) }) { first, _ in first }
    }()

    /// Throws for a program that isn't in the table, and for one that a shell, `env` or `nsenter` would start for it.
    static func check(_ program: String, _ arguments: [String]) throws {
        for name in started(by: program, arguments) where packages[name] == nil {
            throw SupportError(
                "A test starts \"\(name)\", which is not in scripts/lib/programs. "
                    + "Add it there, and its Debian package to a list of scripts/lib/common.sh.")
        }
    }

    /// The names of the system's programs that this command starts, as far as its words say. Programs of this repository and of a test's own
    /// folder are no programs of the system.
    private static func started(by program: String, _ arguments: [String]) -> [String] {
        let name = String(program.split(separator: "/").last ?? "")
        guard !program.hasPrefix("/") || systemFolders.contains(where: { program == "\($0)/\(name)" }) else { return [] }
        switch name {
        case "env", "stdbuf":
            let rest = arguments.drop { $0.hasPrefix("-") || $0.contains("=") }
            return [name] + (rest.first.map { started(by: $0, Array(rest.dropFirst())) } ?? [])
        case "bash", "sh":
            guard let option = arguments.firstIndex(of: "-c"), option + 1 < arguments.count else { return [name] }
            return [name] + commands(in: arguments[option + 1]).subtracting(builtins).filter(isProgram)
        default: return [name]
        }
    }

    /// The words of a shell's text that stand where a command does: at the start of a line, after a pipe, `&&`, `;`, `$(` and the like. A word
    /// in a quoted text may be taken for one.
    package static func commands(in text: String) -> Set<String> {
        var commands: Set<String> = []
        let separators: Set<Character> = ["|", "&", ";", "(", "{", "!", "`"]
        let introductions: Set<Substring> = [
            "if", "then", "else", "elif", "do", "while", "until", "exec", "quietly", "timeout", "sudo", "nice",
        ]
        for line in text.split(separator: "\n") where line.first(where: { $0 != " " }) != "#" {
            for piece in line.split(whereSeparator: separators.contains) {
                var words = piece.split(separator: " ")[...]
                while let word = words.first, introductions.contains(word) || word.contains("=") { words = words.dropFirst() }
                if let word = words.first { commands.insert(word.trimmingCharacters(in: CharacterSet(charactersIn: "\"'<>"))) }
            }
        }
        return commands
    }

    /// Whether this machine has a program of that name where the system keeps programs.
    package static func isProgram(_ name: String) -> Bool {
        guard !name.isEmpty, !name.hasPrefix("."), !name.contains("/") else { return false }
        return systemFolders.contains { access("\($0)/\(name)", X_OK) == 0 }
    }

    /// What a shell does itself, although there are programs of these names, too.
    package static let builtins: Set<String> = ["[", "echo", "false", "kill", "printf", "pwd", "test", "time", "true"]

    private static let systemFolders = ["/usr/bin", "/usr/sbin", "/bin", "/sbin"]
}
