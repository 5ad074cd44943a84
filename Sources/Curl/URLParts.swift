internal import CCurl
internal import Glibc

/// A URL in its parts, read by libcurl's own parser, so that what is judged is what libcurl connects to.
///
/// Every spelling comes out in one form: an IPv4 address as dotted decimal whatever its radix, a name in lower case and ASCII
/// (IDNA), a path without dot segments, everything that is not ASCII percent-encoded. The fragment is dropped.
package struct URLParts: Hashable, Sendable {
    /// In lower case.
    package var scheme: String
    package var hasUserInfo: Bool
    /// Without brackets.
    package var host: String
    /// As written, or the scheme's own.
    package var port: Int
    /// Starts with "/".
    package var path: String
    /// Without the "?"; nil when there is none.
    package var query: String?

    /// Bytes of UTF-8, past which a text is no URL.
    package static let lengthLimit = 8192

    /// nil for what libcurl refuses, for spaces and control characters, without a host, for a scheme that libcurl doesn't know
    /// or none, for port 0 and for a zone id: nothing is guessed, and nothing thrown away in silence.
    package init?(_ text: String) {
        self.init(text, flags: CURLU_URLENCODE)
    }

    private init?(_ text: String, flags: Int32) {
        if let plain = URLParts(plain: text) {
            self = plain
            return
        }
        self.init(parsed: text, flags: flags)
    }

    /// As libcurl reads it.
    init?(parsed text: String, flags: Int32 = CURLU_URLENCODE) {
        guard let first = Self.read(text, flags: flags), let second = Self.read(first.text, flags: flags) else { return nil }
        // The second reading sees what decoding and IDNA made of the host: a %30x7f.1 or fullwidth digits are an address by then.
        self = second
        hasUserInfo = first.hasUserInfo
    }

    init(scheme: String, hasUserInfo: Bool, host: String, port: Int, path: String, query: String?) {
        self.scheme = scheme
        self.hasUserInfo = hasUserInfo
        self.host = host
        self.port = port
        self.path = path
        self.query = query
    }

    /// The URL that `reference`, a `Location` header for one, means when found at this one (RFC 3986 section 5.2); nil as for `init`.
    /// Spaces are encoded, as browsers and libcurl do for redirects.
    package func resolving(_ reference: String) -> URLParts? { resolving(plain: reference) ?? resolving(parsed: reference) }

    /// As libcurl reads it.
    func resolving(parsed reference: String) -> URLParts? {
        let flags = CURLU_URLENCODE | CURLU_ALLOW_SPACE
        if Self.scheme(of: reference) != nil { return URLParts(reference, flags: flags) }
        let relative = reference.prefix { $0 != "#" }
        let base = "\(origin)\(path)"
        let merged =
            if relative.hasPrefix("//") {
                "\(scheme):\(relative)"
            } else if relative.hasPrefix("/") {
                "\(origin)\(relative)"
            } else if relative.hasPrefix("?") {
                "\(base)\(relative)"
            } else if relative.isEmpty {
                query.map { "\(base)?\($0)" } ?? base
            } else {
                "\(origin)\(path.prefix(through: path.lastIndex(of: "/") ?? path.startIndex))\(relative)"
            }
        return URLParts(merged, flags: flags)
    }

    /// The scheme that a reference names, in lower case, whether or not the rest is a URL; nil for a relative one.
    package static func scheme(of reference: String) -> String? {
        guard let colon = reference.utf8.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        let name = reference.utf8[..<colon]
        let isLetter = { (byte: UInt8) in (97...122).contains(byte | 0x20) }
        guard let first = name.first, isLetter(first) else { return nil }
        let isName = name.allSatisfy { isLetter($0) || (48...57).contains($0) || [43, 45, 46].contains($0) }
        return isName ? String(reference[..<colon]).lowercased() : nil
    }

    /// Absolute, without userinfo and fragment; the port only where it isn't the scheme's own.
    package var text: String {
        let authority = port == Self.defaultPort(scheme) ? bracketedHost : "\(bracketedHost):\(port)"
        return "\(scheme)://\(authority)\(path)\(query.map { "?\($0)" } ?? "")"
    }

    /// `scheme://host:port`, the port always there.
    package var origin: String { "\(scheme)://\(bracketedHost):\(port)" }

    /// RFC 6454 section 5.
    package func hasOrigin(of other: URLParts) -> Bool {
        scheme == other.scheme && host == other.host && port == other.port
    }

    private var bracketedHost: String { host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host }

    private static func defaultPort(_ scheme: String) -> Int? {
        switch scheme {
        case "http": 80
        case "https": 443
        default: nil
        }
    }
}

