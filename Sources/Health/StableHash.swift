/// A hash that is the same in every process and on every machine: places a target in its interval and in its shard.
///
/// FNV-1a of 64 bits (draft-eastlake-fnv-17), then the finalizer of SplitMix64 (Steele, Lea, Flood 2014), because FNV alone
/// leaves similar ids close together.
package func stableHash(_ identity: TargetIdentity) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    func mix(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    for byte in identity.clientID.utf8 { mix(byte) }
    // Separates the two parts: UTF-8 has no 0xFF.
    mix(0xFF)
    for byte in identity.key.utf8 { mix(byte) }
    hash = (hash ^ (hash >> 30)) &* 0xbf58_476d_1ce4_e5b9
    hash = (hash ^ (hash >> 27)) &* 0x94d0_49bb_1331_11eb
    return hash ^ (hash >> 31)
}
