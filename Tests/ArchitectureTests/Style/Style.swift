/// What the project asks of its Swift files beyond what the formatter checks.
enum Style {
    static let longestFile = 400
    static let longestFunction = 60
    static let fullestFolder = 12

    /// What is wrong with a file, as `LINE: what`. `isTest` adds what only tests may not do.
    static func violations(in source: String, isTest: Bool) -> [String] {
        let text = SwiftText(source)
        var found: [String] = []
        // The last element is what follows the final newline.
        if text.lines.count - 1 > longestFile { found.append("\(text.lines.count - 1): longer than \(longestFile) lines") }
        for (index, line) in text.lines.enumerated() {
            let what = forbiddenEverywhere(line) + (isTest ? forbiddenInTests(line) : [])
            found += what.map { "\(index + 1): \($0)" }
        }
        return found + longFunctions(in: text)
    }

    private static func forbiddenEverywhere(_ line: Substring) -> [String] {
        var found: [String] = []
        for word in ["try!", "as!"] where line.contains(word) { found.append(word) }
        if line.contains("fatalError(") { found.append("fatalError") }
        if found.isEmpty, hasPostfixExclamationMark(line) { found.append("force unwrap") }
        return found
    }

    /// A postfix `!` unwraps; a prefix one negates, and `!=` compares.
    private static func hasPostfixExclamationMark(_ line: Substring) -> Bool {
        let characters = Array(line)
        return characters.indices.dropFirst().contains { index in
            guard characters[index] == "!" else { return false }
            let before = characters[index - 1]
            let isPostfix = before.isLetter || before.isNumber || "_)]}\"`>?".contains(before)
            let isComparison = index + 1 < characters.count && characters[index + 1] == "="
            return isPostfix && !isComparison
        }
    }

    /// A test that waits for a time instead of an event is slow where it is right, and wrong where the machine is slow.
    private static func forbiddenInTests(_ line: Substring) -> [String] {
        let sleeps = ["Task.sleep", "Thread.sleep", "usleep(", "nanosleep(", "Clock().sleep", " sleep("]
        let padded = " " + line
        return sleeps.contains { padded.contains($0) } && !line.contains("func sleep(") ? ["sleeps"] : []
    }

    private static func longFunctions(in text: SwiftText) -> [String] {
        let lines = text.lines
        return lines.indices.compactMap { start in
            guard opensFunction(lines[start]), let end = closingLine(of: lines, from: start) else { return nil }
            let length = end - start + 1
            return length > longestFunction ? "\(start + 1): a function of \(length) lines" : nil
        }
    }

    private static func opensFunction(_ line: Substring) -> Bool {
        let words = line.split { !($0.isLetter || $0.isNumber || $0 == "_") }
        return words.contains("func") || words.contains("deinit") || (line.contains("init(") && !line.contains(".init("))
    }

    /// Where the first brace that opens at or after `start` closes again; nil when the declaration has no body of its own.
    private static func closingLine(of lines: [Substring], from start: Int) -> Int? {
        var depth = 0
        var hasOpened = false
        for index in start..<lines.count {
            if !hasOpened, index > start, opensFunction(lines[index]) { return nil }
            for character in lines[index] {
                if character == "{" { (depth, hasOpened) = (depth + 1, true) }
                if character == "}" { depth -= 1 }
                if depth < 0 { return nil }
                if hasOpened, depth == 0 { return index }
            }
        }
        return nil
    }
}

/// Paths that exist on one person's machine have no place in a repository that strangers clone.
func machinePaths(in text: String) -> [String] {
    // Put together here, so that this file doesn't accuse itself.
    let roots = ["home", "root", "Users", "work"].map { "/\($0)/" }
    let before: Set<Character> = [" ", "\t", "\n", "\"", "'", "`", "(", "=", ":", "[", ","]
    return roots.filter { root in
        text.ranges(of: root).contains { range in
            range.lowerBound == text.startIndex || before.contains(text[text.index(before: range.lowerBound)])
        }
    }
}
