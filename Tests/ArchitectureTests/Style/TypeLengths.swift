/// How long the types of some Swift files are, in lines: a type's declaration and all its extensions together.
///
/// A type that is cut into files by extensions is still one type that knows too much. A nested type counts where it stands; an extension of
/// a nested type (`extension Outer.Inner`) counts for the nested type alone.
struct TypeLengths {
    static let longestType = 400

    private(set) var lines: [String: Int] = [:]

    mutating func add(_ source: String) {
        let text = SwiftText(source).lines
        var index = 0
        while index < text.count {
            guard let name = Self.typeName(declaredIn: text[index]), let end = Self.closingLine(of: text, from: index) else {
                index += 1
                continue
            }
            lines[name, default: 0] += end - index + 1
            index = end + 1
        }
    }

    /// The types that are too long, as `NAME: LINES`.
    var violations: [String] {
        lines.filter { $0.value > Self.longestType }.map { "\($0.key): \($0.value) lines" }.sorted()
    }

    /// The name of the type that a line at the outermost level declares or extends; nil of every other line.
    private static func typeName(declaredIn line: Substring) -> String? {
        guard let first = line.first, first.isLetter || first == "@" else { return nil }
        let words = line.split { $0 == " " || $0 == "{" || $0 == ":" || $0 == "<" }
        guard let keyword = words.firstIndex(where: { keywords.contains(String($0)) }), keyword + 1 < words.count else {
            return nil
        }
        let isDeclaration = words[..<keyword].allSatisfy { modifiers.contains(String($0)) || $0.hasPrefix("@") }
        return isDeclaration ? String(words[keyword + 1]) : nil
    }

    private static let keywords: Set<String> = ["struct", "class", "enum", "actor", "protocol", "extension"]
    private static let modifiers: Set<String> = ["package", "public", "internal", "private", "fileprivate", "final", "indirect"]

    private static func closingLine(of lines: [Substring], from start: Int) -> Int? {
        var (depth, hasOpened) = (0, false)
        for index in start..<lines.count {
            for character in lines[index] {
                if character == "{" { (depth, hasOpened) = (depth + 1, true) }
                if character == "}" { depth -= 1 }
                if hasOpened, depth == 0 { return index }
            }
        }
        return nil
    }
}
