import Health

extension ReadingContext {
    /// Reads `probe.expect`.
    func readExpectations(_ section: inout Section, into policy: inout ProbePolicy) {
        let range = ValueParser<ClosedRange<Int>>("a status such as 200, or a range such as 200-399", parseStatuses)
        let statuses = ValueParser<[ClosedRange<Int>]>.list(range, limit: 500)
        section.read(
            "status", into: &policy.expectedStatuses,
            as: ValueParser { value, diagnostics in
                let reported = diagnostics.count
                guard let ranges = statuses.read(value, diagnostics) else { return nil }
                guard ranges.isEmpty, diagnostics.count == reported else { return ranges }
                diagnostics.error("\(value.label) must hold at least one status", at: value.location)
                return nil
            })
        let slow = ValueParser.duration(.milliseconds(1) ... .seconds(3600))
        section.read("max_duration", into: &policy.maxDuration, asNullable: slow)
        section.read("certificate_days", into: &policy.certificateDays, as: .whole(0...3650))
        let problem = surroundings.patternProblem
        let pattern = ValueParser<String>.text(limit: 4096).checked { problem($0).map { "is no pattern of PCRE2: \($0)" } }
        section.read("body_matches", into: &policy.bodyMatches, asNullable: pattern)
        section.read("body_json", into: &policy.bodyJSON, asNullable: bodyJSON)
        if policy.readsBody && policy.method == "HEAD" {
            diagnostics.warning(
                "an answer to HEAD has no body, so nothing can be as expected in it",
                at: section.location(of: section.has("body_json") ? "body_json" : "body_matches"))
        }
    }

    private var bodyJSON: ValueParser<BodyJSON> {
        let path = ValueParser<JSONPath>(
            "the place of one value as RFC 9535 writes it, as in $.checks[0].status", { JSONPath($0) })
        return ValueParser { value, diagnostics in
            let reported = diagnostics.count
            let read = Section.read(value, path: "body_json", diagnostics: diagnostics) { section -> BodyJSON? in
                let (location, equals) = (section.entry("path"), section.entry("equals"))
                guard let location, let equals else {
                    diagnostics.error("\(value.label) needs 'path' and 'equals'", at: value.location)
                    return nil
                }
                guard let path = path.read(location.value, diagnostics), let scalar = scalar.read(equals.value, diagnostics)
                else {
                    return nil
                }
                return BodyJSON(path: path, equals: scalar)
            }
            return diagnostics.count == reported ? read ?? nil : nil
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

private func parseStatuses(_ text: String) -> ClosedRange<Int>? {
    let bounds = text.split(separator: "-", omittingEmptySubsequences: false).map { parseWhole(String($0)) }
    guard (1...2).contains(bounds.count), let low = bounds[0], let high = bounds[bounds.count - 1], low <= high,
        low >= 100, high <= 599
    else { return nil }
    return low...high
}
