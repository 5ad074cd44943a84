/// Whether a target keeps changing between answering and failing: of Icinga's kind, with hysteresis
/// (https://icinga.com/docs/icinga-2/latest/doc/08-advanced-topics/#check-flapping).
///
/// Of the last twenty results each that differs from the one before is a change, and newer changes weigh more. Where they are two fifths of
/// what they could be, the target flaps, and until they are less than a quarter. Icinga begins at 30 %, but looks at a service once in
/// minutes; with re-checks three unlucky probes within some minutes would do.
package struct Flapping: Hashable, Sendable {
    /// Bit 0 is the newest result: 1 where it was a change. Bit 31: the target flaps. One number, because it is kept with each target.
    package private(set) var code: UInt32

    private static let results: UInt32 = 20
    private static let isOnBit: UInt32 = 1 << 31
    /// Hundredths: from 1.20 for the newest down to 0.82 for the oldest.
    private static let weights = (0..<results).map { 120 - 2 * $0 }
    private static let weightOfAll = weights.reduce(0, +)
    private static let (beginsAt, endsBelow): (UInt32, UInt32) = (40, 25)

    package init(code: UInt32 = 0) { self.code = code & (Self.isOnBit | (1 << Self.results - 1)) }

    package var isOn: Bool { code & Self.isOnBit != 0 }

    /// In percent.
    package var share: Int {
        guard code != 0 else { return 0 }
        let changed = Self.weights.indices.reduce(0) { $0 + (code >> $1 & 1) * Self.weights[$1] }
        return Int(changed * 100 / Self.weightOfAll)
    }

    mutating func count(isChange: Bool) {
        // Nearly every result of nearly every target.
        guard isChange || code != 0 else { return }
        let wasOn = isOn
        code = (code << 1 | (isChange ? 1 : 0)) & (1 << Self.results - 1)
        if share >= (wasOn ? Self.endsBelow : Self.beginsAt) { code |= Self.isOnBit }
    }
}
