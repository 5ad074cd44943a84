internal import FoundationEssentials
import Health

/// What stands at one place of a JSON document. Of members of one name the last counts, as in nearly every other reader of JSON.
///
/// Foundation's decoder judges whether it is JSON, and reads what stands there. It refuses what is nested more than 512 deep, so a hostile body
/// can't exhaust the stack. The way there is gone without it, for it takes the first of two members.
enum JSONQueryResult: Hashable {
    case scalar(JSONScalar)
    /// An object or an array.
    case compound
    case absent
    /// A number past what a Double holds, or a text that breaks JSON's own rules.
    case unreadable
    case notJSON

    static func find(_ path: JSONPath, in body: [UInt8]) -> JSONQueryResult {
        let json = utf8(body)
        // The blank is for Foundation of Swift 6.3.1, which looks at the byte behind the 513th open array to say where it is, and ends the
        // process where there is none.
        guard (try? JSONDecoder().decode(Anything.self, from: Data(json + [UInt8(ascii: " ")]))) != nil else { return .notJSON }
        var walk = JSONWalk(json)
        for step in path.steps {
            let isThere =
                switch step {
                case .member(let name): walk.enter(member: name)
                case .index(let index): walk.enter(index: index)
                }
            guard isThere else { return .absent }
        }
        return scalar(walk.value)
    }

    private static func scalar(_ value: ArraySlice<UInt8>) -> JSONQueryResult {
        let data = Data(value)
        let decoder = JSONDecoder()
        switch value.first {
        case UInt8(ascii: "{"), UInt8(ascii: "["): return .compound
        case UInt8(ascii: "n"): return .scalar(.null)
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .scalar(.boolean(value.first == UInt8(ascii: "t")))
        case UInt8(ascii: "\""): return (try? decoder.decode(String.self, from: data)).map { .scalar(.text($0)) } ?? .unreadable
        default: return (try? decoder.decode(Double.self, from: data)).map { .scalar(.number($0)) } ?? .unreadable
        }
    }

    /// Some servers send JSON in UTF-16, with a mark at its beginning or without.
    private static func utf8(_ body: [UInt8]) -> [UInt8] {
        if body.starts(with: [0xef, 0xbb, 0xbf]) { return Array(body.dropFirst(3)) }
        let hasMark = body.starts(with: [0xff, 0xfe]) || body.starts(with: [0xfe, 0xff])
        guard body.count > 1, body.count % 2 == 0, hasMark || body[0] == 0 || body[1] == 0 else { return body }
        let isBig = body[0] == 0xfe || body[0] == 0
        let units = stride(from: hasMark ? 2 : 0, to: body.count, by: 2).map { place in
            UInt16(body[place]) << (isBig ? 8 : 0) | UInt16(body[place + 1]) << (isBig ? 0 : 8)
        }
        return Array(String(decoding: units, as: UTF16.self).utf8)
    }
}

/// Decodes to nothing; that a document is JSON is known before this is asked.
private struct Anything: Decodable {
    init(from decoder: any Decoder) {}
}

/// Goes from a value into one of its parts. Only for what is JSON: it looks at brackets, quotes and commas and nothing else.
private struct JSONWalk {
    private let json: [UInt8]
    /// Where the value begins.
    private var at = 0

    init(_ json: [UInt8]) {
        self.json = json
        skipBlanks()
    }

    var value: ArraySlice<UInt8> {
        var end = self
        end.skipValue()
        return json[at..<end.at]
    }

    mutating func enter(member name: String) -> Bool {
        guard take(UInt8(ascii: "{")) else { return false }
        var found: Int?
        while at < json.count, json[at] == UInt8(ascii: "\"") {
            let start = at
            skipString()
            let isMeant = isKey(json[start..<at], name)
            skipBlanks()
            _ = take(UInt8(ascii: ":"))
            if isMeant { found = at }
            skipValue()
            _ = take(UInt8(ascii: ","))
        }
        at = found ?? at
        return found != nil
    }

    /// A negative one counts from the end.
    mutating func enter(index: Int) -> Bool {
        guard take(UInt8(ascii: "[")) else { return false }
        var starts: [Int] = []
        while at < json.count, json[at] != UInt8(ascii: "]") {
            starts.append(at)
            skipValue()
            _ = take(UInt8(ascii: ","))
        }
        let place = index < 0 ? starts.count + index : index
        guard starts.indices.contains(place) else { return false }
        at = starts[place]
        return true
    }

    private func isKey(_ quoted: ArraySlice<UInt8>, _ name: String) -> Bool {
        guard quoted.contains(UInt8(ascii: "\\")) else { return quoted.dropFirst().dropLast().elementsEqual(name.utf8) }
        return (try? JSONDecoder().decode(String.self, from: Data(quoted)))?.utf8.elementsEqual(name.utf8) == true
    }

    /// Up to what follows the value.
    private mutating func skipValue() {
        var depth = 0
        while at < json.count {
            switch json[at] {
            case UInt8(ascii: "\""):
                skipString()
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return }
                depth -= 1
            case UInt8(ascii: ",") where depth == 0: return
            default: break
            }
            at += 1
        }
    }

    private mutating func skipString() {
        // The bounds hold also for what Foundation might let pass and isn't JSON.
        at += 1
        while at < json.count {
            let byte = json[at]
            at = min(json.count, at + (byte == UInt8(ascii: "\\") ? 2 : 1))
            if byte == UInt8(ascii: "\"") { return }
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard at < json.count, json[at] == byte else { return false }
        at += 1
        skipBlanks()
        return true
    }

    private mutating func skipBlanks() {
        while at < json.count, [0x20, 0x09, 0x0a, 0x0d].contains(json[at]) { at += 1 }
    }
}
