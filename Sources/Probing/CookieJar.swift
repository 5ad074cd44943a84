import Curl
import Health

/// The cookies that are set on one probe's way over its redirects, and where they are sent (RFC 6265). Forgotten with the walk.
///
/// A cookie's bytes are the server's own and stay as they are.
struct CookieJar {
    static let cookiesMax = 50
    /// Of one cookie's name and value, as browsers have it.
    static let cookieBytesMax = 4096
    /// Of all names and values together.
    static let bytesMax = 16 << 10

    private struct Cookie {
        var name: [UInt8]
        var value: [UInt8]
        /// In lower case.
        var domain: String
        var isHostOnly: Bool
        var path: [UInt8]
        var isSecure: Bool
        /// nil: the end of the walk.
        var expiry: Timestamp?

        var byteCount: Int { name.count + value.count }
    }

    /// In the order in which they were first set.
    private var cookies: [Cookie] = []

    /// What a server gave itself to remember.
    var values: [String] { cookies.map { String(decoding: $0.value, as: UTF8.self) } }

    /// Takes the values of an answer's `Set-Cookie` headers. What breaks a rule is ignored, as browsers do.
    mutating func store(_ values: [[UInt8]], from url: URLParts, at now: Timestamp) {
        for value in values {
            guard let cookie = Self.read(value, from: url, at: now) else { continue }
            let known = cookies.firstIndex { $0.name == cookie.name && $0.domain == cookie.domain && $0.path == cookie.path }
            if let expiry = cookie.expiry, expiry <= now {
                if let known { cookies.remove(at: known) }
            } else if cookies.reduce(cookie.byteCount - (known.map { cookies[$0].byteCount } ?? 0), { $0 + $1.byteCount })
                > Self.bytesMax
            {
                continue
            } else if let known {
                cookies[known] = cookie
            } else if cookies.count < Self.cookiesMax {
                cookies.append(cookie)
            }
        }
    }

    /// The value of the header `Cookie` in a request; nil when none is for it.
    ///
    /// - Parameter configured: values of such headers that the request has already. What a server has set stands in place of one of its name.
    func header(for url: URLParts, at now: Timestamp, besides configured: [String]) -> [UInt8]? {
        let path = Array(url.path.utf8)
        let own = cookies.filter { cookie in
            (cookie.expiry.map { $0 > now } ?? true) && (!cookie.isSecure || url.scheme == "https")
                && (cookie.isHostOnly ? url.host == cookie.domain : Self.matches(url.host, cookie.domain))
                && Self.matches(path, cookie.path)
        }
        guard !own.isEmpty else { return nil }
        let kept = configured.flatMap { $0.utf8.split(separator: UInt8(ascii: ";")) }.map { trimmed($0[...]) }.filter { pair in
            !own.contains { $0.name.elementsEqual(trimmed(pair.prefix { $0 != UInt8(ascii: "=") })) }
        }
        // Longer paths first (section 5.4); the sort keeps the order of equals.
        let sent = own.sorted { $0.path.count > $1.path.count }.map { $0.name + [UInt8(ascii: "=")] + $0.value }
        return Array((kept.map { Array($0) } + sent).joined(separator: "; ".utf8))
    }

    // MARK: Reading (sections 5.2 and 5.3)

    private static func read(_ text: [UInt8], from url: URLParts, at now: Timestamp) -> Cookie? {
        guard !text.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7f }) else { return nil }
        let parts = text.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
        guard let pair = parts.first, let (name, value) = halves(pair), !name.isEmpty,
            name.count + value.count <= cookieBytesMax
        else { return nil }
        var cookie = Cookie(
            name: name, value: value, domain: url.host, isHostOnly: true, path: defaultPath(of: url), isSecure: false)
        var maxAge: Timestamp?
        for part in parts.dropFirst() {
            let (name, value) = halves(part) ?? (Array(trimmed(part)), [])
            switch String(decoding: name, as: UTF8.self).lowercased() {
            case "expires": cookie.expiry = Timestamp(httpDate: value) ?? cookie.expiry
            case "max-age": maxAge = end(value, at: now) ?? maxAge
            case "domain":
                guard setDomain(String(decoding: value, as: UTF8.self).lowercased(), of: &cookie, from: url) else { return nil }
            case "path": cookie.path = value.first == UInt8(ascii: "/") ? value : defaultPath(of: url)
            case "secure": cookie.isSecure = true
            default: break
            }
        }
        cookie.expiry = maxAge ?? cookie.expiry
        // Who can't be trusted to be that server must not set what only that server may (RFC 6265bis section 5.7).
        return cookie.isSecure && url.scheme != "https" ? nil : cookie
    }

    /// False for a domain that isn't the server's to set, which costs the cookie.
    private static func setDomain(_ value: String, of cookie: inout Cookie, from url: URLParts) -> Bool {
        let domain = value.hasPrefix(".") ? String(value.dropFirst()) : value
        if domain.isEmpty || domain == url.host && (isAddress(domain) || !domain.contains(".")) {
            (cookie.domain, cookie.isHostOnly) = (url.host, true)
            return true
        }
        // One label alone is a registry of names, and everybody's below it.
        guard domain.contains("."), matches(url.host, domain) else { return false }
        (cookie.domain, cookie.isHostOnly) = (domain, false)
        return true
    }

    private static func halves(_ text: ArraySlice<UInt8>) -> (name: [UInt8], value: [UInt8])? {
        guard let sign = text.firstIndex(of: UInt8(ascii: "=")) else { return nil }
        return (Array(trimmed(text[..<sign])), Array(trimmed(text[(sign + 1)...])))
    }

    /// Of `Max-Age`; nil for what is no number. One past all numbers has no end.
    private static func end(_ value: [UInt8], at now: Timestamp) -> Timestamp? {
        let isNegative = value.first == UInt8(ascii: "-")
        let digits = value.dropFirst(isNegative ? 1 : 0)
        guard !digits.isEmpty, digits.allSatisfy({ (48...57).contains($0) }) else { return nil }
        if isNegative { return now }
        return now + .seconds(Int64(Int32(String(decoding: digits, as: UTF8.self)) ?? .max))
    }

    /// Section 5.1.4.
    private static func defaultPath(of url: URLParts) -> [UInt8] {
        let path = Array(url.path.utf8)
        guard path.first == UInt8(ascii: "/"), let last = path.lastIndex(of: UInt8(ascii: "/")), last > 0 else {
            return [UInt8(ascii: "/")]
        }
        return Array(path[..<last])
    }

    private static func matches(_ path: [UInt8], _ cookiePath: [UInt8]) -> Bool {
        path.starts(with: cookiePath)
            && (path.count == cookiePath.count || cookiePath.last == UInt8(ascii: "/")
                || path[cookiePath.count] == UInt8(ascii: "/"))
    }

    /// Section 5.1.3.
    private static func matches(_ host: String, _ domain: String) -> Bool {
        host == domain || host.hasSuffix("." + domain) && !isAddress(host)
    }

    private static func isAddress(_ host: String) -> Bool { SocketAddress(host) != nil }
}

private func trimmed<Bytes: BidirectionalCollection<UInt8>>(_ bytes: Bytes) -> Bytes.SubSequence
where Bytes.SubSequence: BidirectionalCollection {
    let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
    var rest = bytes.drop(while: isBlank)
    while let last = rest.last, isBlank(last) { rest = rest.dropLast() }
    return rest
}
