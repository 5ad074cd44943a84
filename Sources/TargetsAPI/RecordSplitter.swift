/// Finds the records of a list without decoding them, so that they can be decoded a few hundred at a time: Foundation's decoder needs four
/// times the size of what it decodes, and a list of a hundred thousand targets has 48 MB.
///
/// It knows strings and brackets and judges nothing else: what stands between them is the decoder's to read.
struct RecordSplitter {
    /// Where each element of the top-level array `targets` stands.
    private(set) var records: [Range<Int>] = []
    /// The document with that array empty: small, and to be decoded like any other.
    private(set) var frame: [UInt8] = []

    private let json: UnsafeBufferPointer<UInt8>
    private var at = 0

    /// nil when there is no such array, or more than one, or the brackets don't match: then the decoder has to say what that is.
    init?(_ json: UnsafeBufferPointer<UInt8>) {
        self.json = json
        guard take(UInt8(ascii: "{")), let array = findTargets() else { return nil }
        frame = Array(json[..<array.lowerBound]) + Array("[]".utf8) + Array(json[array.upperBound...])
    }

    private mutating func findTargets() -> Range<Int>? {
        var found: Range<Int>?
        while true {
            skipBlanks()
            let keyStart = at
            guard skipString() else { return nil }
            let isTargets = json[keyStart..<at].elementsEqual("\"targets\"".utf8)
            guard take(UInt8(ascii: ":")) else { return nil }
            skipBlanks()
            let valueStart = at
            if isTargets {
                guard found == nil, splitArray() else { return nil }
                found = valueStart..<at
            } else if !skipValue() {
                return nil
            }
            if take(UInt8(ascii: ",")) { continue }
            return take(UInt8(ascii: "}")) ? found : nil
        }
    }

    private mutating func splitArray() -> Bool {
        guard take(UInt8(ascii: "[")) else { return false }
        if take(UInt8(ascii: "]")) { return true }
        while true {
            skipBlanks()
            let start = at
            guard skipValue(), at > start else { return false }
            records.append(start..<at)
            if take(UInt8(ascii: ",")) { continue }
            return take(UInt8(ascii: "]"))
        }
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
        while at < json.count, [0x20, 0x09, 0x0a, 0x0d].contains(json[at]) { at += 1 }
    }
}
