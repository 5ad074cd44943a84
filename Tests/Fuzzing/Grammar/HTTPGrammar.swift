/// Answers in HTTP/1.1 (RFC 9112), and what is close to it.
struct HTTPGrammar {
    /// What an answer may refer to.
    struct Context: Sendable {
        /// Where the server is, as in `http://127.0.0.1:1234`.
        var origin: String
        var path: String
        /// Of the body, when the right one matters.
        var body: [UInt8]?
        /// A header of the right answer, such as `Content-Type: application/json`.
        var headers: [(name: String, value: String)] = []
        /// Never to be shown.
        var secret: String
        var statuses: [String] = HTTPGrammar.statuses
    }

    var dice: Dice
    let context: Context
    let isHostile: Bool
    private var bytes: [UInt8] = []

    init(_ context: Context, isHostile: Bool, dice: Dice) {
        (self.context, self.isHostile, self.dice) = (context, isHostile, dice)
    }

    /// One answer; the dice go on from where it left them.
    static func answer(_ context: Context, isHostile: Bool, dice: inout Dice) -> Answer {
        var grammar = HTTPGrammar(context, isHostile: isHostile, dice: dice)
        grammar.write()
        dice = grammar.dice
        return Answer(grammar.bytes, isHostile: isHostile, dice: &dice)
    }

    private mutating func write() {
        if odd(25) { bytes += dice.one(of: Self.leading) }
        if odd(12) { writeInterim() }
        let status = dice.one(of: context.statuses)
        writeStatusLine(status)
        var lines = (0..<dice.below(6)).map { _ in dice.one(of: Self.headers) } + context.headers
        if status.hasPrefix("3") || odd(20) { lines.append(("Location", location())) }
        if odd(12) { lines.append(("Link", link())) }
        var body = BodyGrammar(isHostile: isHostile, dice: dice)
        body.write(context.body)
        dice = body.dice
        lines.insert(contentsOf: body.headers, at: dice.below(lines.count + 1))
        for (index, line) in lines.enumerated() { writeHeader(line.name, line.value, isFirst: index == 0) }
        // As many as fit: what is done with each of them and all others takes long.
        if odd(300) { for _ in 0..<dice.within(1000...16_000) { bytes += "a:\r\n" } }
        bytes += odd(40) ? dice.one(of: ["\n", "\r", "", "\r\r\n", " \r\n", "\t\r\n", "\0\r\n", "\r\n\r\n"]) : "\r\n"
        bytes += body.bytes
        if odd(12) { writeAfter() }
    }

    /// Something that is rare, and never there in an honest answer.
    private mutating func odd(_ times: Int) -> Bool { isHostile && dice.once(in: times) }

    private mutating func writeInterim() {
        let count = dice.once(in: 30) ? dice.within(50...1500) : dice.within(1...5)
        let status = dice.one(of: [
            "100 Continue", "101 Switching Protocols", "102 Processing", "103 Early Hints", "199 x", "100",
        ])
        let header = dice.one(of: [
            "", "", "X-Interim: 1\r\n", " X: a\r\n", "Link: </a>; rel=preload\r\n", "Content-Length: 5\r\n", "a\r\n",
        ])
        for _ in 0..<count { bytes += "HTTP/1.1 \(status)\r\n\(header)\r\n" }
    }

    private mutating func writeStatusLine(_ status: String) {
        let version = odd(12) ? dice.one(of: Self.versions) : dice.once(in: 10) ? "HTTP/1.0" : "HTTP/1.1"
        let code = odd(20) ? dice.one(of: Self.oddStatuses) : status
        let blank = odd(30) ? dice.one(of: ["", "  ", "\t", "\r", "\0", "\u{b}"]) : " "
        var reason = odd(12) ? dice.one(of: Self.reasons) : "OK"
        if odd(60) { reason = String(repeating: "r", count: dice.length(upTo: 110_000)) }
        bytes += "\(version)\(blank)\(code)\(blank)\(reason)"
        writeEnd()
    }

