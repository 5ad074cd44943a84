/// A URL with every value of its query replaced by `…`, and without userinfo and fragment: there a URL may keep secrets.
/// A part of the query without `=` may be a value as well as a name, so it is replaced too.
package func urlWithoutSecrets(_ url: String) -> String {
    guard url.utf8.contains(where: { "?#@".utf8.contains($0) }) else { return url }
    let withoutFragment = url.prefix { $0 != "#" }
    let parts = withoutFragment.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    var shown = withoutUserinfo(parts.first ?? "")
    if parts.count == 2 {
        let pairs = parts[1].split(separator: "&", omittingEmptySubsequences: false).map { pair in
            guard let equals = pair.firstIndex(of: "=") else { return pair.isEmpty ? "" : "…" }
            return pair[...equals] + "…"
        }
        shown += "?" + pairs.joined(separator: "&")
    }
    return shown
}

private func withoutUserinfo(_ url: Substring) -> String {
    let scheme = url.prefix { $0 != "/" }
    let rest = url[scheme.endIndex...]
    guard scheme.last == ":", rest.hasPrefix("//") else { return String(url) }
    let authority = rest.dropFirst(2).prefix { $0 != "/" && $0 != "\\" }
    guard let at = authority.lastIndex(of: "@") else { return String(url) }
    return scheme + "//…" + url[at...]
}
