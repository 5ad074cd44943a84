/// The code of a Swift file, without its comments and without what stands in its string literals.
///
/// Everything that is taken out becomes spaces, so that lines and columns stay where they were. Interpolations are code and stay.
struct SwiftText {
    let code: String

    init(_ source: String) {
        var stripper = Stripper(source)
        code = stripper.strip()
    }

    var lines: [Substring] { code.split(separator: "\n", omittingEmptySubsequences: false) }
}

private struct Stripper {
    private let source: [Character]
    private var position = 0
    private var code = ""

    init(_ source: String) { self.source = Array(source) }

    mutating func strip() -> String {
        stripCode(untilClosingParenthesis: false)
        return code
    }

    private func isAt(_ text: String, from index: Int) -> Bool {
        let characters = Array(text)
        return index + characters.count <= source.count && Array(source[index..<index + characters.count]) == characters
    }

    private mutating func keep(_ count: Int = 1) {
        code.append(contentsOf: source[position..<min(position + count, source.count)])
        position += count
    }

    private mutating func blank(_ count: Int = 1) {
        for character in source[position..<min(position + count, source.count)] {
            code.append(character == "\n" ? "\n" : " ")
        }
        position += count
    }

    private mutating func stripCode(untilClosingParenthesis isInterpolation: Bool) {
        var depth = 0
        while position < source.count {
            if isAt("//", from: position) {
                while position < source.count, source[position] != "\n" { blank() }
            } else if isAt("/*", from: position) {
                stripBlockComment()
            } else if let hashes = hashesOfLiteral() {
                stripLiteral(hashes: hashes)
            } else {
                if source[position] == "(" { depth += 1 }
                if source[position] == ")" { depth -= 1 }
                if isInterpolation, depth < 0 { return }
                keep()
            }
        }
    }

    private mutating func stripBlockComment() {
        var depth = 0
        repeat {
            if isAt("/*", from: position) {
                depth += 1
                blank(2)
            } else if isAt("*/", from: position) {
                depth -= 1
                blank(2)
            } else {
                blank()
            }
        } while depth > 0 && position < source.count
    }

    /// How many `#` stand before the quote of a literal that begins here; nil when none begins here.
    private func hashesOfLiteral() -> Int? {
        var index = position
        while index < source.count, source[index] == "#" { index += 1 }
        return index < source.count && source[index] == "\"" ? index - position : nil
    }

    private mutating func stripLiteral(hashes: Int) {
        let fence = String(repeating: "#", count: hashes)
        let quote = isAt("\"\"\"", from: position + hashes) ? "\"\"\"" : "\""
        let (end, escape) = (quote + fence, "\\" + fence)
        keep(hashes + quote.count)
        while position < source.count, !isAt(end, from: position) {
            if isAt(escape + "(", from: position) {
                blank(escape.count)
                keep()
                stripCode(untilClosingParenthesis: true)
                keep()
            } else if isAt(escape, from: position) {
                blank(escape.count + 1)
            } else {
                blank()
            }
        }
        keep(end.count)
    }
}
