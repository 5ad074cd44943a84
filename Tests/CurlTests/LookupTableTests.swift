import Testing

@testable import Curl

@Suite struct LookupTableTests {
    private func name(_ host: String) -> LookupName { LookupName(host: host, family: .any) }

    @Test func startsOneLookupForAName() {
        var table = LookupTable(limit: 8)
        table.wait(for: name("a"), 1, keep: 0)
        table.wait(for: name("a"), 2, keep: 0)
        #expect(table.next() == name("a"))
        #expect(table.next() == nil)
        #expect(table.finish(name("a"), .addresses([]), now: 0) == [1, 2])
    }

    @Test func startsTheNextWhenOneEnds() {
        var table = LookupTable(limit: 1)
        table.wait(for: name("a"), 1, keep: 0)
        table.wait(for: name("b"), 2, keep: 0)
        #expect(table.next() == name("a"))
        #expect(table.next() == nil)
        #expect(table.finish(name("a"), .addresses([]), now: 0) == [1])
        #expect(table.next() == name("b"))
    }

    @Test func startsNoLookupThatNobodyWaitsFor() {
        var table = LookupTable(limit: 1)
        table.wait(for: name("a"), 1, keep: 0)
        #expect(table.next() == name("a"))
        table.wait(for: name("b"), 2, keep: 0)
        let wasRunning = table.leave(name("b"), 2)
        #expect(!wasRunning)
        _ = table.finish(name("a"), .addresses([]), now: 0)
        #expect(table.next() == nil)
        #expect(table.running == 0)
    }

    @Test func aNameThatManyHaveLeftIsInTheQueueOnce() {
        var table = LookupTable(limit: 8)
        for id in 2..<100 as Range<UInt64> {
            table.wait(for: name("b"), id, keep: 0)
            _ = table.leave(name("b"), id)
        }
        table.wait(for: name("b"), 1, keep: 0)
        #expect(table.next() == name("b"))
        #expect(table.next() == nil)
    }

    @Test func remembersOnlyGoodAnswersForThoseWhoAsk() throws {
        var table = LookupTable(limit: 1)
        let found = [try address("192.0.2.1")]
        for (host, answer) in [("good", LookupAnswer.addresses(found)), ("bad", .failed(.init(.lookupFailed)))] {
            table.wait(for: name(host), 1, keep: 100)
            _ = table.next()
            _ = table.finish(name(host), answer, now: 1000)
        }
        #expect(table.recall(name("good"), keep: 100, now: 1100) == found)
        #expect(table.recall(name("good"), keep: 99, now: 1100) == nil)
        #expect(table.recall(name("good"), keep: 0, now: 1000) == nil)
        #expect(table.recall(name("bad"), keep: 100, now: 1000) == nil)
    }
}
