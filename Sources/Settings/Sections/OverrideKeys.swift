import Health

/// The keys of an entry of `overrides`.
struct OverrideKeys: SectionKeys {
    struct Entry: Equatable {
        var match: Match?
        var policy: ProbePolicy
        var written = Written()
    }

    let context: ReadingContext
    /// The values of the keys that an override doesn't name.
    let defaults: ProbePolicy

    var keys: [Key<Entry>] {
        [
            MatchKeys().key(\.match),
            Key("probe", default: .words("as under probe"), \.policy) { section, entry in
                // A wrong pattern is reported already. A message about the secrets of the block would report the same mistake again.
                let mayGo = entry.match.map { $0.url?.mayCarrySecrets ?? false } ?? true
                let keys = ProbeKeys(context: context, secretRefusal: mayGo ? nil : ProbeKeys.needsOverride)
                section.read("probe", into: &entry.policy, as: .mapping(keys, over: entry.policy))
                entry.written.keys = section.value(of: "probe")?.writtenKeys() ?? []
            },
        ]
    }

    var parser: ValueParser<Override> {
        let entry = ValueParser.mapping(self, over: Entry(policy: defaults))
        return ValueParser { value, diagnostics in
            entry.read(value, diagnostics).flatMap { entry in
                entry.match.map {
                    Override(
                        match: $0, policy: entry.policy, written: Written(keys: entry.written.keys, line: value.location.line))
                }
            }
        }
    }
}

/// The keys of a `match`, of which a block needs at least one.
struct MatchKeys: SectionKeys {
    var keys: [Key<Match>] {
        let glob = ValueParser<String>.text().map { Glob($0) }
        return [
            Key("name", \.name, asNullable: glob),
            Key("region", \.region, asNullable: glob),
            Key("id", \.id, asNullable: glob),
            Key("url", \.url, asNullable: urlPattern),
        ]
    }

    private var urlPattern: ValueParser<URLPattern> {
        ValueParser { value, diagnostics in
            guard let text = ValueParser<String>.text().read(value, diagnostics) else { return nil }
            do throws(URLPattern.Problem) {
                return try URLPattern(text)
            } catch {
                diagnostics.error("\(value.label) \(error.sentence)", at: value.location)
                return nil
            }
        }
    }

    private var parser: ValueParser<Match> {
        let mapping = ValueParser.mapping(self, over: Match())
        return ValueParser { value, diagnostics in
            let reported = diagnostics.count
            guard let match = mapping.read(value, diagnostics), diagnostics.count == reported else { return nil }
            guard match != Match() else {
                diagnostics.error("\(value.label) needs at least one of name, region, id and url", at: value.location)
                return nil
            }
            return match
        }
    }

    /// The row of the `match` that a block must have.
    func key<Owner>(_ property: WritableKeyPath<Owner, Match?>) -> Key<Owner> {
        let parser = parser
        return Key("match", default: .needed, property, below: facts) { section, owner in
            if let entry = section.entry("match") {
                owner[keyPath: property] = parser.read(entry.value, section.diagnostics)
            } else {
                section.diagnostics.error("'match' is missing: which targets is this for?", at: section.location)
            }
        }
    }
}
