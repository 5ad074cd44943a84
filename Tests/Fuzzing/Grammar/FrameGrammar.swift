/// Answers in HTTP/2 (RFC 9113), and what is close to it: frames on the first stream of a connection.
struct FrameGrammar {
    var dice: Dice
    let isHostile: Bool
    private var bytes: [UInt8] = []
    private let location: String

    private enum Kind {
        static let data: UInt8 = 0
        static let headers: UInt8 = 1
        static let priority: UInt8 = 2
        static let reset: UInt8 = 3
        static let settings: UInt8 = 4
        static let pushPromise: UInt8 = 5
        static let ping: UInt8 = 6
        static let goAway: UInt8 = 7
        static let windowUpdate: UInt8 = 8
        static let continuation: UInt8 = 9
    }

    private enum Flag {
        static let endOfStream: UInt8 = 1
        static let acknowledgement: UInt8 = 1
        static let endOfHeaders: UInt8 = 4
        static let padded: UInt8 = 8
        static let priority: UInt8 = 32
    }

    static func answer(location: String, isHostile: Bool, dice: inout Dice) -> Answer {
        var grammar = FrameGrammar(dice: dice, isHostile: isHostile, location: location)
        grammar.write()
        dice = grammar.dice
        return Answer(grammar.bytes, isHostile: isHostile, dice: &dice)
    }

    private init(dice: Dice, isHostile: Bool, location: String) {
        (self.dice, self.isHostile, self.location) = (dice, isHostile, location)
    }

    private mutating func odd(_ times: Int) -> Bool { isHostile && dice.once(in: times) }

    private mutating func write() {
        if !odd(25) { writeSettings() }
        if odd(5) { writeOdd() }
        if !odd(25) { frame(Kind.settings, Flag.acknowledgement, 0, []) }
        for _ in 0..<(odd(6) ? dice.within(1...3) : 0) {
            writeHeaders(status: dice.one(of: ["100", "103", "101", "199"]), endsStream: odd(8))
        }
        if odd(6) { writeOdd() }
        let status = dice.one(of: HTTPGrammar.statuses)
        let hasBody = isHostile ? dice.below(5) > 0 : !["204", "205", "304"].contains(status)
        writeHeaders(status: status, endsStream: !hasBody)
        if odd(5) { writeOdd() }
        guard hasBody else { return }
        let hasTrailers = dice.once(in: 5)
        writeData(endsStream: !hasTrailers && !odd(10))
        if odd(5) { writeOdd() }
        if hasTrailers { writeTrailers() }
        if odd(8) { writeHeaders(status: nil, endsStream: true) }
        if odd(8) { writeData(endsStream: true) }
        if odd(6) { writeOdd() }
    }

