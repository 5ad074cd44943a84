import TestSupport

/// A request that was good once. Everything about it follows from its generator.
struct Mutant {
    /// It is no HTTP, or nobody can say where it ends: the server may answer and close, or just close.
    private(set) var isBroken = false
    /// The token is missing or wrong.
    private(set) var isStranger = false
    var isHead: Bool { method == "HEAD" }
    var firstWords: String { "\(method) \(path.prefix(200))" }
    /// As it stands on the wire.
    private(set) var bytes: [UInt8] = []

    private var generator: SeededGenerator
    private var method: String
    private var path: String
    private var version = "HTTP/1.1"
    private var headers: [(name: String, value: String)] = [("Host", "127.0.0.1"), ("Authorization", registryToken)]
    private var body: [UInt8]?
    /// How long the body is said to be; nil: as long as it is.
    private var length: String?
    private let tag: String

    private static let clients = [documentedClient, "c", "a%20b", "%C3%BC"]
    private static let draft = [
        ("targetName", #""n""#), ("targetBaseURL", #""https://a.example""#), ("targetTestPath", #""/t""#),
        ("targetRegion", #""r""#),
        ("targetDefaultRuleEffect", #""deny""#),
    ]

    /// - Parameters:
    ///   - key: of a target of the documented client that may still be there.
    ///   - tag: of anything.
    init(generator: SeededGenerator, key: String, tag: String) {
        (self.generator, self.tag) = (generator, tag)
        let (list, one) = (targetsPath, "\(targetsPath)/\(key)")
        // Few deletes: what isn't there can't be changed.
        let kind = Int.random(in: 0..<20, using: &self.generator)
        switch kind {
        case ..<4: (method, path) = ("GET", list)
        case ..<8: (method, path) = ("GET", one)
        case ..<13: (method, path) = ("POST", list)
        case ..<19: (method, path) = ("PUT", one)
        default: (method, path) = ("DELETE", one)
        }
        if Int.random(in: 0..<8, using: &self.generator) == 0 {
            headers.append((method == "GET" ? "If-None-Match" : "If-Match", self.one(of: ["*", tag])))
        }
        guard (8..<19).contains(kind) else { return }
        headers.append(("Content-Type", "application/json"))
        // An update sends what it wants to change, and never the region.
        let members = method == "POST" ? Self.draft : [Self.draft[0], Self.draft[2]]
        body = Self.json(members)
    }

    /// Changes a few things, or nothing.
    mutating func mutate() {
        for _ in 0..<Int.random(in: 0...3, using: &generator) {
            switch Int.random(in: 0..<32, using: &generator) {
            case ..<5: changePath()
            case ..<9: changeHeader()
            case ..<15: changeBody()
            case ..<18: changeToken()
            case ..<20:
                method = one(of: ["PATCH", "OPTIONS", "HEAD", "TRACE", "PURGE", "PROPFIND", "POST", "PUT", "GET", "DELETE"])
            case ..<22: chunk()
            case ..<25: breakHeader()
            case ..<27: breakLength()
            case ..<29: breakFirstLine()
            default: isBroken = true
            }
        }
        bytes = written()
        if isBroken { damage() }
    }

    private mutating func one<Value>(of all: [Value]) -> Value { all[Int.random(in: 0..<all.count, using: &generator)] }

    private static func json(_ members: [(String, String)]) -> [UInt8] {
        Array(("{" + members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}").utf8)
    }

    private func written() -> [UInt8] {
        var lines = ["\(method) \(path) \(version)"] + headers.map { "\($0.name): \($0.value)" }
        if let length { lines.append("Content-Length: \(length)") }
        if let body, length == nil, !headers.contains(where: { $0.name == "Transfer-Encoding" }) {
            lines.append("Content-Length: \(body.count)")
        }
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + (body ?? [])
    }

    // MARK: What is still HTTP

    private mutating func changePath() {
        let odd = [
            "%00", "%", "%z", "%zz", "%2F", "%2f..", "%C3%28", "%ff", "%F0%9F%98%80", "%25", "..", ".", "//", ";", "'", "\"", "*",
            "+",
            "%0d%0aX:%20y", String(repeating: "a", count: 300), String(repeating: "%61", count: 257),
            String(repeating: "/x", count: 999),
        ]
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        switch Int.random(in: 0..<6, using: &generator) {
        case 0:
            let place = path.index(path.startIndex, offsetBy: .random(in: min(1, path.count)...path.count, using: &generator))
            path = path[..<place] + one(of: odd) + path[place...]
        case 1: path = path.replacing(documentedClient, with: one(of: Self.clients + odd))
        case 2: path = parts.dropLast().joined(separator: "/") + "/" + one(of: odd + ["tgt_none", "", "targets"])
        case 3: path += "?" + one(of: odd + ["", "a=b&a=c", "page=1&limit=-1", "q=\(registryToken)"])
        case 4: path = "/" + parts.dropFirst(Int.random(in: 1...5, using: &generator)).joined(separator: "/")
        default: path = one(of: ["/", "/api", "/api/clients", "http://127.0.0.1\(path)", "/metrics", "//\(path)", path + "/"])
        }
    }

    private mutating func changeHeader() {
        let text = [
            "", "*", tag, "W/\(tag)", "\(tag), \"1\"", "\"", ",,,", "\"\(String(repeating: "x", count: 999))\"", "\u{FC}", "a b",
            String(repeating: "k", count: 256), "-1", "\t",
        ]
        let name = one(of: [
            "If-Match", "If-None-Match", "If-None-Match", "Idempotency-Key", "Idempotency-Key", "Content-Type", "Origin",
            "Sec-Fetch-Site", "Host", "Accept", "Range", "Cookie", "X-\(String(repeating: "x", count: 200))",
        ])
        switch name {
        case "Content-Type":
            headers.removeAll { $0.name == name }
            headers.append((name, one(of: ["text/plain", "", "APPLICATION/JSON; charset=x", "application/json;", ";"])))
        case "Origin": headers.append((name, one(of: ["null", "https://evil.example", "http://127.0.0.1", ""])))
        case "Sec-Fetch-Site": headers.append((name, one(of: ["cross-site", "same-origin", "none", "\u{FC}"])))
        case "Host":
            // A second one, another one, or none.
            if Bool.random(using: &generator) { headers.removeAll { $0.name == name } }
            if Bool.random(using: &generator) {
                headers.append((name, one(of: ["rebound.example", "[::1]:1", "localhost", "", "a:b"])))
            }
        default: headers.append((name, one(of: text)))
        }
    }

    private mutating func changeToken() {
        isStranger = true
        headers.removeAll { $0.name == "Authorization" }
        let wrong = [
            "", "wrong", "Bearer \(registryToken)", registryToken + "x", String(registryToken.dropLast()),
            registryToken.uppercased(),
            "\(registryToken),\(registryToken)", "\u{FC}", String(repeating: "t", count: 5000), "'; DROP TABLE target; --",
        ]
        if Int.random(in: 0..<4, using: &generator) > 0 { headers.append(("Authorization", one(of: wrong))) }
    }

    private mutating func changeBody() {
        // What was cut into chunks stays so.
        guard !headers.contains(where: { $0.name == "Transfer-Encoding" }) else { return }
        let deep = Int.random(in: 1...30_000, using: &generator)
        let values = [
            "null", "7", "-0", "1e999", "true", "[]", "{}", "\"\"", #""\ud800""#, #""\u0000""#, "\"\u{7}\"", #""ALLOW""#,
            "\"\u{1F600}\"",
            "\"\(String(repeating: "x", count: 2100))\"", "\"\(String(repeating: "\\u00fc", count: 300))\"", "[[\"a\"]]", "\"a",
            "nul",
            String(repeating: "[", count: deep) + String(repeating: "]", count: deep),
            String(repeating: #"{"a":"#, count: deep / 5) + "1" + String(repeating: "}", count: deep / 5),
        ]
        var members = Self.draft
        switch Int.random(in: 0..<8, using: &generator) {
        case 0...2: members[Int.random(in: 0..<members.count, using: &generator)].1 = one(of: values)
        case 3: members.remove(at: Int.random(in: 0..<members.count, using: &generator))
        case 4: members.append((one(of: ["targetName", "sKey", "pKey", "", "targetCreatedAt", "__proto__"]), one(of: values)))
        case 5: members = [("targetName", "\"\(String(repeating: "x", count: one(of: [65_000, 65_536, 70_000, 200_000])))\"")]
        default: break
        }
        var json = Self.json(members)
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: json = Array(one(of: values).utf8)
        case 1: json.removeLast(Int.random(in: 0...json.count, using: &generator))
        case 2: json[Int.random(in: 0..<json.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
        case 3:
            json =
                one(of: [[0xEF, 0xBB, 0xBF], [0xFF, 0xFE], Array("  \n".utf8), [0]]) + json
                + one(of: [[], [0], Array("{}".utf8)])
        default: break
        }
        body = json
    }

    /// The same body in chunks; what is behind a semicolon means nothing.
    private mutating func chunk() {
        guard let body, length == nil, !headers.contains(where: { $0.name == "Transfer-Encoding" }) else { return }
        let size = max(1, Int.random(in: max(1, body.count / 9)...max(1, body.count), using: &generator))
        var chunks: [UInt8] = []
        for start in stride(from: 0, to: body.count, by: size) {
            let part = body[start..<min(start + size, body.count)]
            chunks += Array((String(part.count, radix: 16) + one(of: ["", ";a=b"]) + "\r\n").utf8) + part + Array("\r\n".utf8)
        }
        self.body = chunks + Array(one(of: ["0\r\n\r\n", "0\r\nX-Trailer: 1\r\n\r\n"]).utf8)
        headers.append(("Transfer-Encoding", "chunked"))
    }

    // MARK: What isn't

    private mutating func breakHeader() {
        isBroken = true
        headers.append(
            one(of: [
                ("no colon\r\nX", ""), ("a b", "c"), ("", "x"), ("X\0", "y"), ("X", "a\0b"), ("X", "a\r\n b"), ("X", "a\rb"),
                ("X", "a\nb"),
                ("X", String(repeating: "h", count: 100_000)), ("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "gzip, x"),
                ("Connection", "upgrade\r\nUpgrade: h2c"), ("Expect", "100-continue"), ("Expect", "7"), ("Connection", "close"),
                ("Content-Length", "3"), ("X", String(repeating: "1\r\nX: ", count: 2000)), ("\u{FC}", "y"),
                ("Authorization", "second"),
            ]))
    }

    private mutating func breakLength() {
        isBroken = true
        let count = body?.count ?? 0
        length = one(of: [
            "\(count + 9)", "\(max(0, count - 9))", "-1", "+\(count)", "0x10", "", "\(count), \(count)", "9223372036854775807",
            "99999999999999999999999", "\(count)\r\nContent-Length: \(count + 1)", " \(count) x", "1e3",
        ])
    }

    private mutating func breakFirstLine() {
        isBroken = true
        switch Int.random(in: 0..<4, using: &generator) {
        case 0:
            method = one(of: [
                "", "get", "G\0T", "CONNECT", "PRI", "FOO", String(repeating: "A", count: 9000), "\u{FC}", "GET GET",
            ])
        case 1: version = one(of: ["", "HTTP/1.0", "HTTP/2.0", "HTTP/1.1 x", "HTTP/9.99", "http/1.1", "SIP/2.0", "HTTP/1.1\n"])
        case 2: path += one(of: [" ", "\0", "\u{FC}", "#f", "\u{7F}", "\r", "\t", String(repeating: "p", count: 100_000)])
        default: path = one(of: ["", "*", "api", "?", "127.0.0.1:80", "ftp://x/", "\\", "http://[", "http://"])
        }
    }

    /// Single bytes, anywhere: a wrong token might become the right one by it.
    private mutating func damage() {
        guard !isStranger, Bool.random(using: &generator) else { return }
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes.insert(one(of: [0, 10, 13, 32, 58, 255]), at: place)
            case 2: bytes.remove(at: place)
            default: bytes.removeSubrange(place...)
            }
        }
    }
}
