import Health
import Testing

private func identities(_ count: Int) -> [TargetIdentity] {
    (0..<count).map { TargetIdentity(clientID: "550e8400-e29b-41d4-a716-446655440000", key: "tgt_\($0)") }
}

// A daemon that places its targets otherwise after an update breaks every rhythm and every shard: these values never change.
@Test(arguments: [
    ("", "", 0x4f2d_b50f_1240_40cd as UInt64),
    ("client", "tgt_1", 0x060e_9d2d_e107_6323),
    ("client", "tgt_2", 0x5cf0_8c4e_be50_b850),
    ("550e8400-e29b-41d4-a716-446655440000", "tgt_789e4567", 0x1762_50bd_6062_4a86),
])
func theHashOfAnIdentityNeverChanges(client: String, key: String, hash: UInt64) {
    #expect(stableHash(TargetIdentity(clientID: client, key: key)) == hash)
}

@Test func theTwoPartsOfAnIdentityAreKeptApart() {
    #expect(
        stableHash(TargetIdentity(clientID: "ab", key: "c")) != stableHash(TargetIdentity(clientID: "a", key: "bc")))
}

@Test func neighbouringIdsAreSpreadEvenlyOverAnInterval() {
    let slots = 100
    var filled = [Int](repeating: 0, count: slots)
    for identity in identities(100_000) { filled[Int(stableHash(identity) % UInt64(slots))] += 1 }
    // 1,000 a slot; five standard deviations of a fair spread are about 157.
    #expect(filled.allSatisfy { (843...1157).contains($0) })
}

@Test func noTwoOfAHundredThousandIdsShareAHash() {
    #expect(Set(identities(100_000).map { stableHash($0) }).count == 100_000)
}

@Test func shardsHoldAboutTheSameNumberOfTargets() {
    var shards = [Int](repeating: 0, count: 5)
    for identity in identities(10_000) { shards[Int(stableHash(identity) % 5)] += 1 }
    #expect(shards.allSatisfy { (1800...2200).contains($0) })
}