    /// - Parameter length: what the frame says that it has, where that isn't true.
    private mutating func frame(_ kind: UInt8, _ flags: UInt8, _ stream: UInt32, _ payload: [UInt8], length: Int? = nil) {
        var (flags, stream, length) = (flags, stream, length ?? payload.count)
        if odd(80) { flags = dice.byte() }
        if odd(80) { stream = dice.one(of: [0, 1, 2, 3, 5, 0x7fff_ffff, 0x8000_0001]) }
        if odd(80) { length = dice.one(of: [0, 1, max(0, length - 1), length + 1, 16_384, 16_385, 0xff_ffff]) }
        bytes += [16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) } + [kind, flags] + Self.big(stream) + payload
    }

    private static func big(_ value: UInt32) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }

    private mutating func writeSettings() {
        var payload: [UInt8] = []
        for _ in 0..<dice.below(4) {
            let (id, value): (UInt8, UInt32) =
                isHostile
                ? (
                    dice.one(of: [0, 1, 2, 3, 4, 5, 6, 8, 9, 255]),
                    dice.one(of: [0, 1, 100, 4096, 16_383, 16_384, 65_535, 0xff_ffff, 0x7fff_ffff, 0xffff_ffff])
                )
                : dice.one(of: [(3, 100), (4, 65_535), (5, 16_384), (6, 16_384)])
            payload += [0, id] + Self.big(value)
        }
        if odd(20) { payload += dice.bytes(dice.below(7)) }
        let count = odd(60) ? dice.within(10...2000) : 1
        for _ in 0..<count { frame(Kind.settings, 0, odd(40) ? 1 : 0, payload) }
    }

    private mutating func padded(_ payload: [UInt8]) -> (flag: UInt8, payload: [UInt8]) {
        guard dice.once(in: 6) else { return (0, payload) }
        let count = dice.within(0...255)
        let said = odd(5) ? dice.within(0...255) : count
        return (Flag.padded, [UInt8(said)] + payload + [UInt8](repeating: odd(5) ? 1 : 0, count: count))
    }

    private mutating func writeHeaders(status: String?, endsStream: Bool) {
        var block = HeaderBlock(isHostile: isHostile, dice: dice)
        block.write(status: status, location: location)
        dice = block.dice
        writeBlock(block.bytes, endsStream ? Flag.endOfStream : 0)
    }

    private mutating func writeTrailers() {
        var block = HeaderBlock(isHostile: isHostile, dice: dice)
        block.writeTrailers()
        dice = block.dice
        writeBlock(block.bytes, odd(10) ? 0 : Flag.endOfStream)
    }

    private mutating func writeBlock(_ block: [UInt8], _ flags: UInt8) {
        var parts = [block]
        if dice.once(in: 4), block.count > 1 {
            let place = dice.within(1...block.count - 1)
            parts = [Array(block[..<place]), Array(block[place...])]
            if odd(10) { parts += [[UInt8]](repeating: [], count: dice.within(1...(dice.once(in: 10) ? 3000 : 5))) }
        }
        for (index, part) in parts.enumerated() {
            let ends = index == parts.count - 1 && !odd(40) ? Flag.endOfHeaders : 0
            guard index == 0 else {
                if odd(30) { writeOdd() }
                frame(Kind.continuation, ends, 1, part)
                continue
            }
            var (flag, payload) = padded(part)
            if odd(10) {
                // RFC 9113 section 6.2: the old priority stands before the block.
                let place = flag == 0 ? 0 : 1
                payload.insert(contentsOf: Self.big(dice.one(of: [0, 1, 3, 0x8000_0001])) + [dice.byte()], at: place)
                flag |= Flag.priority
            }
            frame(Kind.headers, flags | ends | flag, 1, payload)
        }
    }

    private mutating func writeData(endsStream: Bool) {
        let count = dice.within(1...3)
        for index in 0..<count {
            let text =
                odd(20)
                ? [UInt8](repeating: 120, count: dice.length(upTo: 70_000))
                : [UInt8](dice.one(of: ["", "ok", "{\"status\":\"ok\"}", "hello"]))
            // A frame has at most 16,384 bytes unless the client allowed more.
            for start in stride(from: 0, to: max(1, text.count), by: odd(20) ? 20_000 : 16_000) {
                let end = min(text.count, start + 16_000)
                let (flag, payload) = padded(start < end ? Array(text[start..<end]) : [])
                let isLast = index == count - 1 && end == text.count
                frame(Kind.data, flag | (isLast && endsStream ? Flag.endOfStream : 0), 1, payload)
            }
        }
    }

    /// A frame that has no place here, or one of those that may come anywhere.
    private mutating func writeOdd() {
        let code = Self.big(dice.one(of: [0, 1, 2, 3, 5, 7, 8, 11, 13, 14, 0xffff_ffff]))
        switch dice.below(14) {
        case 0: frame(Kind.ping, dice.one(of: [0, 1]), 0, dice.bytes(dice.once(in: 6) ? dice.below(12) : 8))
        case 1: frame(Kind.reset, 0, dice.one(of: [1, 1, 1, 0, 3]), dice.once(in: 8) ? dice.bytes(dice.below(8)) : code)
        case 2:
            frame(
                Kind.goAway, 0, 0,
                Self.big(dice.one(of: [0, 1, 1, 3, 0x7fff_ffff])) + code + (dice.once(in: 2) ? [] : dice.bytes(dice.below(30))))
        case 3:
            frame(Kind.windowUpdate, 0, dice.one(of: [0, 1]), Self.big(dice.one(of: [0, 1, 65_535, 0x7fff_ffff, 0x8000_0000])))
        case 4: frame(Kind.priority, 0, dice.one(of: [1, 3, 0]), dice.bytes(dice.once(in: 6) ? dice.below(9) : 5))
        case 5:
            var block = HeaderBlock(isHostile: true, dice: dice)
            block.write(status: "200", location: location)
            dice = block.dice
            frame(Kind.pushPromise, Flag.endOfHeaders, 1, Self.big(dice.one(of: [2, 4, 1, 0])) + block.bytes)
        case 6: frame(dice.one(of: [10, 12, 16, 0x40, 255]), dice.byte(), dice.one(of: [0, 1]), dice.bytes(dice.below(40)))
        case 7: writeSettings()
        case 8: frame(Kind.settings, Flag.acknowledgement, 0, dice.once(in: 3) ? dice.bytes(6) : [])
        case 9: frame(Kind.continuation, Flag.endOfHeaders, 1, dice.bytes(dice.below(20)))
        case 10: frame(Kind.data, dice.one(of: [0, 1]), dice.one(of: [0, 1, 2, 3]), dice.bytes(dice.below(20)))
        case 11:
            let flood = dice.one(of: [Kind.ping, Kind.settings, Kind.data, Kind.reset, UInt8(10)])
            for _ in 0..<dice.within(10...3000) {
                frame(
                    flood, 0, flood == Kind.data || flood == Kind.reset ? 1 : 0,
                    flood == Kind.ping ? [0, 0, 0, 0, 0, 0, 0, 0] : [])
            }
        case 12: bytes += dice.bytes(dice.below(60))
        default:
            bytes += dice.one(of: ["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n"])
        }
    }
}
