/// Who may ask for what on a listener, judged by the request's headers alone.
///
/// A page of a stranger's site can make a browser send requests here. It can't choose the `Host` that the browser sends, unless
/// its own name resolves to us (DNS rebinding), and it can't leave out `Origin` or `Sec-Fetch-Site` where something is changed.
package struct RequestRules: Sendable {
    package enum Refusal: Hashable, Sendable {
        case hostMissing
        case hostUnknown(String)
        case foreignOrigin

        /// The status of the answer.
        package var status: Int {
            switch self {
            case .hostMissing: 400
            case .hostUnknown: 421
            case .foreignOrigin: 403
            }
        }

        /// Safe to show.
        package var sentence: String {
            switch self {
            case .hostMissing: "the request needs exactly one Host header"
            case .hostUnknown(let name):
                "this listener is not known as \(displayText(name)); add the name to listen_names if it should be"
            case .foreignOrigin: "requests that change something are not taken from other sites' pages"
            }
        }
    }

    private let names: Set<String>

    /// `names`: the machine's name and the configured `listen_names`; IP literals and `localhost` need not be named.
    package init(names: [String]) {
        self.names = Set((names + ["localhost"]).map(Self.plainName))
    }

    /// Why a request is refused, or nil. `host` is the one `Host` header, nil when there is none or more than one.
    package func refusal(method: String, host: String?, origin: String?, secFetchSite: String?) -> Refusal? {
        guard let host, !host.isEmpty else { return .hostMissing }
        let name = Self.name(of: host)
        guard IPAddress(name) != nil || names.contains(Self.plainName(name)) else { return .hostUnknown(host) }
        guard !["GET", "HEAD", "OPTIONS"].contains(method) else { return nil }
        if let secFetchSite, secFetchSite != "same-origin", secFetchSite != "none" { return .foreignOrigin }
        if let origin {
            let ours = ["http://", "https://"].map { $0 + host.lowercased() }
            guard ours.contains(origin.lowercased()) else { return .foreignOrigin }
        }
        return nil
    }

    /// A `Host` without its port, and without the brackets of an IPv6 literal.
    private static func name(of host: String) -> String {
        if host.hasPrefix("["), let end = host.lastIndex(of: "]"), isPortOrNothing(host[host.index(after: end)...]) {
            return String(host[host.index(after: host.startIndex)..<end])
        }
        guard let colon = host.lastIndex(of: ":"), isPortOrNothing(host[colon...]) else { return host }
        return String(host[..<colon])
    }

    private static func isPortOrNothing(_ text: Substring) -> Bool {
        text.isEmpty || (text.first == ":" && text.dropFirst().utf8.allSatisfy { (48...57).contains($0) })
    }

    /// Names of hosts don't tell upper case from lower, and may end in the root's dot.
    private static func plainName(_ name: String) -> String {
        let lowercase = name.lowercased()
        return lowercase.hasSuffix(".") ? String(lowercase.dropLast()) : lowercase
    }
}
