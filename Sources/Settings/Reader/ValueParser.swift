import Health

/// A kind of value: reads one, or reports what is wrong and answers nil.
struct ValueParser<Answer> {
    let read: (Value, Diagnostics) -> Answer?

    init(_ read: @escaping (Value, Diagnostics) -> Answer?) { self.read = read }

    /// A scalar that `parse` reads from its text. `what` ends the sentence "… must be".
    init(_ what: String, _ parse: @escaping (String) -> Answer?) {
        self.init { value, diagnostics in
            guard let text = value.text, let answer = parse(text) else {
                diagnostics.error("\(value.label) must be \(what), not \(value.kindName)", at: value.location)
                return nil
            }
            return answer
        }
    }

    /// A scalar without quotes: what is in quotes is a text, whatever it says.
    static func unquoted(_ what: String, _ parse: @escaping (String) -> Answer?) -> ValueParser {
        ValueParser { value, diagnostics in
            guard case .plain(let text) = value.content, let answer = parse(text) else {
                diagnostics.error("\(value.label) must be \(what), not \(value.kindName)", at: value.location)
                return nil
            }
            return answer
        }
    }

    /// One more condition; `problem` says why an answer won't do, or nil.
    func checked(_ problem: @escaping (Answer) -> String?) -> ValueParser {
        ValueParser { value, diagnostics in
            guard let answer = read(value, diagnostics) else { return nil }
            guard let problem = problem(answer) else { return answer }
            diagnostics.error("\(value.label) \(problem)", at: value.location)
            return nil
        }
    }

    func map<Mapped>(_ transform: @escaping (Answer) -> Mapped) -> ValueParser<Mapped> {
        ValueParser<Mapped> { value, diagnostics in read(value, diagnostics).map(transform) }
    }

    static func nullable<Wrapped>(_ kind: ValueParser<Wrapped>) -> ValueParser where Answer == Wrapped? {
        ValueParser { value, diagnostics in
            if value.isNull { return .some(nil) }
            return kind.read(value, diagnostics).map { .some($0) }
        }
    }

    /// A list; null is an empty one. An entry that is wrong is reported and left out.
    static func list<Element>(_ kind: ValueParser<Element>, limit: Int = 10_000) -> ValueParser where Answer == [Element] {
        ValueParser { value, diagnostics in
            if value.isNull { return [] }
            guard case .list(let entries) = value.content else {
                diagnostics.error("\(value.label) must be a list, not \(value.kindName)", at: value.location)
                return nil
            }
            guard entries.count <= limit else {
                diagnostics.error("\(value.label) holds more than \(limit) entries", at: value.location)
                return nil
            }
            return entries.compactMap { kind.read($0, diagnostics) }
        }
    }
}

extension ValueParser where Answer == Bool {
    static var truth: ValueParser { .unquoted("true or false") { ["true": true, "false": false][$0] } }
}

extension ValueParser where Answer == String {
    /// A text of one line, not empty.
    static func text(limit: Int = 2048) -> ValueParser {
        ValueParser { value, diagnostics in
            guard let text = value.text else {
                diagnostics.error("\(value.label) must be a text, not \(value.kindName)", at: value.location)
                return nil
            }
            let problem: String? =
                if text.isEmpty { "must not be empty" } else if text.utf8.count > limit {
                    "is longer than \(limit) bytes"
                } else if holdsControlCharacter(text) { "holds a control character" } else { nil }
            guard let problem else { return text }
            diagnostics.error("\(value.label) \(problem)", at: value.location)
            return nil
        }
    }
}

extension ValueParser where Answer: RawRepresentable & CaseIterable, Answer.RawValue == String {
    /// One of a closed set of words.
    static var word: ValueParser {
        let words = Answer.allCases.map(\.rawValue)
        return ValueParser { value, diagnostics in
            if let answer = value.text.flatMap(Answer.init(rawValue:)) { return answer }
            let choices = words.dropLast().joined(separator: ", ") + " or " + (words.last ?? "")
            let meant = value.text.flatMap { nearest(to: $0, among: words) }.map { "; did you mean '\($0)'?" } ?? ""
            diagnostics.error("\(value.label) must be \(choices), not \(value.kindName)\(meant)", at: value.location)
            return nil
        }
    }
}

func holdsControlCharacter(_ text: String) -> Bool {
    text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }
}
