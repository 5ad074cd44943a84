internal import FoundationEssentials

/// Finds the records of a list without decoding them, and of each the members that are read. Foundation's decoder needs four times the size of
/// what it decodes, and a list of a hundred thousand targets has 48 MB; it refuses the whole of it for a `NaN` or a nesting that nobody reads;
/// and of two members of one name it takes the first, where nearly every other reader of JSON takes the last.
///
/// It knows strings and brackets and judges nothing else: what a member holds is the decoder's to read.
struct RecordSplitter {
    /// Where each element of the top-level array stands.
    private(set) var records: [Range<Int>] = []
    /// The document with that array empty, and without members that nobody reads.
    private(set) var frame: [UInt8] = []

    /// - Parameters:
    ///   - list: the name of the member that holds the records.
    ///   - names: of the other members that are read.
    /// - Returns: nil when the document is no object, or its brackets don't match: then the decoder has to say what it is.
    init?(_ json: UnsafeBufferPointer<UInt8>, list: String, names: [String]) {
        var cursor = JSONCursor(json)
        guard let members = cursor.members(named: [list] + names), cursor.isAtEnd else { return nil }
        var found: [Range<Int>]?
        if let value = members[0] {
            var cursor = JSONCursor(UnsafeBufferPointer(rebasing: json[..<value.upperBound]), from: value.lowerBound)
            found = cursor.elements()
            let isWhole = found != nil && cursor.isAtEnd
            guard isWhole || json[value.lowerBound] != UInt8(ascii: "[") else { return nil }
        }
        records = found ?? []
        frame = Self.object(zip([list] + names, members), of: json) { found != nil && $0 == list ? Array("[]".utf8) : $1 }
    }

    /// One record with only these members; nil when it is no whole object.
    ///
    /// - Parameter isChecked: what a member holds that is no JSON becomes a number, which is nothing that a record has.
    static func record(
        _ range: Range<Int>, of json: UnsafeBufferPointer<UInt8>, names: [String], isChecked: Bool = false
    ) -> [UInt8]? {
        guard json[range.lowerBound] == UInt8(ascii: "{") else { return Array("null".utf8) }
        var cursor = JSONCursor(UnsafeBufferPointer(rebasing: json[..<range.upperBound]), from: range.lowerBound)
        guard let members = cursor.members(named: names), cursor.isAtEnd else { return nil }
        return object(zip(names, members), of: json) { isChecked && !isJSON($1) ? [UInt8(ascii: "0")] : $1 }
    }

    private static func object(
        _ members: some Sequence<(String, Range<Int>?)>, of json: UnsafeBufferPointer<UInt8>,
        _ value: (String, [UInt8]) -> [UInt8]
    ) -> [UInt8] {
        var object: [UInt8] = []
        for case (let name, let range?) in members {
            object.append(UInt8(ascii: object.isEmpty ? "{" : ","))
            object += "\"\(name)\":".utf8
            object += value(name, Array(json[range]))
        }
        return object.isEmpty ? Array("{}".utf8) : object + [UInt8(ascii: "}")]
    }

    private static func isJSON(_ value: [UInt8]) -> Bool {
        (try? JSONDecoder().decode(Anything.self, from: Data(value))) != nil
    }

    private struct Anything: Decodable {
        init(from decoder: any Decoder) {}
    }
}

/// A place in a JSON text.
private struct JSONCursor {
    private let json: UnsafeBufferPointer<UInt8>
    private var at: Int

    init(_ json: UnsafeBufferPointer<UInt8>, from start: Int = 0) {
        (self.json, at) = (json, start)
        // A byte order mark, which some servers put before it.
        if start == 0, json.starts(with: [0xef, 0xbb, 0xbf]) { at = 3 }
    }

    var isAtEnd: Bool { json[at...].allSatisfy(Self.isBlank) }

    /// Where the values of an object's members are, in the order of `names`; of two of one name the last. nil when it is no object.
    mutating func members(named names: [String]) -> [Range<Int>?]? {
        var found = [Range<Int>?](repeating: nil, count: names.count)
        guard take(UInt8(ascii: "{")) else { return nil }
        while true {
            // Also behind a last comma, as Foundation has it.
            if take(UInt8(ascii: "}")) { return found }
            let key = at
            guard skipString() else { return nil }
            let place = name(key..<at, among: names)
            guard take(UInt8(ascii: ":")) else { return nil }
            skipBlanks()
            let value = at
            guard skipValue() else { return nil }
            if let place { found[place] = value..<at }
            if take(UInt8(ascii: ",")) { continue }
            return take(UInt8(ascii: "}")) ? found : nil
        }
    }

    /// Where an array's elements are; nil when it is none.
    mutating func elements() -> [Range<Int>]? {
        var found: [Range<Int>] = []
        guard take(UInt8(ascii: "[")) else { return nil }
        while true {
            if take(UInt8(ascii: "]")) { return found }
            let start = at
            guard skipValue(), at > start else { return nil }
            found.append(start..<at)
            if take(UInt8(ascii: ",")) { continue }
            return take(UInt8(ascii: "]")) ? found : nil
        }
    }

    private func name(_ quoted: Range<Int>, among names: [String]) -> Int? {
        let key = json[(quoted.lowerBound + 1)..<(quoted.upperBound - 1)]
        guard key.contains(UInt8(ascii: "\\")) else { return names.firstIndex { $0.utf8.elementsEqual(key) } }
        let text = try? JSONDecoder().decode(String.self, from: Data(json[quoted]))
        return names.firstIndex { $0 == text }
    }

    /// Goes past one value: up to a comma or closing bracket that isn't its own.
    private mutating func skipValue() -> Bool {
        var depth = 0
        while at < json.count {
            switch json[at] {
            case UInt8(ascii: "\""):
                guard skipString() else { return false }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return true }
                depth -= 1
            case UInt8(ascii: ",") where depth == 0: return true
            default: break
            }
            at += 1
        }
        return false
    }

    private mutating func skipString() -> Bool {
        guard at < json.count, json[at] == UInt8(ascii: "\"") else { return false }
        at += 1
        while at < json.count {
            let byte = json[at]
            at += byte == UInt8(ascii: "\\") ? 2 : 1
            if byte == UInt8(ascii: "\"") { return true }
        }
        return false
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipBlanks()
        guard at < json.count, json[at] == byte else { return false }
        at += 1
        return true
    }

    private mutating func skipBlanks() {
        while at < json.count, Self.isBlank(json[at]) { at += 1 }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d }
}
