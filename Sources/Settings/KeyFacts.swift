/// What a key's row says about it, for the documentation and for the tests that hold the example file against the rows.
package struct KeyFacts: Hashable, Sendable {
    package enum Default: Hashable, Sendable, ExpressibleByStringLiteral {
        /// As the file writes it.
        case text(String)
        /// The machine or the program decides; in words.
        case words(String)
        /// The key must be there.
        case needed

        package init(stringLiteral text: String) { self = .text(text) }
    }

    package enum InForce: Hashable, Sendable { case afterReload, afterRestart }

    package enum Place: Hashable, Sendable {
        /// A key of a section.
        case key
        /// A key of a mapping that is itself a value: an entry of a list, or a mapping that may be null.
        case partOfValue
    }

    /// Dotted, as in `probe.expect.status`.
    package private(set) var path: String
    package let defaultValue: Default
    package private(set) var inForce: InForce
    package private(set) var place = Place.key

    init(path: String, defaultValue: Default, inForce: InForce) {
        self.path = path
        self.defaultValue = defaultValue
        self.inForce = inForce
    }

    /// The same key, seen from the section around its own.
    func below(_ section: String, as place: Place, _ inForce: InForce) -> KeyFacts {
        var facts = self
        facts.path = "\(section).\(path)"
        if place == .partOfValue { facts.place = .partOfValue }
        if inForce == .afterRestart { facts.inForce = .afterRestart }
        return facts
    }
}

extension Settings {
    /// Every key that a configuration file may have, in the order of the rows.
    package static var keys: [KeyFacts] { rows.facts }

    /// The keys that a reload can't change and whose values differ from those of `old`.
    package func keysForRestart(since old: Settings) -> [String] {
        Self.rows.keys.flatMap(\.restartKeys).filter { $0.differs(old, self) }.map(\.name)
    }

    /// The rows, for whoever reads no file by them.
    private static var rows: SettingsKeys {
        SettingsKeys(
            context: ReadingContext(
                diagnostics: Diagnostics(), surroundings: .system().withoutSecrets, configurationPath: ""))
    }
}
