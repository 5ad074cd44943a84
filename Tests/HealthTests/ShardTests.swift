import Health
import Testing

@Test func aShardIsReadFromItsIndexAndCount() throws {
    let shard = try #require(Shard("2/5", countLimit: 5))
    #expect(shard == Shard(index: 2, count: 5))
    #expect(shard.description == "2/5")
}

@Test(arguments: ["", "1", "0/3", "4/3", "1/0", "-1/3", "+1/3", "1/3/5", "a/b", "1/2000", " 1/3"])
func refusesWhatIsNoShard(text: String) {
    #expect(Shard(text, countLimit: 1024) == nil)
}

@Test func shardsPartTheTargets() {
    let shards = (1...5).compactMap { Shard(index: $0, count: 5) }
    for number in 0..<200 {
        let identity = TargetIdentity(clientID: "one", key: "tgt_\(number)")
        #expect(shards.count { $0.holds(identity) } == 1)
    }
}
