import Health

/// The fields of a query (application/x-www-form-urlencoded, as forms send it).
enum QueryFields {
    /// nil where a value isn't percent-encoded UTF-8, or there are too many.
    static func read(_ query: String) -> [(name: String, value: String)]? {
        var fields: [(name: String, value: String)] = []
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decoded(parts[0]), let value = decoded(parts.count == 2 ? parts[1] : ""), fields.count < 100 else {
                return nil
            }
            fields.append((name, value))
        }
        return fields
    }

    static func decoded(_ text: Substring) -> String? { percentDecoded(text.replacing("+", with: " ")) }
}
