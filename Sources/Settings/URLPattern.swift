import Health

/// `match.url`: scheme, host and port, and path, each compared on its own, so that no wildcard reaches into the next part.
///
/// `*` in the host stays in the host; in the path it never crosses a `/`. Without a path every path matches; without a port the
/// scheme's own does.
package struct URLPattern: Hashable, Sendable {
    private enum Port: Hashable { case ofScheme, any, exactly(Int) }

    private let scheme: Glob
    private let host: Glob
    private let port: Port
    /// Nil for every path; else what stands between the slashes.
    private let segments: [Glob]?

    package enum Problem: Error {
        case noScheme, schemeUnknown, userInfo, noHost, portUnreadable, fragment

        var sentence: String {
            switch self {
            case .noScheme: "must begin with https://, http:// or *://"
            case .schemeUnknown: "must have the scheme https, http or *: nothing else is probed"
            case .userInfo: "holds a user or password before '@', which never matches"
            case .noHost: "has no host"
            case .portUnreadable: "must have a number or * as its port"
            case .fragment: "holds a '#', which never matches"
            }
        }
    }

    package init(_ text: String) throws(Problem) {
        guard let parts = SplitURL(text) else { throw .noScheme }
        guard ["https", "http", "*"].contains(parts.scheme) else { throw .schemeUnknown }
        guard !text.contains("#") else { throw .fragment }
        guard !parts.hasUserInfo else { throw .userInfo }
        guard !parts.host.isEmpty else { throw .noHost }
        switch parts.port {
        case nil: port = .ofScheme
        case "*": port = .any
        case let text?:
            guard let number = parseWhole(text), (1...65535).contains(number) else { throw .portUnreadable }
            port = .exactly(number)
        }
        scheme = Glob(parts.scheme)
        host = Glob(parts.host)
        segments =
            parts.path.isEmpty ? nil : parts.path.split(separator: "/", omittingEmptySubsequences: false).map { Glob(String($0)) }
    }

    package func matches(_ url: MatchedURL) -> Bool {
        guard scheme.matches(url.scheme), host.matches(url.host) else { return false }
        switch port {
        case .any: break
        case .exactly(let number): guard url.port == number else { return false }
        case .ofScheme: guard url.port == (url.scheme == "https" ? 443 : 80) else { return false }
        }
        guard let segments else { return true }
        let found = url.path.split(separator: "/", omittingEmptySubsequences: false)
        return found.count == segments.count && zip(segments, found).allSatisfy { $0.matches($1) }
    }

    /// Whether a secret may go where this pattern matches: whoever may name a target can't choose a host of theirs that does.
    ///
    /// That is https with the last two labels of the host written out, or the loopback, which may be http.
    package var mayCarrySecrets: Bool {
        let text = host.description
        let isLiteral = !text.contains { $0 == "*" || $0 == "?" }
        if isLiteral && ["http", "https"].contains(scheme.description) && isLoopback(host: text) { return true }
        guard scheme.description == "https" else { return false }
        guard !isLiteral else { return true }
        let lastTwo = text.split(separator: ".", omittingEmptySubsequences: false).suffix(2)
        return lastTwo.count == 2
            && lastTwo.allSatisfy { label in !label.isEmpty && !label.contains { $0 == "*" || $0 == "?" } }
            // The last labels of an address say nothing about whose it is.
            && !(lastTwo.last.map { $0.allSatisfy(\.isNumber) } ?? true)
    }
}
