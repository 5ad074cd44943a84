/// A mapping that is being read. It remembers which keys were asked for; what is left at the end is unknown.
struct Section {
    let location: SourceLocation
    let diagnostics: Diagnostics
    private let entries: [Value.Entry]
    private var known: [String] = []

    /// Reads `value` by `body`, then reports the keys that `body` never asked for. A null is a mapping without keys.
    static func read<Answer>(_ value: Value, diagnostics: Diagnostics, _ body: (inout Section) -> Answer) -> Answer? {
        let entries: [Value.Entry]
        switch value.content {
        case .mapping(let found): entries = found
        case .null: entries = []
        default:
            // Of a whole file nobody knows what it was meant to be.
            let found = value.label == "the file" ? value.shapeName : value.kindName
            diagnostics.error("\(value.label) must be a mapping of keys to values, not \(found)", at: value.location)
            return nil
        }
        var section = Section(location: value.location, diagnostics: diagnostics, entries: entries)
        let answer = body(&section)
        section.reportUnknown()
        return answer
    }

    private init(location: SourceLocation, diagnostics: Diagnostics, entries: [Value.Entry]) {
        self.location = location
        self.diagnostics = diagnostics
        self.entries = entries
    }

    /// Whatever stands under a key, which is known from now on.
    mutating func entry(_ name: String) -> Value.Entry? {
        known.append(name)
        return entries.first { $0.name == name }
    }

    /// Where a key stands, or the section when it doesn't.
    func location(of name: String) -> SourceLocation { entries.first { $0.name == name }?.location ?? location }

    /// The value under a key, without making the key known.
    func value(of name: String) -> Value? { entries.first { $0.name == name }?.value }

    func has(_ name: String) -> Bool { entries.contains { $0.name == name } }

    /// Reads a key into `setting`, which holds the default and keeps it when the key is missing or wrong.
    mutating func read<Setting: Equatable>(_ name: String, into setting: inout Setting, as kind: ValueParser<Setting>) {
        guard let entry = entry(name), let value = kind.read(entry.value, diagnostics) else { return }
        setting = value
    }

    /// Reads a key that may be null.
    mutating func read<Setting: Equatable>(_ name: String, into setting: inout Setting?, asNullable kind: ValueParser<Setting>) {
        read(name, into: &setting, as: .nullable(kind))
    }

    /// Reads the section under a key; nothing happens when the key is missing.
    mutating func section(_ name: String, _ body: (inout Section) -> Void) {
        guard let entry = entry(name) else { return }
        _ = Section.read(entry.value, diagnostics: diagnostics, body)
    }

    private func reportUnknown() {
        for entry in entries where !known.contains(entry.name) && !diagnostics.isFull {
            var message = "unknown key \(shown(entry.name))"
            let forSecret = known.filter { [entry.name + "_file", entry.name + "_env"].contains($0) }
            if !forSecret.isEmpty {
                message += "; a secret is never in this file: use " + forSecret.map { "'\($0)'" }.joined(separator: " or ")
            } else if let meant = nearest(to: entry.name, among: known) {
                message += "; did you mean '\(meant)'?"
            }
            diagnostics.error(message, at: entry.location)
        }
    }
}