    private mutating func writeEnd() {
        bytes += odd(50) ? dice.one(of: ["\n", "\r", "\r\r\n", " \r\n", "\0\r\n", "\n\r", "\r\n\r", ""]) : "\r\n"
    }

    private mutating func writeHeader(_ name: String, _ value: String, isFirst: Bool) {
        if odd(isFirst ? 12 : 60) { bytes += dice.one(of: [" ", "\t", "  ", "\r", "\n", "\0", ":", "\u{b}", " \t "]) }
        var name = name
        if odd(60) {
            name = dice.one(of: [
                "", " ", "X\rY", "X\nY", "X\0Y", "\u{ff}", "a b", "X\u{1}", ":status", "HTTP/1.1 200", name.uppercased(),
            ])
        }
        if odd(200) { name = String(repeating: "n", count: dice.length(upTo: 110_000)) }
        bytes += name
        bytes += odd(30) ? dice.one(of: ["", " : ", ":", ":\t", "::", ": \r\n ", " ", "=", ":\0", ":\r"]) : ": "
        bytes += value
        if odd(30) { bytes += dice.one(of: Self.oddValues) }
        if odd(25) {
            // Folds: RFC 9112 section 5.2.
            for _ in 0..<dice.within(1...(dice.once(in: 20) ? 3000 : 4)) {
                bytes += "\r\n\(dice.one(of: [" ", "\t", "   "]))\(dice.one(of: ["", "folded", ":", "a: b"]))"
            }
        }
        if odd(200) { bytes += String(repeating: "v", count: dice.length(upTo: 110_000)) }
        writeEnd()
        if odd(150) { bytes += dice.one(of: Self.leading) }
        if odd(300) { for _ in 0..<dice.within(1...3000) { bytes += "X-More: \(name)\r\n" } }
    }

    private mutating func location() -> String {
        guard odd(2) else { return dice.one(of: ["/", "/next", context.origin + "/next"]) }
        if dice.once(in: 40) { return "/" + String(repeating: "x", count: dice.length(upTo: 70_000)) }
        let places = [
            "/", "/a", "/a/../b", "?q", "#f", "", " ", "//", context.origin + "/x", "//127.0.0.1/", context.path,
            "\(context.path)/../x",
            "http://127.0.0.2/", "http://169.254.169.254/", "http://[::1]/", "https://127.0.0.1:1/", "file:///etc/passwd",
            "javascript:0",
            "http://user:\(context.secret)@127.0.0.1/", "http://nowhere.test/", "http://localhost:1/", "/m\u{fc}", "/a b", "/%00",
            "/%",
            "http://[", "http:///", "http:/x", "http://127.0.0.1:0/", "http://127.0.0.1:99999/", "\u{1b}[31m",
            "/\(context.secret)",
            "http://0x7f.1/", "http://\u{ff11}27.0.0.1/", "\\\\host\\x",
        ]
        return dice.one(of: places)
    }

    private mutating func link() -> String {
        if odd(20) { return "<\(String(repeating: "a", count: dice.length(upTo: 20_000)))>; rel=next" }
        let path = context.path
        return dice.one(of: [
            "<\(context.origin)\(path)?page=2>; rel=\"next\"", "<\(path)?page=\(dice.below(4))>; rel=next",
            "<?page=2>; rel=\"next\"",
            "<targets?page=2>; rel=\"next\"", "<\(path)>; rel=\"next\"", "<http://127.0.0.2/>; rel=\"next\"", "<", "<>", "<a",
            "a; rel=next",
            "<a>; rel=", "<a>; rel=\"", "<a>; rel=\"x next y\"; title=\"\\\"", "<a>;;;, <b>; rel=next", ",,,,",
            "<a>; rel=prev, <b>; rel=next",
            "<\u{ff}>; rel=next", "<//>; rel=next",
            "<..>; rel=next",
        ])
    }

    /// What comes after an answer that is over.
    private mutating func writeAfter() {
        bytes += dice.one(of: [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong", "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n",
            "garbage",
            "\r\n", "\0", " X: a\r\n", "HTTP/1.1 200 OK\r\n X: a\r\n\r\n", "0\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n",
        ])
    }
}
