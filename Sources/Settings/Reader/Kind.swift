import Health

/// A kind of value: reads one, or reports what is wrong and answers nil.
struct Kind<Answer> {
    let read: (Value, Findings) -> Answer?

    init(_ read: @escaping (Value, Findings) -> Answer?) { self.read = read }

    /// A scalar that `parse` reads from its text. `what` ends the sentence "… must be".
    init(_ what: String, _ parse: @escaping (String) -> Answer?) {
        self.init { value, findings in
            guard let text = value.text, let answer = parse(text) else {
                findings.error("\(value.label) must be \(what), not \(value.kindName)", at: value.place)
                return nil
            }
            return answer
        }
    }

    /// A scalar without quotes: what is in quotes is a text, whatever it says.
    static func unquoted(_ what: String, _ parse: @escaping (String) -> Answer?) -> Kind {
        Kind { value, findings in
            guard case .plain(let text) = value.content, let answer = parse(text) else {
                findings.error("\(value.label) must be \(what), not \(value.kindName)", at: value.place)
                return nil
            }
            return answer
        }
    }

    /// One more condition; `problem` says why an answer won't do, or nil.
    func checked(_ problem: @escaping (Answer) -> String?) -> Kind {
        Kind { value, findings in
            guard let answer = read(value, findings) else { return nil }
            guard let problem = problem(answer) else { return answer }
            findings.error("\(value.label) \(problem)", at: value.place)
            return nil
        }
    }

    func map<Mapped>(_ transform: @escaping (Answer) -> Mapped) -> Kind<Mapped> {
        Kind<Mapped> { value, findings in read(value, findings).map(transform) }
    }

    static func nullable<Wrapped>(_ kind: Kind<Wrapped>) -> Kind where Answer == Wrapped? {
        Kind { value, findings in
            if value.isNull { return .some(nil) }
            return kind.read(value, findings).map { .some($0) }
        }
    }

    /// A list; null is an empty one. An entry that is wrong is reported and left out.
    static func list<Element>(_ kind: Kind<Element>, limit: Int = 10_000) -> Kind where Answer == [Element] {
        Kind { value, findings in
            if value.isNull { return [] }
            guard case .list(let entries) = value.content else {
                findings.error("\(value.label) must be a list, not \(value.kindName)", at: value.place)
                return nil
            }
            guard entries.count <= limit else {
                findings.error("\(value.label) holds more than \(limit) entries", at: value.place)
                return nil
            }
            return entries.compactMap { kind.read($0, findings) }
        }
    }
}

extension Kind where Answer == Bool {
    static var truth: Kind { .unquoted("true or false") { ["true": true, "false": false][$0] } }
}

extension Kind where Answer == String {
    /// A text of one line, not empty.
    static func text(limit: Int = 2048) -> Kind {
        Kind { value, findings in
            guard let text = value.text else {
                findings.error("\(value.label) must be a text, not \(value.kindName)", at: value.place)
                return nil
            }
            let problem: String? =
                if text.isEmpty { "must not be empty" } else if text.utf8.count > limit {
                    "is longer than \(limit) bytes"
                } else if holdsControlCharacter(text) { "holds a control character" } else { nil }
            guard let problem else { return text }
            findings.error("\(value.label) \(problem)", at: value.place)
            return nil
        }
    }
}

extension Kind where Answer: RawRepresentable & CaseIterable, Answer.RawValue == String {
    /// One of a closed set of words.
    static var word: Kind {
        let words = Answer.allCases.map(\.rawValue)
        return Kind { value, findings in
            if let answer = value.text.flatMap(Answer.init(rawValue:)) { return answer }
            let choices = words.dropLast().joined(separator: ", ") + " or " + (words.last ?? "")
            let meant = value.text.flatMap { nearest(to: $0, among: words) }.map { "; did you mean '\($0)'?" } ?? ""
            findings.error("\(value.label) must be \(choices), not \(value.kindName)\(meant)", at: value.place)
            return nil
        }
    }
}

func holdsControlCharacter(_ text: String) -> Bool {
    text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }
}
