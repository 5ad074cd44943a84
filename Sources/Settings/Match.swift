package import Health

/// The final test URL of a target, in the parts that `match.url` is compared with.
package struct MatchedURL: Hashable, Sendable {
    package var scheme: String
    /// In lower case, an IPv6 address without brackets.
    package var host: String
    package var port: Int
    /// From the first `/` up to the query.
    package var path: String

    package init(scheme: String, host: String, port: Int, path: String) {
        self.scheme = scheme.lowercased()
        self.host = host.lowercased()
        self.port = port
        self.path = path.isEmpty ? "/" : path
    }
}

/// Which targets a block is about: all the patterns it has must match.
package struct Match: Hashable, Sendable {
    package var name: Glob?
    package var region: Glob?
    /// Compared with the target's `sKey`.
    package var id: Glob?
    package var url: URLPattern?

    package init(name: Glob? = nil, region: Glob? = nil, id: Glob? = nil, url: URLPattern? = nil) {
        self.name = name
        self.region = region
        self.id = id
        self.url = url
    }

    package func matches(_ target: Target, url matchedURL: MatchedURL?) -> Bool {
        (name?.matches(target.name) ?? true) && (region?.matches(target.region) ?? true)
            && (id?.matches(target.identity.key) ?? true)
            && (url.map { pattern in matchedURL.map(pattern.matches) ?? false } ?? true)
    }
}

/// A part of the configuration that changes how some targets are probed.
package struct Override: Hashable, Sendable {
    package var match: Match
    /// Whole: the defaults with this block's keys on top.
    package var policy: ProbePolicy
    /// What the file has of this block's `probe`.
    package var written: Written

    package init(match: Match, policy: ProbePolicy, written: Written = Written()) {
        (self.match, self.policy, self.written) = (match, policy, written)
    }
}

/// A pattern in which `*` stands for any number of characters and `?` for one. Case matters.
package struct Glob: Hashable, Sendable, CustomStringConvertible {
    package let description: String
    private let pattern: [Unicode.Scalar]

    package init(_ pattern: String) {
        description = pattern
        self.pattern = Array(pattern.unicodeScalars)
    }

    /// In at most pattern × text steps: on a mismatch only the last `*` takes one more character.
    package func matches(_ text: some StringProtocol) -> Bool {
        let text = Array(text.unicodeScalars)
        var (at, position) = (0, 0)
        var retry: (at: Int, position: Int)?
        while position < text.count {
            if at < pattern.count, pattern[at] == "*" {
                retry = (at, position)
                at += 1
            } else if at < pattern.count, pattern[at] == "?" || pattern[at] == text[position] {
                at += 1
                position += 1
            } else if let last = retry {
                retry = (last.at, last.position + 1)
                (at, position) = (last.at + 1, last.position + 1)
            } else {
                return false
            }
        }
        return pattern[at...].allSatisfy { $0 == "*" }
    }
}
