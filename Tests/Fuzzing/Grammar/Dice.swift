import TestSupport

/// The choices of one case. The seed and the number of a case decide all of them, so a case can be made again without the cases before it.
struct Dice: Sendable {
    private var generator: SeededGenerator

    init(seed: UInt64, number: Int) {
        generator = SeededGenerator(state: seed &* 0xd134_2543_de82_ef95 &+ UInt64(number) &* 0xaf25_1af3_b0f0_25b5)
    }

    /// From 0 up to and without `count`.
    mutating func below(_ count: Int) -> Int { Int.random(in: 0..<max(1, count), using: &generator) }

    mutating func within(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }

    /// True once in so many times.
    mutating func once(in times: Int) -> Bool { below(times) == 0 }

    mutating func one<Value>(of all: [Value]) -> Value { all[below(all.count)] }

    mutating func byte() -> UInt8 { UInt8.random(in: 0...255, using: &generator) }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in byte() } }

    /// A length at which something may change: small ones, powers of two and their neighbours.
    mutating func length(upTo limit: Int) -> Int {
        let around = (1 << within(0...17)) + within(-2...2)
        return min(limit, max(0, once(in: 3) ? around : within(0...40)))
    }
}

extension [UInt8] {
    init(_ text: String) { self = Array(text.utf8) }

    static func + (bytes: [UInt8], text: String) -> [UInt8] { bytes + Array(text.utf8) }

    static func += (bytes: inout [UInt8], text: String) { bytes.append(contentsOf: text.utf8) }
}
