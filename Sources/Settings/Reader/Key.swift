/// One key of a section, in one row: its name, its default, the property that it is read into, its parser, and when a change is in force.
///
/// `Owner` is the value that the section is read into. A new key is a stored property of the owner and a row that is copied from a neighbour.
struct Key<Owner> {
    /// Usually one name. A certificate and its private key are read together, and so are the two ways to name a secret.
    let names: [String]
    let read: (inout Section, inout Owner) -> Void
    /// What the documentation and the tests know of this key, and of the keys below it.
    let facts: [KeyFacts]
    /// This key, or those below it, that a reload can't change.
    let restartKeys: [RestartKey<Owner>]

    /// A key with a reader of its own.
    ///
    /// - Parameters:
    ///   - below: the keys of the value, which is a mapping or a list of mappings.
    init<Value: Equatable>(
        _ names: String..., default defaultValue: KeyFacts.Default, _ property: KeyPath<Owner, Value>,
        _ inForce: KeyFacts.InForce = .afterReload, below: [KeyFacts] = [], read: @escaping (inout Section, inout Owner) -> Void
    ) {
        self.names = names
        self.read = read
        facts =
            names.map { KeyFacts(path: $0, defaultValue: defaultValue, inForce: inForce) }
            + below.map { $0.below(names.first ?? "", as: .partOfValue, inForce) }
        restartKeys = inForce == .afterReload ? [] : names.prefix(1).map { RestartKey(name: $0, property) }
    }

    /// A key whose value may not be null, or whose parser takes null, too.
    init<Value: Equatable>(
        _ name: String, default defaultValue: KeyFacts.Default, _ property: WritableKeyPath<Owner, Value>,
        as parser: ValueParser<Value>, _ inForce: KeyFacts.InForce = .afterReload, below: [KeyFacts] = []
    ) {
        self.init(name, default: defaultValue, property, inForce, below: below) { section, owner in
            section.read(name, into: &owner[keyPath: property], as: parser)
        }
    }

    /// A key that may be null.
    init<Value: Equatable>(
        _ name: String, default defaultValue: KeyFacts.Default = "null", _ property: WritableKeyPath<Owner, Value?>,
        asNullable parser: ValueParser<Value>, _ inForce: KeyFacts.InForce = .afterReload, below: [KeyFacts] = []
    ) {
        self.init(name, default: defaultValue, property, as: .nullable(parser), inForce, below: below)
    }

    /// A mapping that is read key by key into a part of the owner.
    ///
    /// - Parameters:
    ///   - inForce: of the whole section. With `.afterReload` each of its keys says for itself.
    ///   - read: instead of the reading of a mapping.
    init<Keys: SectionKeys>(
        section name: String, _ property: WritableKeyPath<Owner, Keys.Owner>, _ keys: Keys,
        _ inForce: KeyFacts.InForce = .afterReload, read: ((Value, inout Keys.Owner) -> Void)? = nil
    ) where Keys.Owner: Equatable {
        names = [name]
        self.read = { section, owner in
            if let read, let entry = section.entry(name) {
                read(entry.value, &owner[keyPath: property])
            } else {
                section.section(name) { keys.read(&$0, into: &owner[keyPath: property]) }
            }
        }
        facts = keys.facts.map { $0.below(name, as: .key, inForce) }
        restartKeys =
            inForce == .afterRestart
            ? [RestartKey(name: name, property)] : keys.keys.flatMap(\.restartKeys).map { $0.below(name, property) }
    }
}

/// A key that a reload can't change, with the comparison of its values.
struct RestartKey<Owner> {
    let name: String
    let differs: (Owner, Owner) -> Bool

    private init(name: String, differs: @escaping (Owner, Owner) -> Bool) { (self.name, self.differs) = (name, differs) }

    init<Value: Equatable>(name: String, _ property: KeyPath<Owner, Value>) {
        self.init(name: name) { $0[keyPath: property] != $1[keyPath: property] }
    }

    /// The same key, seen from the section around its own.
    func below<Outer>(_ section: String, _ property: KeyPath<Outer, Owner>) -> RestartKey<Outer> {
        RestartKey<Outer>(name: "\(section).\(name)") { differs($0[keyPath: property], $1[keyPath: property]) }
    }
}

/// The keys of one section: a table with a row for each.
protocol SectionKeys {
    associatedtype Owner

    /// Read from top to bottom.
    var keys: [Key<Owner>] { get }

    /// Reports what is wrong only between keys, after all of them have been read.
    func check(_ section: Section, _ owner: inout Owner)
}

extension SectionKeys {
    func check(_ section: Section, _ owner: inout Owner) {}

    func read(_ section: inout Section, into owner: inout Owner) {
        for key in keys { key.read(&section, &owner) }
        check(section, &owner)
    }

    var facts: [KeyFacts] { keys.flatMap(\.facts) }
}

extension ValueParser {
    /// A mapping of these keys, read over `start`.
    static func mapping<Keys: SectionKeys>(_ keys: Keys, over start: Answer) -> ValueParser where Keys.Owner == Answer {
        ValueParser { value, diagnostics in
            Section.read(value, diagnostics: diagnostics) { section in
                var answer = start
                keys.read(&section, into: &answer)
                return answer
            }
        }
    }
}
