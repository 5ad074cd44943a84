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
        let names = MemberNames([list] + names)
        var found: [Range<Int>]?
        let members = cursor.members(named: names) { index, cursor in
            guard index == 0, cursor.isAtArray else { return cursor.skipValue() }
            found = cursor.elements()
            return found != nil
        }
        guard var members, cursor.isAtEnd else { return nil }
        frame = [UInt8(ascii: "{")]
        if let array = members[0], json[array.lowerBound] == UInt8(ascii: "["), let found {
            records = found
            members[0] = nil
            frame += "\"\(list)\":[]".utf8
        }
        names.append(members, of: json, to: &frame)
        frame.append(UInt8(ascii: "}"))
    }

    /// Appends one record with only these members. False when it is no whole object.
    ///
    /// - Parameter isChecked: what a member holds that is no JSON becomes a number, which is nothing that a record has.
    static func append(
        _ range: Range<Int>, of json: UnsafeBufferPointer<UInt8>, names: MemberNames, isChecked: Bool, to text: inout [UInt8]
    ) -> Bool {
        guard json[range.lowerBound] == UInt8(ascii: "{") else {
            text += "null".utf8
            return true
        }
        var cursor = JSONCursor(UnsafeBufferPointer(rebasing: json[..<range.upperBound]), from: range.lowerBound)
        guard let members = cursor.members(named: names), cursor.isAtEnd else { return false }
        text.append(UInt8(ascii: "{"))
        names.append(members, of: json, to: &text) { !isChecked || isJSON(json[$0]) }
        text.append(UInt8(ascii: "}"))
        return true
    }

    private static func isJSON(_ value: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        (try? JSONDecoder().decode(Anything.self, from: decodable(value))) != nil
    }

    private struct Anything: Decodable {
        init(from decoder: any Decoder) {}
    }
}

/// Of the members that are read.
struct MemberNames {
    private let texts: [String]
    /// As they stand in JSON, with what follows them.
    private let keys: [[UInt8]]

    init(_ names: [String]) {
        texts = names
        keys = names.map { Array("\"\($0)\":".utf8) }
    }

    var count: Int { texts.count }

    /// The index of a name, given in its quotes.
    fileprivate func index(of quoted: Slice<UnsafeBufferPointer<UInt8>>) -> Int? {
        // The colon is one more.
        for (index, key) in keys.enumerated()
        where key.count == quoted.count + 1 && key[1] == quoted[quoted.startIndex + 1] && key.starts(with: quoted) {
            return index
        }
        guard quoted.contains(UInt8(ascii: "\\")), let text = try? JSONDecoder().decode(String.self, from: Data(quoted)) else {
            return nil
        }
        return texts.firstIndex(of: text)
    }

    /// Appends members to an object's beginning. A value that is none becomes 0.
    fileprivate func append(
        _ members: [Range<Int>?], of json: UnsafeBufferPointer<UInt8>, to text: inout [UInt8],
        where isValue: (Range<Int>) -> Bool = { _ in true }
    ) {
        for (key, member) in zip(keys, members) {
            guard let member else { continue }
            if text.last != UInt8(ascii: "{") { text.append(UInt8(ascii: ",")) }
            text += key
            if isValue(member) { text += UnsafeBufferPointer(rebasing: json[member]) } else { text.append(UInt8(ascii: "0")) }
        }
    }
}

/// A position in a JSON text.
private struct JSONCursor {
    private let json: UnsafeBufferPointer<UInt8>
    private var at: Int

    init(_ json: UnsafeBufferPointer<UInt8>, from start: Int = 0) {
        (self.json, at) = (json, start)
        // A byte order mark, which some servers put before it.
        if start == 0, json.starts(with: [0xef, 0xbb, 0xbf]) { at = 3 }
    }

    var isAtEnd: Bool { json[at...].allSatisfy(Self.isBlank) }

    var isAtArray: Bool { at < json.count && json[at] == UInt8(ascii: "[") }

    /// Where the values of an object's members are, in the order of `names`; of two of one name the last. nil when it is no object.
    ///
    /// - Parameter skip: goes past the value of the member with an index in `names`, and answers false when it can't.
    mutating func members(
        named names: MemberNames, skip: (_ index: Int, inout JSONCursor) -> Bool = { $1.skipValue() }
    ) -> [Range<Int>?]? {
        var found = [Range<Int>?](repeating: nil, count: names.count)
        guard take(UInt8(ascii: "{")) else { return nil }
        while true {
            // Also behind a last comma, as Foundation has it.
            if take(UInt8(ascii: "}")) { return found }
            let key = at
            guard skipString() else { return nil }
            let index = names.index(of: json[key..<at])
            guard take(UInt8(ascii: ":")) else { return nil }
            skipBlanks()
            let value = at
            if let index {
                guard skip(index, &self) else { return nil }
                found[index] = value..<at
            } else if !skipValue() {
                return nil
            }
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

    /// Goes past one value: up to a comma or closing bracket that isn't its own.
    mutating func skipValue() -> Bool {
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
        // The loop over nearly all bytes of a list.
        let json = json
        var index = at + 1
        while index < json.count {
            let byte = json[index]
            index += byte == UInt8(ascii: "\\") ? 2 : 1
            guard byte == UInt8(ascii: "\"") else { continue }
            at = index
            return true
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
