/// URLs so plain that there is one way to read them: nearly all are, and libcurl's parser takes fifteen microseconds for two of them.
extension URLParts {
    /// A lower-case `http` or `https` URL of a host of letters, digits, dashes and dots that is no number in disguise, a port of plain
    /// digits, and a path and query of characters that stay as they are, without a `%` and without a segment that begins with a dot.
    /// nil says nothing about the others: those are libcurl's to read. Tests hold the two readings against each other.
    init?(plain text: String) {
        var text = text
        let parts: URLParts? = text.withUTF8 { bytes in
            let isSecure = bytes.starts(with: "https://".utf8)
            guard isSecure || bytes.starts(with: "http://".utf8) else { return nil }
            let scheme = isSecure ? "https" : "http"
            let rest = bytes[scheme.utf8.count + 3..<bytes.count]
            guard bytes.count <= Self.lengthLimit, let (host, port, end) = Self.plainAuthority(rest) else { return nil }
            guard let (path, query) = Self.plainPath(rest[end...]) else { return nil }
            return URLParts(
                scheme: scheme, hasUserInfo: false, host: host, port: port ?? (isSecure ? 443 : 80), path: path, query: query)
        }
        guard let parts else { return nil }
        self = parts
    }

    /// The same for a reference that is an absolute path, which is what nearly every test path is. nil says nothing about the others.
    func resolving(plain reference: String) -> URLParts? {
        var reference = reference
        let found = reference.withUTF8 { bytes -> (path: String, query: String?)? in
            guard bytes.first == UInt8(ascii: "/"), !bytes.starts(with: "//".utf8) else { return nil }
            return Self.plainPath(bytes[...])
        }
        // The longest origin besides: the limit is the whole text's.
        guard let (path, query) = found, reference.utf8.count <= Self.lengthLimit / 2, host.utf8.count <= 253 else { return nil }
        return URLParts(scheme: scheme, hasUserInfo: false, host: host, port: port, path: path, query: query)
    }

    private static func plainAuthority(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> (host: String, port: Int?, end: Int)? {
        let isOfHost = { (byte: UInt8) in isLowerAlphanumeric(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") }
        let host = bytes[..<(bytes.firstIndex { !isOfHost($0) } ?? bytes.endIndex)]
        guard let last = host.last, host.count <= 253, host.first != UInt8(ascii: "."), last != UInt8(ascii: ".") else {
            return nil
        }
        let text = String(decoding: host, as: UTF8.self)
        // A last label that begins with a digit may be a part of an address in any radix.
        let lastDot = host.lastIndex(of: UInt8(ascii: "."))
        let first = host[lastDot.map { $0 + 1 } ?? host.startIndex]
        if isDigit(first), SocketAddress(text)?.text != text { return nil }
        guard host.endIndex < bytes.endIndex, bytes[host.endIndex] == UInt8(ascii: ":") else { return (text, nil, host.endIndex) }
        let rest = bytes[(host.endIndex + 1)...]
        let digits = rest[..<(rest.firstIndex { !isDigit($0) } ?? rest.endIndex)]
        guard (1...5).contains(digits.count), digits.first != UInt8(ascii: "0"),
            let port = Int(String(decoding: digits, as: UTF8.self)), port <= 65_535
        else { return nil }
        return (text, port, digits.endIndex)
    }

    private static func plainPath(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> (path: String, query: String?)? {
        guard let first = bytes.first else { return ("/", nil) }
        guard first == UInt8(ascii: "/") else { return nil }
        var before: UInt8 = 0
        var query: Int?
        for index in bytes.indices {
            let byte = bytes[index]
            if byte == UInt8(ascii: "?"), query == nil {
                query = index
            } else if byte == UInt8(ascii: "."), before == UInt8(ascii: "/"), query == nil {
                return nil
            } else if !isLowerAlphanumeric(byte), !(65...90).contains(byte), !"/-._~=&,:".utf8.contains(byte) {
                return nil
            }
            before = byte
        }
        let path = String(decoding: bytes[..<(query ?? bytes.endIndex)], as: UTF8.self)
        return (path, query.map { String(decoding: bytes[($0 + 1)...], as: UTF8.self) })
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
    private static func isLowerAlphanumeric(_ byte: UInt8) -> Bool { (97...122).contains(byte) || isDigit(byte) }
}
