import Health

extension ValueParser where Answer == ListenAddress {
    static var address: ValueParser {
        ValueParser("HOST:PORT, as in 127.0.0.1:10115 or \"[::1]:10115\" with its quotes") { text in
            let (host, port) = SplitURL.hostAndPort(text)
            guard !host.isEmpty, isHost(host), let port = port.flatMap(parseWhole), (0...65535).contains(port) else { return nil }
            return ListenAddress(host: host, port: port)
        }
    }
}

extension ValueParser where Answer == String {
    /// An http or https URL without user, query or fragment.
    static var webURL: ValueParser {
        ValueParser.text().checked { text in
            let problem = webURLProblem(text)
            return problem == noWebURL ? "\(noWebURL), not \(shown(text))" : problem
        }
    }
}

private let noWebURL = "must be a URL that begins with https:// or http://"

/// Why a text can't be asked as an http or https URL, without the text: it may be a secret.
///
/// - Parameter mayHoldQuery: of what people paste from a service, where the query can be what lets them in.
func webURLProblem(_ text: String, mayHoldQuery: Bool = false) -> String? {
    guard let parts = SplitURL(text), ["http", "https"].contains(parts.scheme) else { return noWebURL }
    // First: without a '/' before them they would be part of the port.
    if !mayHoldQuery, text.contains(where: { $0 == "?" || $0 == "#" }) { return "must not hold a '?' or '#'" }
    if parts.hasUserInfo { return "must not hold a user or password" }
    if !isHost(parts.host) { return "has no host that could be asked" }
    if let port = parts.port, !(parseWhole(port).map { (1...65535).contains($0) } ?? false) {
        return "has a port that is no number from 1 to 65535"
    }
    return text.utf8.allSatisfy { (0x21...0x7E).contains($0) } ? nil : "holds a character that has to be percent-encoded"
}

extension ValueParser where Answer == CIDR {
    static var block: ValueParser {
        ValueParser("an address or block, as in 10.0.0.0/8 or 2001:db8::/32") { CIDR($0) }
    }
}

extension ValueParser where Answer == ProbePolicy.ProxyAddress {
    /// `http://HOST:PORT` of a proxy that is asked to CONNECT.
    static var proxy: ValueParser {
        ValueParser { value, diagnostics in
            guard let text = ValueParser<String>.text().read(value, diagnostics) else { return nil }
            let parts = SplitURL(text)
            let port = parts?.port.map(parseWhole) ?? 80
            let problem: String? =
                if parts?.scheme != "http" {
                    "must be http://HOST:PORT: only an HTTP proxy that can CONNECT is asked"
                } else if parts?.hasUserInfo == true {
                    "must not hold a user or password; set a secret header Proxy-Authorization, which only the proxy gets"
                } else if parts.map({ isHost($0.host) }) != true {
                    "has no host that could be asked"
                } else if port.map({ (1...65535).contains($0) }) != true {
                    "has a port that is no number from 1 to 65535"
                } else if let path = parts?.path, !["", "/"].contains(path) { "must end with the port" } else { nil }
            if let problem {
                diagnostics.error("\(value.label) \(problem)", at: value.location)
                return nil
            }
            return parts.flatMap { parts in port.map { ProbePolicy.ProxyAddress(host: parts.host, port: $0) } }
        }
    }
}

extension ValueParser where Answer == EgressRule.DenyEntry {
    /// A class of addresses by its name, or a block.
    static var denyEntry: ValueParser {
        let names = EgressRule.AddressClass.allCases.map(\.rawValue)
        return ValueParser { value, diagnostics in
            if let text = value.text {
                if let addressClass = EgressRule.AddressClass(rawValue: text) { return .addressClass(addressClass) }
                if let block = CIDR(text) { return .block(block) }
            }
            let meant = value.text.flatMap { nearest(to: $0, among: names) }.map { "; did you mean '\($0)'?" } ?? ""
            diagnostics.error(
                "\(value.label) must be \(names.joined(separator: ", ")) or a block such as 10.0.0.0/8, "
                    + "not \(value.kindName)\(meant)", at: value.location)
            return nil
        }
    }
}

extension ValueParser where Answer == Shard {
    static var shard: ValueParser {
        ValueParser("the share of this daemon, as in 2/5 for the second of five") { text in
            Shard(text, countLimit: 10_000)
        }
    }
}

/// An address, or letters, digits, dots, hyphens and underscores: what a name of a host is made of.
private func isHost(_ host: String) -> Bool {
    let isName = host.utf8.allSatisfy { byte in
        (48...57).contains(byte) || (97...122).contains(byte | 0x20) || byte == 45 || byte == 46 || byte == 95
    }
    return IPAddress(host) != nil || (!host.isEmpty && host.utf8.count <= 253 && isName)
}
