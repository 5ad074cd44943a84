import Foundation

/// The keys of the example file, also those that stand in a comment.
struct ExampleFile {
    struct Key {
        var value: String
        var isComment: Bool
        /// The line, with the lines around it up to the keys before and after.
        var surroundings: String
    }

    /// By their dotted paths.
    private(set) var keys: [String: Key] = [:]

    init(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        var above: [(name: Substring, indent: Int)] = []
        var isInCommentedSection = false
        var sinceLastKey: [Substring] = []
        var last: String?
        for line in lines {
            isInCommentedSection = line == "# targets_server:" || isInCommentedSection && line.hasPrefix("#")
            sinceLastKey.append(line)
            if let last { keys[last]?.surroundings += "\n\(line)" }
            guard let found = Self.key(in: isInCommentedSection ? line.dropFirst(2) : line) else { continue }
            above.removeAll { $0.indent >= found.indent }
            above.append((found.name, found.indent))
            let path = above.map(\.name).joined(separator: ".")
            keys[path] = Key(
                value: found.value, isComment: found.isComment || isInCommentedSection,
                surroundings: sinceLastKey.joined(separator: "\n"))
            (last, sinceLastKey) = (path, [])
        }
    }

    /// Whether the comments around the nearest key above `path` name its last part. What a `match` holds is explained once.
    func mentions(_ path: String) -> Bool {
        var names = path.split(separator: ".")
        guard let name = names.popLast() else { return false }
        if names.last == "match" { names = ["overrides"] }
        while !names.isEmpty {
            if let key = keys[names.joined(separator: ".")] {
                return key.surroundings.split { !$0.isLetter && $0 != "_" && $0 != ":" }.contains("\(name):")
            }
            names.removeLast()
        }
        return false
    }

    /// `name: value  # comment`, with blanks before it, and behind the blanks a `# `.
    private static func key(in line: Substring) -> (name: Substring, indent: Int, value: String, isComment: Bool)? {
        let indent = line.prefix { $0 == " " }.count
        var rest = line.dropFirst(indent)
        let isComment = indent > 0 && rest.hasPrefix("# ")
        if isComment { rest = rest.dropFirst(2) }
        let name = rest.prefix { $0.isLowercase || $0 == "_" }
        rest = rest.dropFirst(name.count)
        guard !name.isEmpty, rest == ":" || rest.hasPrefix(": ") else { return nil }
        let text = rest.dropFirst().split(separator: " #", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
        let value = text.trimmingCharacters(in: .whitespaces)
        // A sentence of a comment may begin a line with a key and its value.
        return isComment && value.contains(" ") ? nil : (name, indent, value, isComment)
    }
}