extension URLParts {
    private static func read(_ text: String, flags: Int32) -> URLParts? {
        // libcurl, asked to encode, would encode a space unasked.
        let least: UInt8 = flags & CURLU_ALLOW_SPACE == 0 ? 0x21 : 0x20
        let isPlain = text.utf8.count <= lengthLimit && text.utf8.allSatisfy { $0 >= least && $0 != 0x7f }
        // libcurl also reads "http:/host" and "http:///host".
        guard isPlain, let scheme = scheme(of: text), let handle = URLHandle(),
            let rest = text.dropFirst(scheme.count).utf8.split(
                separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false
            ).last,
            rest.starts(with: "//".utf8), rest.dropFirst(2).first != UInt8(ascii: "/"),
            handle.set(text, flags), handle.part(CURLUPART_ZONEID) == nil,
            let host = handle.asciiHost(), !host.isEmpty,
            let port = handle.part(CURLUPART_PORT, UInt32(CURLU_DEFAULT_PORT)).flatMap({ Int($0) }), port > 0
        else { return nil }
        return URLParts(
            scheme: scheme,
            hasUserInfo: handle.part(CURLUPART_USER) != nil || handle.part(CURLUPART_PASSWORD) != nil,
            host: host, port: port, path: handle.part(CURLUPART_PATH) ?? "/", query: handle.part(CURLUPART_QUERY))
    }
}

/// One CURLU, freed with its last use.
private struct URLHandle: ~Copyable {
    private let pointer: OpaquePointer

    init?() {
        guard let pointer = curl_url() else { return nil }
        self.pointer = pointer
    }

    deinit { curl_url_cleanup(pointer) }

    func set(_ text: String, _ flags: Int32) -> Bool {
        curl_url_set(pointer, CURLUPART_URL, text, UInt32(flags)) == CURLUE_OK
    }

    func part(_ part: CURLUPart, _ flags: UInt32 = 0) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        let result = curl_url_get(pointer, part, &text, flags)
        // Also where it failed: of a host that is no international name, libcurl 7.88.1 leaves a copy.
        defer { curl_free(text) }
        guard result == CURLUE_OK, let text else { return nil }
        return String(validatingCString: text)
    }

    /// The host in lower case, ASCII and without brackets.
    func asciiHost() -> String? {
        guard var host = part(CURLUPART_HOST) else { return nil }
        if host.utf8.contains(where: { $0 >= 0x80 }) {
            guard let ascii = inUTF8Locale({ part(CURLUPART_HOST, UInt32(CURLU_PUNYCODE)) }) else { return nil }
            host = ascii
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        if let address = SocketAddress(host) { return address.text }
        // libcurl lets through what no resolver knows and a person could misread.
        let isName = host.utf8.allSatisfy {
            (97...122).contains($0 | 0x20) || (48...57).contains($0) || [45, 46, 95].contains($0)
        }
        return isName ? host.lowercased() : nil
    }

    /// libidn2 takes the host to be in the locale's encoding, and a process that sets no locale has plain ASCII.
    private func inUTF8Locale(_ body: () -> String?) -> String? {
        guard let locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nil) else { return nil }
        defer { freelocale(locale) }
        let before = uselocale(locale)
        defer { uselocale(before) }
        return body()
    }
}
