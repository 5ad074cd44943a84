/// Lists as the Targets API answers them, and what is close to them.
struct ListGrammar {
    var dice: Dice
    let isHostile: Bool
    let secret: String

    static func body(isHostile: Bool, secret: String, dice: inout Dice) -> [UInt8] {
        var grammar = ListGrammar(dice: dice, isHostile: isHostile, secret: secret)
        let body = grammar.body()
        dice = grammar.dice
        return body
    }

    private mutating func odd(_ times: Int) -> Bool { isHostile && dice.once(in: times) }

    private mutating func body() -> [UInt8] {
        if odd(15) { return [UInt8](value(depth: 0)) }
        var members = ["\"targets\":\(list())"]
        if dice.once(in: 3) { members.append("\"message\":\(odd(3) ? value(depth: 0) : "\"Success\"")") }
        for _ in 0..<(odd(3) ? dice.within(1...3) : 0) { members.insert(member(), at: dice.below(members.count + 1)) }
        if odd(30) { members.append("\"targets\":\(list())") }
        var bytes = [UInt8]("{" + members.joined(separator: blank() + ",") + "}")
        if odd(6) { damage(&bytes) }
        if odd(12) { bytes = dice.one(of: [[0xef, 0xbb, 0xbf], [0xff, 0xfe], [0], [0x20, 0x0a]]) + bytes }
        if odd(12) { bytes += dice.one(of: [[0], [UInt8]("{}"), [UInt8](","), [UInt8]("\n\n")]) }
        return bytes
    }

    private mutating func damage(_ bytes: inout [UInt8]) {
        for _ in 0..<dice.within(1...4) where !bytes.isEmpty {
            let place = dice.below(bytes.count)
            switch dice.below(5) {
            case 0: bytes[place] = dice.byte()
            // Broken UTF-8: a byte alone, a surrogate, too long a form, past the last scalar.
            case 1:
                bytes.insert(
                    contentsOf: dice.one(of: [
                        [0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82],
                    ]), at: place)
            case 2: bytes.insert(dice.one(of: Array("\"\\{}[],:0-e.".utf8)), at: place)
            case 3: bytes.remove(at: place)
            default: bytes.removeSubrange(place...)
            }
        }
    }

    /// By which other APIs say that a list goes on, and what nobody knows.
    private mutating func member() -> String {
        let names = [
            "next", "nextToken", "nextPageToken", "nextCursor", "lastEvaluatedKey", "NextToken", "LastEvaluatedKey", "total", "",
            "__proto__", "Targets", "target\\u0073",
        ]
        return
            "\"\(dice.one(of: names))\":\(dice.once(in: 2) ? dice.one(of: ["\"\"", "false", "null", "{}", "\"abc\"", "0"]) : value(depth: 0))"
    }

    private mutating func list() -> String {
        if odd(20) { return value(depth: 0) }
        let count = odd(40) ? dice.within(300...1200) : dice.below(5)
        let records = (0..<count).map { record($0) }
        return "[\(blank())\(records.joined(separator: ",\(blank())"))]"
    }

    private mutating func blank() -> String { dice.once(in: 4) ? dice.one(of: [" ", "\n", "\t", "\r\n  "]) : "" }

    private mutating func record(_ index: Int) -> String {
        if odd(15) { return value(depth: 0) }
        var members = [
            "\"sKey\":\"tgt_\(odd(10) ? dice.below(2) : index)\"", "\"targetName\":\"n\(index)\"",
            "\"targetBaseURL\":\"https://a.example\"",
            "\"targetTestPath\":\"/health\"", "\"targetRegion\":\"eu\"", "\"targetDefaultRuleEffect\":\"allow\"",
        ]
        guard isHostile else { return "{\(members.joined(separator: ","))}" }
        for _ in 0..<dice.below(3) where !members.isEmpty {
            let place = dice.below(members.count)
            let name = members[place].split(separator: ":", maxSplits: 1).first.map(String.init) ?? "\"\""
            switch dice.below(4) {
            case 0: members.remove(at: place)
            case 1, 2: members[place] = "\(name):\(value(depth: 0))"
            default: members.append("\(name):\(value(depth: 0))")
            }
        }
        if dice.once(in: 6) { members.append("\"unread\":\(value(depth: 0))") }
        return "{\(members.joined(separator: ","))}"
    }

    private static let plain = [
        "null", "true", "false", "0", "-0", "7", "1e999", "-1e999", "1e-999", "NaN", "Infinity", "-Infinity", "01", "1.",
        ".5", "+1", "0x10", "1e",
        "99999999999999999999999999999999", "12345678901234567890.123456789e400", "\"\"", "\"a\"", "\"\\ud800\"",
        "\"\\udc00\\ud800\"", "\"\\u0000\"",
        "\"\\u12\"", "\"\\x\"", "\"\u{7}\"", "\"\u{1b}[31m\"", "\"\u{202e}\"", "\"\u{1f600}\"", "[]", "{}",
        "[[]]", "{\"a\":{}}", "nul",
        "\"ALLOW\"", "\"audit\"", "\"deny\"", "\"", "'a'", "undefined", "/* */1", "[1,]", "{\"a\":1,}", "{a:1}",
        "\"http://[\"", "\"..\"", "\"\\\"\"",
    ]

    private mutating func value(depth: Int) -> String {
        switch dice.below(40) {
        // 512 is as deep as Foundation goes.
        case 0:
            let count = dice.once(in: 3) ? dice.within(510...516) : dice.length(upTo: 40_000)
            return String(repeating: "[", count: count) + (dice.once(in: 2) ? "" : "1")
        case 1:
            let count = dice.length(upTo: 20_000)
            return String(repeating: "[", count: count) + String(repeating: "]", count: count)
        case 2:
            let count = dice.length(upTo: 8000)
            return String(repeating: "{\"a\":", count: count) + "1" + String(repeating: "}", count: count)
        case 3: return "\"" + String(repeating: "x", count: dice.length(upTo: 70_000)) + "\""
        case 4: return String(repeating: "9", count: dice.length(upTo: 20_000))
        case 5: return "0." + String(repeating: "0", count: dice.length(upTo: 20_000)) + "1"
        case 6 where depth < 4: return "[\(value(depth: depth + 1)),\(value(depth: depth + 1))]"
        case 7 where depth < 4: return "{\"a\":\(value(depth: depth + 1)),\"a\":\(value(depth: depth + 1))}"
        case 8: return "\"" + String(repeating: "\\u00fc", count: dice.length(upTo: 3000)) + "\""
        case 9: return "\"\(secret)\""
        default: return dice.one(of: Self.plain)
        }
    }
}
