/// What a hostile server does with one request: the bytes, how they are cut into writes, and what follows them.
package struct Answer: Sendable {
    package enum Ending: String, Sendable {
        /// The connection stays open, for the next request or for nothing.
        case stays
        case closes
        /// The same, but it closes when nothing has come for a while.
        case lingers
        /// The server says that it sends no more, and still reads.
        case finishes
        case resets
    }

    /// Each is one write.
    package var pieces: [[UInt8]] = []
    package var millisecondsBetween = 0
    package var ending = Ending.stays
    /// The bytes are sent as soon as the connection is there, and no request is waited for.
    package var comesUnasked = false

    package var bytes: [UInt8] { Array(pieces.joined()) }
}

extension Answer {
    /// Damages the bytes, cuts them off, cuts them into writes, and decides how it ends.
    init(_ bytes: [UInt8], isHostile: Bool, dice: inout Dice) {
        var bytes = bytes
        var isCut = false
        if isHostile, dice.once(in: 4) { Self.damage(&bytes, &dice) }
        if isHostile, dice.once(in: 8), !bytes.isEmpty {
            bytes.removeSubrange(dice.below(bytes.count)...)
            isCut = true
        }
        pieces = Self.pieces(bytes, &dice)
        if pieces.count > 1, dice.once(in: 4) { millisecondsBetween = dice.within(1...3) }
        if !isHostile { return }
        comesUnasked = dice.once(in: 60)
        // An answer that isn't whole and stays costs the whole timeout.
        let endings: [Ending] =
            isCut || dice.once(in: 4)
            ? [.closes, .closes, .closes, .finishes, .finishes, .resets, .lingers]
            : [.lingers, .lingers, .lingers, .lingers, .lingers, .lingers, .lingers, .stays]
        ending = dice.one(of: endings)
    }

    private static func damage(_ bytes: inout [UInt8], _ dice: inout Dice) {
        for _ in 0..<dice.within(1...4) where !bytes.isEmpty {
            // Most of what a parser decides stands at the beginning.
            let place = dice.below(dice.once(in: 3) ? bytes.count : min(bytes.count, 200))
            switch dice.below(7) {
            case 0: bytes[place] = dice.byte()
            case 1: bytes[place] ^= 1 << UInt8(dice.below(8))
            case 2: bytes.insert(dice.one(of: [0, 9, 10, 13, 32, 58, 255]), at: place)
            case 3:
                bytes.insert(
                    contentsOf: dice.one(of: [[13, 10], [13, 10, 32], [13, 10, 13, 10], [10, 10], [13, 13, 10]]), at: place)
            case 4: bytes.remove(at: place)
            case 5: bytes.removeSubrange(place..<min(bytes.count, place + dice.within(1...20)))
            default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + dice.within(1...60))], at: place)
            }
        }
    }

    private static func pieces(_ bytes: [UInt8], _ dice: inout Dice) -> [[UInt8]] {
        if bytes.count > 1, bytes.count <= 120, dice.once(in: 40) { return bytes.map { [$0] } }
        guard bytes.count > 1, dice.once(in: 2) else { return [bytes] }
        let places = (0..<dice.within(1...5)).map { _ in dice.within(1...bytes.count - 1) }.sorted()
        var pieces: [[UInt8]] = []
        var start = 0
        for end in places + [bytes.count] where end > start {
            pieces.append(Array(bytes[start..<end]))
            start = end
        }
        return pieces
    }
}

extension Answer: CustomStringConvertible {
    /// As a test could have it: the writes one after the other, and how the connection ends.
    package var description: String {
        let written = pieces.map { "\"\(escaped($0))\"" }.joined(separator: " + ")
        let pause = millisecondsBetween > 0 ? ", \(millisecondsBetween) ms between them" : ""
        return "\(pieces.count) writes\(pause), then \(ending)\(comesUnasked ? ", unasked" : ""): \(written)"
    }
}

/// In the escapes of C and of Python's bytes.
package func escaped(_ bytes: [UInt8], limit: Int = 4096) -> String {
    let digits = Array("0123456789abcdef".unicodeScalars)
    var text = ""
    for byte in bytes.prefix(limit) {
        switch byte {
        case 13: text += "\\r"
        case 10: text += "\\n"
        case 34, 92: text += "\\" + String(UnicodeScalar(byte))
        case 32..<127: text.unicodeScalars.append(UnicodeScalar(byte))
        default: text += "\\x\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
        }
    }
    return bytes.count > limit ? text + "… (\(bytes.count) bytes)" : text
}
