import Health

/// The keys of `probe.expect`.
struct ExpectKeys: SectionKeys {
    let context: ReadingContext

    var keys: [Key<ProbePolicy>] {
        let slow = ValueParser.duration(.milliseconds(1) ... .seconds(3600))
        let json = BodyJSONKeys()
        return [
            Key("status", default: "[\"200-399\"]", \.expectedStatuses, as: statuses),
            Key("body_matches", \.bodyMatches, asNullable: pattern),
            Key("body_json", \.bodyJSON, asNullable: json.parser, below: json.facts),
            Key("max_duration", \.maxDuration, asNullable: slow),
            Key("certificate_days", default: "14", \.certificateDays, as: .whole(0...3650)),
        ]
    }

    func check(_ section: Section, _ policy: inout ProbePolicy) {
        guard policy.readsBody && policy.method == "HEAD" else { return }
        section.diagnostics.warning(
            "an answer to HEAD has no body, so nothing can be as expected in it",
            at: section.location(of: section.has("body_json") ? "body_json" : "body_matches"))
    }

    private var statuses: ValueParser<[ClosedRange<Int>]> {
        let range = ValueParser<ClosedRange<Int>>("a status such as 200, or a range such as 200-399", parseStatuses)
        let statuses = ValueParser.list(range, limit: 500)
        return ValueParser { value, diagnostics in
            let reported = diagnostics.count
            guard let ranges = statuses.read(value, diagnostics) else { return nil }
            guard ranges.isEmpty, diagnostics.count == reported else { return ranges }
            diagnostics.error("\(value.label) must hold at least one status", at: value.location)
            return nil
        }
    }

    private var pattern: ValueParser<String> {
        let problem = context.surroundings.patternProblem
        return .text(limit: 4096).checked { problem($0).map { "is no pattern of PCRE2: \($0)" } }
    }
}

/// The keys of `probe.expect.body_json`. Both are needed.
struct BodyJSONKeys: SectionKeys {
    struct Entry: Equatable {
        var path: JSONPath?
        var equals: JSONScalar?
    }

    var keys: [Key<Entry>] {
        let place = ValueParser<JSONPath>(
            "the place of one value as RFC 9535 writes it, as in $.checks[0].status", { JSONPath($0) })
        return [
            Key("path", default: .needed, \.path) { section, entry in
                guard let path = section.entry("path"), section.has("equals") else { return }
                entry.path = place.read(path.value, section.diagnostics)
            },
            // `equals` stands below `path`, because nothing is said about `equals` when the path is wrong.
            Key("equals", default: .needed, \.equals) { section, entry in
                guard let equals = section.entry("equals"), entry.path != nil else { return }
                entry.equals = scalar.read(equals.value, section.diagnostics)
            },
        ]
    }

    func check(_ section: Section, _ entry: inout Entry) {
        guard !section.has("path") || !section.has("equals") else { return }
        section.diagnostics.error("'body_json' needs 'path' and 'equals'", at: section.location)
    }

    var parser: ValueParser<BodyJSON> {
        let entry = ValueParser.mapping(self, over: Entry())
        return ValueParser { value, diagnostics in
            let reported = diagnostics.count
            guard let entry = entry.read(value, diagnostics), diagnostics.count == reported else { return nil }
            return entry.path.flatMap { path in entry.equals.map { BodyJSON(path: path, equals: $0) } }
        }
    }

    /// What is in quotes is a text; without them `true`, `false`, `null` and numbers are what they are in JSON.
    private var scalar: ValueParser<JSONScalar> {
        ValueParser { value, diagnostics in
            switch value.content {
            case .null: return JSONScalar.null
            case .quoted(let text): return .text(text)
            case .plain("true"): return .boolean(true)
            case .plain("false"): return .boolean(false)
            case .plain(let text):
                guard let number = number(text) else { return .text(text) }
                if number.magnitude < Self.exactNumbersEnd { return .number(number) }
                diagnostics.error(
                    "\(value.label) is a number past 9007199254740991, which readers of JSON don't agree on; put it in quotes if "
                        + "the body has a text there", at: value.location)
                return nil
            case .list, .mapping:
                diagnostics.error(
                    "\(value.label) must be a text, a number, true, false or null, not \(value.kindName)", at: value.location)
                return nil
            }
        }
    }

    /// RFC 7493 section 2.2: from here on two whole numbers can be one to a reader.
    private static let exactNumbersEnd = 0x1p53

    /// As JSON writes one: `0x10`, `nan` and `1_000` are texts.
    private func number(_ text: String) -> Double? {
        guard text.utf8.allSatisfy({ (48...57).contains($0) || "+-.eE".utf8.contains($0) }) else { return nil }
        return Double(text)
    }
}

package func parseStatuses(_ text: String) -> ClosedRange<Int>? {
    let bounds = text.split(separator: "-", omittingEmptySubsequences: false).map { parseWhole(String($0)) }
    guard (1...2).contains(bounds.count), let low = bounds[0], let high = bounds[bounds.count - 1], low <= high,
        low >= 100, high <= 599
    else { return nil }
    return low...high
}
