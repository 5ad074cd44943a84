import Health

/// Reads the entries of a targets file.
struct EntryParser {
    typealias Entry = TargetsFile.Entry

    private let reader: TargetsFile.Reader

    init(_ reader: TargetsFile.Reader) { self.reader = reader }

    func list(_ value: Value, _ diagnostics: Diagnostics, limit: Int) -> [Entry] {
        var firstLines: [String: Int] = [:]
        let kind = ValueParser<Entry> { value, diagnostics in
            guard let entry = entry(value, diagnostics) else { return nil }
            let key = "\(entry.name)\u{0}\(entry.region)"
            // Two targets of a daemon may have the same name where each has an id.
            if let line = firstLines[key], entry.id == nil {
                let hint = reader == .daemon ? "; give one of them another 'name', or an 'id'" : ""
                let place = entry.region.isEmpty ? "" : " in \(shown(entry.region))"
                diagnostics.error("\(shown(entry.name))\(place) is already on line \(line)\(hint)", at: entry.location)
            }
            if entry.id == nil { firstLines[key] = entry.location.line }
            return entry
        }
        return ValueParser.list(kind, limit: limit).read(value, diagnostics) ?? []
    }

    /// A URL alone is a target, too.
    private func entry(_ value: Value, _ diagnostics: Diagnostics) -> Entry? {
        if value.text != nil {
            guard reader == .daemon else {
                diagnostics.error("a target of the Targets API has a 'name' and a 'region', too", at: value.location)
                return nil
            }
            return address(value, diagnostics).map { address in
                Entry(
                    name: address.shortName, region: "", baseURL: address.base, testPath: address.path, location: value.location)
            }
        }
        return Section.read(value, diagnostics: diagnostics) { entry(in: &$0, diagnostics) } ?? nil
    }

    private func entry(in section: inout Section, _ diagnostics: Diagnostics) -> Entry? {
        var (effect, id, probe): (Target.RuleEffect?, String?, Value?)
        section.read("rule_effect", into: &effect, asNullable: .effect)
        if reader == .daemon {
            section.read("id", into: &id, asNullable: .text(limit: Target.keyLimit))
            probe = section.entry("probe")?.value
        } else {
            for name in ["id", "probe"] {
                guard let entry = section.entry(name) else { continue }
                diagnostics.error(
                    "\(shown(name)) is for a daemon that reads this file itself (targets_file); the Targets API has no place for it",
                    at: entry.location)
            }
        }
        let hasURL = section.has("url")
        let place = place(in: &section, diagnostics)
        let region = text("region", in: &section, diagnostics, isNeeded: reader == .api)
        let name = text("name", in: &section, diagnostics, isNeeded: place != nil && (reader == .api || !hasURL))
        guard let place, let region, let name = name.map({ $0.isEmpty ? place.shortName ?? "" : $0 }) else { return nil }
        return Entry(
            id: id, name: name, region: region, baseURL: place.base, testPath: place.path, ruleEffect: effect, probe: probe,
            location: section.has("name") ? section.location(of: "name") : section.location)
    }

    // MARK: Where a target is

    /// `url`, or `base_url` and `test_path`.
    private func place(
        in section: inout Section, _ diagnostics: Diagnostics
    ) -> (base: String, path: String, shortName: String?)? {
        guard section.has("url") || section.has("base_url") || section.has("test_path") else {
            // So that a key that is nearly one of them is told which.
            for name in ["url", "base_url", "test_path"] { _ = section.entry(name) }
            diagnostics.error("'url' is missing: what is to be probed", at: section.location)
            return nil
        }
        guard let url = section.entry("url") else {
            let (base, path) = (text("base_url", in: &section, diagnostics), text("test_path", in: &section, diagnostics))
            guard let base, let path else { return nil }
            // Of other records the API has, a daemon says why it can't probe them.
            let authority = base.unicodeScalars.prefix { $0 != "?" && $0 != "#" }
            guard reader == .api || !authority.contains("@") else {
                diagnostics.error(Self.userRefusal("'base_url'"), at: section.location(of: "base_url"))
                return nil
            }
            return (base, path, nil)
        }
        for name in ["base_url", "test_path"] {
            guard let entry = section.entry(name) else { continue }
            diagnostics.error("'url' is the whole URL; beside it '\(name)' has no place", at: entry.location)
        }
        return address(url.value, diagnostics).map { ($0.base, $0.path, $0.shortName) }
    }

    /// A URL, split where the API's records have it split.
    private func address(_ value: Value, _ diagnostics: Diagnostics) -> (base: String, path: String, shortName: String)? {
        guard let text = ValueParser<String>.text(limit: Target.urlLimit).read(value, diagnostics) else { return nil }
        let ends = Set("/?#".unicodeScalars)
        let scalars = text.unicodeScalars
        // By scalars: what stands behind a slash may be one character with it.
        let start = text.firstRange(of: "://")?.upperBound ?? scalars.startIndex
        let end = scalars[start...].firstIndex(where: ends.contains) ?? scalars.endIndex
        let (base, authority, rest) = (String(text[..<end]), text[start..<end], text[end...])
        if authority.contains("@") {
            diagnostics.error(Self.userRefusal(value.label), at: value.location)
            return nil
        }
        guard !scalars.contains(where: { $0 == " " || $0 == "\t" }) else {
            diagnostics.error("\(value.label) holds a space; as a part of the URL it is written %20", at: value.location)
            return nil
        }
        guard let url = SplitURL(base), ["http", "https"].contains(url.scheme), !url.host.isEmpty,
            url.port.map({ Int($0).map { (1...65_535).contains($0) } ?? false }) ?? true
        else {
            // What is no URL may have a password anywhere.
            let mayHoldSecret = text.contains("@") || text.lowercased().contains("%40")
            diagnostics.error(
                "\(value.label) must be a URL such as https://example.com/health"
                    + (mayHoldSecret ? "" : ", not \(shown(urlWithoutSecrets(text)))"), at: value.location)
            return nil
        }
        let path = rest.unicodeScalars.first == "/" ? String(rest) : "/" + rest
        return (base, path, (authority + Self.shortPath(path)).prefix(bytes: Target.nameLimit))
    }

    private static func userRefusal(_ label: String) -> String {
        "\(label) holds a user or a password; put them into a file, and name it under 'headers'"
    }

    /// As a person calls it: without the values of its query, which may be secrets.
    private static func shortPath(_ path: String) -> String {
        let parts = path.prefix { $0 != "#" }.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let fields = parts.count > 1 ? parts[1].split(separator: "&") : []
        let names = fields.map { $0.prefix { $0 != "=" } }.joined(separator: "&")
        return (parts[0] == "/" ? "" : String(parts[0])) + (names.isEmpty ? "" : "?" + names)
    }

    private func text(
        _ name: String, in section: inout Section, _ diagnostics: Diagnostics, isNeeded: Bool = true
    ) -> String? {
        guard section.has(name) else {
            guard isNeeded else { return "" }
            diagnostics.error("'\(name)' is missing", at: section.location)
            return nil
        }
        guard let entry = section.entry(name) else { return nil }
        // What the API itself lets be empty.
        if entry.value.text == "", name == "test_path" || name == "region" { return "" }
        let limit = ["name": Target.nameLimit, "region": Target.regionLimit][name] ?? Target.urlLimit
        return ValueParser<String>.text(limit: limit).read(entry.value, diagnostics)
    }
}

extension StringProtocol {
    /// At most so many bytes of UTF-8, and no part of a character.
    fileprivate func prefix(bytes: Int) -> String {
        var text = String(self)
        while text.utf8.count > bytes { text.removeLast() }
        return text
    }
}
