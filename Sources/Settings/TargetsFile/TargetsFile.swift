package import Health

/// A file that declares targets, as `targets apply` takes it, `targets export` writes it and a daemon watches it (`targets_file`).
package struct TargetsFile: Sendable {
    package struct Entry: Sendable {
        /// For ``Reader/daemon`` only.
        package var id: String?
        package var name: String
        package var region: String
        package var baseURL: String
        package var testPath: String
        /// nil: as it is, and `allow` for a new one.
        package var ruleEffect: Target.RuleEffect?
        /// For ``Reader/daemon`` only: the section as it stands in the file.
        var probe: Value?
        var location = SourceLocation.start
    }

    /// Whom a file is read for.
    package enum Reader: Hashable, Sendable {
        /// The Targets API gives each target its id, and knows no probe settings.
        case api
        /// A target may have an id and probe settings.
        case daemon
    }

    package struct Reading: Sendable {
        /// Nil when one of the diagnostics is an error.
        package var file: TargetsFile?
        package var diagnostics: [Diagnostic]
    }

    /// Bytes: for as many targets as a client of the embedded API may have.
    package static let sizeLimit = 64 << 20
    private static let entriesLimit = 100_000

    package private(set) var entries: [Entry] = []
    /// Of a file that `targets export` began and whose last line isn't there: it was not written to its end, or has lost it since.
    package private(set) var isCutShort = false
    /// How many targets the export says that it wrote. A person may have changed the file since.
    package private(set) var exported: Int?

    /// Everything that is wrong is in the answer at once, each with its location.
    package static func read(_ bytes: [UInt8], for reader: Reader = .api) -> Reading {
        let diagnostics = Diagnostics()
        let file = read(bytes, for: reader, diagnostics)
        return Reading(file: diagnostics.hasErrors ? nil : file, diagnostics: diagnostics.sorted)
    }

    static func read(_ bytes: [UInt8], for reader: Reader, _ diagnostics: Diagnostics) -> TargetsFile? {
        var file: TargetsFile?
        if let document = Document.read(bytes, limit: sizeLimit, diagnostics: diagnostics) {
            file = Section.read(document, diagnostics: diagnostics) { section in
                var file = TargetsFile()
                if let entry = section.entry("targets"), entry.value.isNull {
                    diagnostics.error("'targets' must be a list; write [] for none", at: entry.value.location)
                } else if let entry = section.entry("targets") {
                    file.entries = EntryParser(reader).list(entry.value, diagnostics, limit: entriesLimit)
                } else {
                    diagnostics.error("'targets' is missing: a list of targets", at: section.location)
                }
                return file
            }
            file?.readMarks(bytes)
        }
        return file
    }

    /// The first line of an export and the last.
    private static let beginning = "# Written by rangefinder targets export; read by rangefinder targets apply."
    private static func end(_ count: Int) -> String { "# The end of this export: \(counted(count, "target"))." }

    private mutating func readMarks(_ bytes: [UInt8]) {
        guard bytes.starts(with: Self.beginning.utf8) || bytes.dropFirst(3).starts(with: Self.beginning.utf8) else { return }
        let (start, own) = (
            Array(Self.end(0).utf8.prefix { $0 != UInt8(ascii: "0") }), bytes.lazy.split(separator: UInt8(ascii: "\n"))
        )
        for line in own where line.starts(with: start) {
            let text = String(decoding: line, as: UTF8.self).filter { $0 != "\r" }
            // All of it: a line that was cut within its number would tell another.
            exported = text.split(separator: " ").lazy.compactMap { Int($0) }.first { Self.end($0) == text }
        }
        isCutShort = exported == nil
    }
}

extension TargetsFile {
    /// The file of these targets; texts are quoted as JSON does, which YAML 1.2 reads the same.
    package static func text(of targets: [Target]) -> String {
        let sorted = targets.sorted { ($0.region, $0.name, $0.identity) < ($1.region, $1.name, $1.identity) }
        let entries = sorted.map { target in
            """
              - name: \(quoted(target.name))
                region: \(quoted(target.region))
                base_url: \(quoted(target.baseURL))
                test_path: \(quoted(target.testPath))
                rule_effect: \(target.ruleEffect.isKnown ? target.ruleEffect.rawValue : quoted(target.ruleEffect.rawValue))

            """
        }
        return beginning + "\n" + (entries.isEmpty ? "targets: []\n" : "targets:\n" + entries.joined()) + end(targets.count)
            + "\n"
    }

    /// The file of a daemon that watches these.
    package static func text(ofURLs urls: [String]) -> String { "targets:\n" + urls.map { "  - \(quoted($0))\n" }.joined() }

    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\" + String(scalar)
            case _ where mustBeEscaped(scalar):
                let (digits, width) = (String(scalar.value, radix: 16), scalar.value > 0xFFFF ? 8 : 4)
                quoted += (width == 8 ? "\\U" : "\\u") + String(repeating: "0", count: width - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

extension ValueParser where Answer == Target.RuleEffect {
    /// In quotes it may be any text: so an export writes one that isn't known here. Without them it is one of two words, because a slip of the
    /// pen would be sent to the API.
    static var effect: ValueParser {
        ValueParser { value, diagnostics in
            if case .plain(let text) = value.content {
                let effect = Target.RuleEffect(rawValue: text)
                if effect.isKnown { return effect }
                diagnostics.error(
                    "\(value.label) must be allow or deny, not \(value.kindName); put another one that the API knows in quotes",
                    at: value.location)
                return nil
            }
            return ValueParser<String>.text(limit: Target.ruleEffectLimit).read(value, diagnostics).map(
                Target.RuleEffect.init(rawValue:))
        }
    }
}
