/// Draws random numbers: SplitMix64 (Steele, Lea, Flood 2014). Always the same ones, so that a test sees what a daemon does; nothing hangs on
/// nobody being able to guess them.
struct AdmissionSampler: Sendable {
    private var state: UInt64 = 0x5261_6e67_6566_696e

    /// True with this chance, from 0 to 1.
    mutating func draw(chance: Double) -> Bool {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        mixed ^= mixed >> 31
        return Double(mixed >> 11) * 0x1p-53 < chance
    }
}
