import Exposition

/// What a request's `Accept` and `Accept-Encoding` ask for (RFC 9110 sections 12.5.1 and 12.5.3).
enum Negotiation {
    /// OpenMetrics where it is asked for by name, at least as much as the older format; else that one, which every scraper reads.
    static func format(accept: String?) -> MetricsFormat {
        let ranges = preferences(accept)
        let openMetrics = ranges.filter { range in
            range.value == "application/openmetrics-text" && [nil, "1.0.0"].contains(range.parameters["version"])
        }
        let text = ranges.filter { range in
            range.value == "text/plain" && [nil, "0.0.4"].contains(range.parameters["version"])
        }
        let others = ranges.filter { ["text/*", "*/*"].contains($0.value) }
        let quality = openMetrics.map(\.quality).max() ?? 0
        let textQuality = text.map(\.quality).max() ?? others.map(\.quality).max() ?? 0
        return quality > 0 && quality >= textQuality ? .openMetrics : .text
    }

    static func wantsGzip(acceptEncoding: String?) -> Bool {
        let codings = preferences(acceptEncoding)
        func quality(_ names: [String]) -> Double? {
            codings.first { names.contains($0.value) }?.quality
        }
        let gzip = quality(["gzip", "x-gzip"]) ?? quality(["*"]) ?? 0
        return gzip > 0 && gzip >= quality(["identity"]) ?? 0
    }

    private struct Preference {
        var value: String
        var parameters: [String: String] = [:]
        var quality = 1.0
    }

    /// The members of a comma-separated list, in lower case. What can't be read as a quality counts as 0: never more than
    /// was meant.
    private static func preferences(_ header: String?) -> [Preference] {
        (header ?? "").lowercased().split(separator: ",").map { member in
            let parts = member.split(separator: ";").map(trimmed)
            var preference = Preference(value: parts.first ?? "")
            for part in parts.dropFirst() {
                let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(trimmed)
                guard pair.count == 2 else { continue }
                if pair[0] == "q" {
                    preference.quality = Double(pair[1]).flatMap { (0...1).contains($0) ? $0 : nil } ?? 0
                } else {
                    preference.parameters[pair[0]] = pair[1].filter { $0 != "\"" }
                }
            }
            return preference
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        let isSpace = { (character: Character) in character == " " || character == "\t" }
        let start = text.drop(while: isSpace)
        return String(start.reversed().drop(while: isSpace).reversed())
    }
}
