import Health

/// A URL of the configuration, or a pattern of URLs, split at its delimiters: nothing is decoded, normalized or judged.
///
/// Curl's `URLParts` is another thing: libcurl's reading of the URL that a request goes to. That reading refuses the `*` of a pattern and
/// rewrites a host and a path, and a message about the configuration is about what the file says.
struct SplitURL {
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
