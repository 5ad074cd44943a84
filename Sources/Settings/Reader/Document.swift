import Yams

/// The only type that knows Yams: bytes to values, with every duplicate key reported and nothing that can explode.
struct Document {
    /// Deeper than any setting is.
    private static let nestingLimit = 16
    /// The text is parsed once more for each duplicate key, so there must be an end: so many keys, and so many scalars in all.
    private static let duplicateLimit = 20
    private static let rereadLimit = 4 << 20

    private var text: SourceText
    private let diagnostics: Diagnostics

    /// Nil when there is no tree to read, which has been reported. An empty file is null.
    static func read(_ bytes: [UInt8], limit: Int = Settings.fileLimit, diagnostics: Diagnostics) -> Value? {
        guard bytes.count <= limit else {
            diagnostics.error("the file is longer than \(limit >> 20)MiB", at: .start)
            return nil
        }
        guard let text = SourceText(bytes, diagnostics: diagnostics) else { return nil }
        var document = Document(text: text, diagnostics: diagnostics)
        return document.compose()
    }

    private mutating func compose() -> Value? {
        var duplicates: [SourceLocation] = []
        while duplicates.count <= Self.duplicateLimit, duplicates.count * text.scalars.count <= Self.rereadLimit {
            do {
                guard let node = try Yams.compose(yaml: text.string, .default, .default, .utf8) else {
                    return Value(location: .start, label: "the file", content: .null)
                }
                return value(node, label: "the file", depth: 0)
            } catch YamlError.duplicatedKeysInMapping(_, let context) {
                duplicates.append(SourceLocation(context.mark))
                guard text.makeUnique(keyAt: SourceLocation(context.mark)) else { break }
            } catch let error as YamlError {
                report(error)
                return nil
            } catch {
                diagnostics.error("the file is not YAML", at: .start)
                return nil
            }
        }
        for location in duplicates { diagnostics.error("this key is in its mapping again further down", at: location) }
        return nil
    }

    private func report(_ error: YamlError) {
        switch error {
        case .scanner(_, let problem, let mark, _) where problem.contains("nesting level"),
            .parser(_, let problem, let mark, _) where problem.contains("nesting level"):
            diagnostics.error("nested too deeply", at: SourceLocation(mark))
        case .scanner(let context, let problem, let mark, _)
        where sentence(problem, context?.text, at: SourceLocation(mark)) != nil:
            diagnostics.error(sentence(problem, context?.text, at: SourceLocation(mark)) ?? "", at: SourceLocation(mark))
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
            // libyaml says what it was doing ("while parsing a block mapping") and where that had begun.
            let doing = context.map { " (\($0.text) that began on line \($0.mark.line))" } ?? ""
            let anchor = holdsAnchor(upTo: SourceLocation(mark)) ? "; anchors (&name) are not supported" : ""
            diagnostics.error("not YAML: \(problem)\(doing)\(anchor)", at: SourceLocation(mark))
        case .composer(_, let problem, let mark, _) where problem.contains("alias"):
            diagnostics.error(
                "aliases (*name) are not supported; a text that begins with '*' needs quotes", at: SourceLocation(mark))
        case .composer(_, _, let mark, _):
            diagnostics.error("a second document begins here; the file must hold one", at: SourceLocation(mark))
        default:
            diagnostics.error("not YAML", at: .start)
        }
    }

    /// In our words, what people do wrong most; nil for the rest.
    private func sentence(_ problem: String, _ doing: String?, at location: SourceLocation) -> String? {
        let character = text.index(of: location).map { text.scalars[$0] }
        let cannotStart = problem.contains("cannot start any token")
        if problem.contains("a tab character") || cannotStart && character == "\t" {
            return "a tab stands here; indent with blanks, YAML takes no tabs for that"
        }
        if doing?.contains("alias") == true {
            return "a text that begins with '*' needs quotes, as in \"*\"; without them it is an alias, which is not supported"
        }
        if cannotStart, let character {
            return "a text can't begin with \(shown(String(character))) here; put it into quotes"
        }
        return nil
    }

    private func holdsAnchor(upTo location: SourceLocation) -> Bool {
        let end = text.index(of: location) ?? text.scalars.count
        return text.startsWithAnchor(
            text.scalars[..<end].last { SourceText.standIns.contains($0) }.map(String.init) ?? "")
    }

    private func value(_ node: Node, label: String, depth: Int) -> Value {
        let location = node.mark.map(SourceLocation.init) ?? .start
        var value = Value(location: location, label: label, content: .null)
        guard depth <= Self.nestingLimit else {
            diagnostics.error("nested too deeply", at: location)
            return value
        }
        switch node {
        case .scalar(let scalar): value.content = content(of: scalar, at: location)
        case .sequence(let sequence):
            value.content = .list(sequence.map { self.value($0, label: "an entry of \(label)", depth: depth + 1) })
        case .mapping(let mapping): value.content = .mapping(entries(of: mapping, depth: depth))
        case .alias: diagnostics.error("aliases (*name) are not supported", at: location)
        }
        return value
    }

    private func content(of scalar: Node.Scalar, at location: SourceLocation) -> Value.Content {
        let isPlain = scalar.style == .plain || scalar.style == .any
        if isPlain && text.startsWithAnchor(scalar.string) {
            diagnostics.error("anchors (&name) are not supported; a text that begins with '&' needs quotes", at: location)
        }
        if !scalar.tag.rawValue.isEmpty && (isPlain || scalar.tag.rawValue != "tag:yaml.org,2002:str") {
            diagnostics.error("tags (!name) are not supported", at: location)
        }
        let string = text.restored(scalar.string)
        guard isPlain else { return .quoted(string) }
        return ["", "~", "null", "Null", "NULL"].contains(string) ? .null : .plain(string)
    }

    private func entries(of mapping: Node.Mapping, depth: Int) -> [Value.Entry] {
        var entries: [Value.Entry] = []
        var firstLocations: [String: SourceLocation] = [:]
        for (key, node) in mapping {
            let location = key.mark.map(SourceLocation.init) ?? .start
            guard case .scalar(let scalar) = key else {
                diagnostics.error("a key must be a single word", at: location)
                continue
            }
            let name = text.restored(scalar.string)
            let value = value(node, label: shown(name), depth: depth + 1)
            if let first = firstLocations[name] {
                diagnostics.error("duplicate key \(shown(name)); it is already on line \(first.line)", at: location)
            } else {
                firstLocations[name] = location
                entries.append(Value.Entry(name: name, location: location, value: value))
            }
        }
        return entries
    }
}

extension SourceLocation {
    fileprivate init(_ mark: Mark) { self.init(line: mark.line, column: mark.column) }
}
