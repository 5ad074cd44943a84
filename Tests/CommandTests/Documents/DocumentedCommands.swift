import Foundation
import TestSupport

/// A command that a document shows, in a block of shell or in the middle of a sentence.
struct DocumentedCommand: CustomStringConvertible {
    /// From the root of the repository.
    let file: String
    /// All lines of a command that goes over several, as a heredoc does.
    let text: String
    /// In a sentence `rangefinder sync` may stand for what it does, without all that it wants.
    let isInSentence: Bool

    var description: String { "\(file): \(text)" }

    /// The program that is started, without what stands before it to start it elsewhere or as somebody else.
    var program: String {
        let words = text.split(separator: " ").drop { $0 == "sudo" || $0.contains("=") || $0.hasPrefix("(") }
        return words.first.map(String.init) ?? ""
    }
}

/// The documents of the repository, and what they show.
struct Documents {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    /// Those for people: at the root, in docs and in config. The reference of the command line is made from the program, and has its own test.
    static func paths() throws -> [String] {
        let folders = ["docs", "config", "packaging/debian"].flatMap { folder in
            (FileManager.default.enumerator(atPath: root.appendingPathComponent(folder).path)?.allObjects ?? [])
                .compactMap { $0 as? String }.map { "\(folder)/\($0)" }
        }
        let top = try FileManager.default.contentsOfDirectory(atPath: root.path)
        return (top + folders).filter { ($0.hasSuffix(".md") || $0.hasSuffix(".Debian")) && $0 != "docs/cli.md" }.sorted()
    }

    /// In the order in which they stand.
    static func commands(in path: String) throws -> [DocumentedCommand] {
        var commands: [DocumentedCommand] = []
        var block: [String]?
        var isShell = false
        for line in try text(path).split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.hasPrefix("```") {
                if isShell, let block { commands += joined(block).map { .init(file: path, text: $0, isInSentence: false) } }
                (block, isShell) = block == nil ? ([], line == "```sh") : (nil, false)
            } else if block != nil {
                block?.append(line)
            } else {
                commands += line.matches(of: /`(rangefinder [^`]+)`/).map {
                    .init(file: path, text: String($0.1), isInSentence: true)
                }
            }
        }
        return commands
    }

    /// A backslash at the end of a line and a heredoc go on in the next. Comments are for the reader.
    private static func joined(_ lines: [String]) -> [String] {
        var commands: [String] = []
        var (rest, end) = ("", nil as String?)
        for line in lines {
            rest += rest.isEmpty ? line : "\n" + line
            if let mark = end {
                if line == mark { end = nil }
            } else if line.contains("<<'END'") {
                end = "END"
            }
            guard end == nil, !line.hasSuffix("\\") else { continue }
            let command = rest.contains("\n") ? rest : rest.replacing(/\s+#\s.*$/, with: "")
            if !command.allSatisfy(\.isWhitespace) { commands.append(command) }
            rest = ""
        }
        return commands
    }
}
