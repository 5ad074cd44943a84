/// The text of a file as scalars, in which a scalar can be replaced by a stand-in without anything moving.
///
/// Yams gives up at the first duplicate key and follows anchors wherever they lead. So the first scalar of a duplicate key, and
/// every `&` that could start an anchor, is replaced before Yams sees it, and turned back in what Yams answers.
struct SourceText {
    /// The last private-use characters there are. A file that holds one of these itself is refused.
    private static let firstStandIn: UInt32 = 0x10_F000
    static let standIns = Unicode.Scalar(firstStandIn).map { $0..."\u{10FFFD}" } ?? "\u{10FFFD}"..."\u{10FFFD}"

    private(set) var scalars: [Unicode.Scalar] = []
    private var lineStarts = [0]
    private var originals: [Unicode.Scalar: Unicode.Scalar] = [:]

    /// Nil when the bytes aren't a text; that is reported.
    init?(_ bytes: [UInt8], diagnostics: Diagnostics) {
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        var location = SourceLocation.start
        scalars.reserveCapacity(bytes.count)
        decoding: while true {
            switch decoder.decode(&iterator) {
            case .emptyInput: break decoding
            case .error:
                diagnostics.error("the file is not UTF-8 here", at: location)
                return nil
            case .scalarValue("\u{FEFF}") where scalars.isEmpty: continue
            case .scalarValue(let scalar):
                guard Self.mayStand(scalar) else {
                    let code = String(scalar.value, radix: 16)
                    diagnostics.error("the character \\u{\(code)} has no place in a configuration file", at: location)
                    return nil
                }
                append(scalar, &location)
            }
        }
        hideAnchors()
    }

    private static func mayStand(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A, 0x0D, 0x20...0x7E, 0xA0...0x2027, 0x202A...0xFEFE, 0xFF00...0xFFFD, 0x10000...0x10_EFFF: true
        default: false
        }
    }

    private mutating func append(_ scalar: Unicode.Scalar, _ location: inout SourceLocation) {
        let followsReturn = scalars.last == "\r"
        scalars.append(scalar)
        guard scalar == "\n" || scalar == "\r" else {
            location.column += 1
            return
        }
        if scalar == "\n" && followsReturn {
            lineStarts[lineStarts.count - 1] = scalars.count
        } else {
            lineStarts.append(scalars.count)
            location = SourceLocation(line: location.line + 1, column: 1)
        }
    }

    var string: String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars)
        return String(text)
    }

    func index(of location: SourceLocation) -> Int? {
        guard lineStarts.indices.contains(location.line - 1) else { return nil }
        let index = lineStarts[location.line - 1] + location.column - 1
        return scalars.indices.contains(index) ? index : nil
    }

    /// Makes the key at a location differ from every other; false where that can't be done without changing what the text is.
    mutating func makeUnique(keyAt location: SourceLocation) -> Bool {
        guard var index = index(of: location) else { return false }
        if scalars[index] == "\"" || scalars[index] == "'" {
            guard index + 1 < scalars.count, scalars[index + 1] != scalars[index] else { return false }
            index += 1
        } else if "[{!|>*:?".unicodeScalars.contains(scalars[index]) {
            return false
        }
        return replace(at: index)
    }

    private mutating func replace(at index: Int) -> Bool {
        guard let standIn = Unicode.Scalar(Self.firstStandIn + UInt32(originals.count + 1)), Self.standIns.contains(standIn)
        else { return false }
        originals[standIn] = original(of: scalars[index])
        scalars[index] = standIn
        return true
    }

    private func original(of scalar: Unicode.Scalar) -> Unicode.Scalar {
        scalar.value == Self.firstStandIn ? "&" : originals[scalar] ?? scalar
    }

    /// An anchor starts a token: it follows a blank or an indicator and is followed by its name.
    private mutating func hideAnchors() {
        guard let standIn = Unicode.Scalar(Self.firstStandIn) else { return }
        for index in scalars.indices where scalars[index] == "&" {
            let follows = index == 0 || " \t\r\n[{,:".unicodeScalars.contains(scalars[index - 1])
            if follows { scalars[index] = standIn }
        }
    }

    /// Whether a scalar that Yams found begins where an anchor would have.
    func startsWithAnchor(_ text: String) -> Bool { text.unicodeScalars.first?.value == Self.firstStandIn }

    /// A text that Yams found, as it stands in the file.
    func restored(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { Self.standIns.contains($0) }) else { return text }
        var restored = String.UnicodeScalarView()
        restored.append(contentsOf: text.unicodeScalars.map(original))
        return String(restored)
    }
}
