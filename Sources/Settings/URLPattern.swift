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
        guard let parts = URLParts(text) else { throw .noScheme }
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

/// A URL taken apart where its delimiters are, without a judgement on the parts.
struct URLParts {
    /// Scheme and host are in lower case; an IPv6 address has no brackets.
    var scheme: String
    var hasUserInfo: Bool
    var host: String
    var port: String?
    /// Everything from the first `/` after the host, or nothing.
    var path: String

    /// Nil when there is no `://`.
    init?(_ text: String) {
        let pieces = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard pieces.count == 2, !pieces[0].isEmpty else { return nil }
        scheme = pieces[0].lowercased()
        let authority = pieces[1].prefix { $0 != "/" }
        path = String(pieces[1].dropFirst(authority.count))
        hasUserInfo = authority.contains("@")
        (host, port) = Self.hostAndPort(authority)
        host = host.lowercased()
    }

    /// `name`, `name:port`, `[address]` or `[address]:port`; the host is empty when it is none of these.
    static func hostAndPort(_ authority: some StringProtocol) -> (host: String, port: String?) {
        if authority.first == "[" {
            guard let end = authority.firstIndex(of: "]"),
                IPAddress(authority[authority.index(after: authority.startIndex)..<end]) != nil
            else { return ("", nil) }
            let host = String(authority[authority.index(after: authority.startIndex)..<end])
            let rest = authority[authority.index(after: end)...]
            if rest.isEmpty { return (host, nil) }
            return rest.first == ":" ? (host, String(rest.dropFirst())) : ("", nil)
        }
        let pieces = authority.split(separator: ":", omittingEmptySubsequences: false)
        switch pieces.count {
        case 1: return (String(pieces[0]), nil)
        case 2: return (String(pieces[0]), String(pieces[1]))
        default: return ("", nil)
        }
    }
}
