import Health

extension Match {
    /// Why words are no match. Safe to show.
    package struct WordProblem: Error, Hashable {
        package let sentence: String
    }

    /// Reads a match as a person types it: `name=Stripe *`, `region=us-*`, `id=tgt_*`, `url=https://*.stripe.com/*`. A word without a key is a
    /// name.
    package init(words: [String]) throws(WordProblem) {
        self.init()
        for word in words where !word.isEmpty {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let isNamed = parts.count == 2 && ["name", "region", "id", "url"].contains(parts[0])
            let (key, pattern) = isNamed ? (parts[0], parts[1]) : ("name", word)
            guard !pattern.isEmpty else { throw WordProblem(sentence: "\(shown(word)) has no pattern") }
            try set(key, pattern)
        }
        guard self != Match() else {
            throw WordProblem(sentence: "it matches nothing in particular; give a name, or id=, region=, url=")
        }
    }

    private mutating func set(_ key: String, _ pattern: String) throws(WordProblem) {
        switch key {
        case "region": region = Glob(pattern)
        case "id": id = Glob(pattern)
        case "url":
            do throws(URLPattern.Problem) { url = try URLPattern(pattern) } catch {
                throw WordProblem(sentence: "\(shown(pattern)) \(error.sentence)")
            }
        default: name = Glob(pattern)
        }
    }
}
