import Yams

/// The only place that knows Yams: bytes to values, with every duplicate key reported and nothing that can explode.
struct Document {
    /// Deeper than any setting is.
    private static let nestingLimit = 16
    /// The text is parsed once more for each duplicate key, so there must be an end: so many keys, and so many scalars in all.
    private static let duplicateLimit = 20
    private static let rereadLimit = 4 << 20

    private var text: SourceText
    private let findings: Findings

    /// Nil when there is no tree to read, which has been reported. An empty file is null.
    static func read(_ bytes: [UInt8], limit: Int = Settings.fileLimit, findings: Findings) -> Value? {
        guard bytes.count <= limit else {
            findings.error("the file is longer than \(limit >> 20)MiB", at: .start)
            return nil
        }
        guard let text = SourceText(bytes, findings: findings) else { return nil }
        var document = Document(text: text, findings: findings)
        return document.compose()
    }

    private mutating func compose() -> Value? {
        var duplicates: [Place] = []
        while duplicates.count <= Self.duplicateLimit, duplicates.count * text.scalars.count <= Self.rereadLimit {
            do {
                guard let node = try Yams.compose(yaml: text.string, .default, .default, .utf8) else {
                    return Value(place: .start, label: "the file", content: .null)
                }
                return value(node, label: "the file", depth: 0)
            } catch YamlError.duplicatedKeysInMapping(_, let context) {
                duplicates.append(Place(context.mark))
                guard text.makeUnique(keyAt: Place(context.mark)) else { break }
            } catch let error as YamlError {
                report(error)
                return nil
            } catch {
                findings.error("the file is not YAML", at: .start)
                return nil
            }
        }
        for place in duplicates { findings.error("this key is in its mapping again further down", at: place) }
        return nil
    }

    private func report(_ error: YamlError) {
        switch error {
        case .scanner(_, let problem, let mark, _) where problem.contains("nesting level"),
            .parser(_, let problem, let mark, _) where problem.contains("nesting level"):
            findings.error("nested too deeply", at: Place(mark))
        case .scanner(let context, let problem, let mark, _) where sentence(problem, context?.text, at: Place(mark)) != nil:
            findings.error(sentence(problem, context?.text, at: Place(mark)) ?? "", at: Place(mark))
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
            // libyaml says what it was doing ("while parsing a block mapping") and where that had begun.
            let doing = context.map { " (\($0.text) that began on line \($0.mark.line))" } ?? ""
            let anchor = holdsAnchor(upTo: Place(mark)) ? "; anchors (&name) are not supported" : ""
            findings.error("not YAML: \(problem)\(doing)\(anchor)", at: Place(mark))
        case .composer(_, let problem, let mark, _) where problem.contains("alias"):
            findings.error("aliases (*name) are not supported; a text that begins with '*' needs quotes", at: Place(mark))
        case .composer(_, _, let mark, _):
            findings.error("a second document begins here; the file must hold one", at: Place(mark))
        default:
            findings.error("not YAML", at: .start)
        }
    }

    /// In our words, what people do wrong most; nil for the rest.
    private func sentence(_ problem: String, _ doing: String?, at place: Place) -> String? {
        let character = text.index(of: place).map { text.scalars[$0] }
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

    private func holdsAnchor(upTo place: Place) -> Bool {
        let end = text.index(of: place) ?? text.scalars.count
        return text.startsWithAnchor(
            text.scalars[..<end].last { SourceText.standIns.contains($0) }.map(String.init) ?? "")
    }

    private func value(_ node: Node, label: String, depth: Int) -> Value {
        let place = node.mark.map(Place.init) ?? .start
        var value = Value(place: place, label: label, content: .null)
        guard depth <= Self.nestingLimit else {
            findings.error("nested too deeply", at: place)
            return value
        }
        switch node {
        case .scalar(let scalar): value.content = content(of: scalar, at: place)
        case .sequence(let sequence):
            value.content = .list(sequence.map { self.value($0, label: "an entry of \(label)", depth: depth + 1) })
        case .mapping(let mapping): value.content = .mapping(entries(of: mapping, depth: depth))
        case .alias: findings.error("aliases (*name) are not supported", at: place)
        }
        return value
    }

    private func content(of scalar: Node.Scalar, at place: Place) -> Value.Content {
        let isPlain = scalar.style == .plain || scalar.style == .any
        if isPlain && text.startsWithAnchor(scalar.string) {
            findings.error("anchors (&name) are not supported; a text that begins with '&' needs quotes", at: place)
        }
        if !scalar.tag.rawValue.isEmpty && (isPlain || scalar.tag.rawValue != "tag:yaml.org,2002:str") {
            findings.error("tags (!name) are not supported", at: place)
        }
        let string = text.restored(scalar.string)
        guard isPlain else { return .quoted(string) }
        return ["", "~", "null", "Null", "NULL"].contains(string) ? .null : .plain(string)
    }

    private func entries(of mapping: Node.Mapping, depth: Int) -> [Value.Entry] {
        var entries: [Value.Entry] = []
        var firstPlaces: [String: Place] = [:]
        for (key, node) in mapping {
            let place = key.mark.map(Place.init) ?? .start
            guard case .scalar(let scalar) = key else {
                findings.error("a key must be a single word", at: place)
                continue
            }
            let name = text.restored(scalar.string)
            let value = value(node, label: shown(name), depth: depth + 1)
            if let first = firstPlaces[name] {
                findings.error("duplicate key \(shown(name)); it is already on line \(first.line)", at: place)
            } else {
                firstPlaces[name] = place
                entries.append(Value.Entry(name: name, place: place, value: value))
            }
        }
        return entries
    }
}

extension Place {
    fileprivate init(_ mark: Mark) { self.init(line: mark.line, column: mark.column) }
}
