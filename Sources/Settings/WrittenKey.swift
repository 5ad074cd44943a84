package import Health

/// A key of a `probe` section as the file has it, for whoever asks where a setting comes from.
package struct WrittenKey: Hashable, Sendable {
    /// Dotted, from below `probe`, as in `expect.status`.
    package let path: String
    /// As a person reads it. Secrets are named, and neither they nor the values of headers and bodies are shown.
    package let value: String
    package let line: Int
}

/// The keys of one `probe` section, and the line in which the block around it begins.
///
/// Any two are equal: settings that mean the same are the same, wherever they are written.
package struct Written: Hashable, Sendable {
    package var keys: [WrittenKey]
    package var line: Int

    package init(keys: [WrittenKey] = [], line: Int = 0) { (self.keys, self.line) = (keys, line) }

    package static func == (one: Self, other: Self) -> Bool { true }
    package func hash(into hasher: inout Hasher) {}
}

/// A key that holds for a target and isn't at its default.
package struct KeyInForce: Hashable, Sendable {
    package enum Place: Hashable, Sendable {
        case probe
        case override(line: Int)
        case targetsFile
    }

    package let key: WrittenKey
    package let place: Place

    /// As in `probe, line 38` or `the override of line 71, line 74`.
    package var origin: String {
        switch place {
        case .probe: "probe, line \(key.line)"
        case .override(let line): "the override of line \(line), line \(key.line)"
        case .targetsFile: "beside the target, in targets_file"
        }
    }
}

extension Settings {
    /// The keys that make the policy of a target another than the default, those of `probe` first.
    ///
    /// - Parameter override: as ``overrideIndex(for:url:)``.
    package func keysInForce(override index: Int?, of target: Target) -> [KeyInForce] {
        let override = index.map { overrides[$0].written }
        let layers: [(place: KeyInForce.Place, keys: [WrittenKey])] = [
            (.probe, probeWritten.keys), (.override(line: override?.line ?? 0), override?.keys ?? []),
            (.targetsFile, target.probe.map(OwnSettings.writtenKeys) ?? []),
        ]
        return layers.indices.flatMap { place in
            // What a later layer says, too, is not in force.
            let hidden = Set(layers[(place + 1)...].flatMap(\.keys).map(\.path))
            return layers[place].keys.filter { !hidden.contains($0.path) }.map { KeyInForce(key: $0, place: layers[place].place) }
        }.filter { !$0.key.isDefault }
    }
}

extension WrittenKey {
    private static let defaults: [String: String] = {
        var defaults: [String: String] = [:]
        for key in Settings.keys where key.path.hasPrefix("probe.") {
            guard case .text(let text) = key.defaultValue else { continue }
            defaults[String(key.path.dropFirst(6))] = text.replacing("\"", with: "")
        }
        return defaults
    }()

    fileprivate var isDefault: Bool { Self.defaults[path] == value }
}

extension Value {
    /// Sections within `probe`. Their keys are listed one by one, and other mappings are values.
    private static let sections: Set = ["expect", "evidence"]
    /// What may hold a secret, though it stands in the file.
    private static let hidden: Set = ["headers", "body"]

    /// The keys of a `probe` section. Empty of what is no mapping.
    func writtenKeys(below prefix: String = "") -> [WrittenKey] {
        guard case .mapping(let entries) = content else { return [] }
        return entries.flatMap { entry -> [WrittenKey] in
            if prefix.isEmpty, Self.sections.contains(entry.name) { return entry.value.writtenKeys(below: entry.name + ".") }
            let isHidden = prefix.isEmpty && Self.hidden.contains(entry.name)
            return [
                WrittenKey(path: prefix + entry.name, value: entry.value.words(isHidden: isHidden), line: entry.location.line)
            ]
        }
    }

    private func words(isHidden: Bool) -> String {
        switch content {
        case .null: "null"
        case .plain(let text), .quoted(let text): isHidden ? "…" : urlWithoutSecrets(text)
        case .list(let values): "[" + values.map { $0.words(isHidden: isHidden) }.joined(separator: ", ") + "]"
        case .mapping(let entries):
            "{"
                + entries.map { entry in
                    // The name of a secret's file or variable is no secret.
                    let isName = ["file", "env"].contains(entry.name)
                    return "\(entry.name): \(entry.value.words(isHidden: isHidden && !isName))"
                }.joined(separator: ", ") + "}"
        }
    }
}
