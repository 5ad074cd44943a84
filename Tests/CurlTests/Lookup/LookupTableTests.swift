import Testing

@testable import Curl

@Suite struct LookupTableTests {
    private static let second: UInt64 = 1_000_000_000

    private func name(_ host: String) -> LookupName { LookupName(host: host, family: .any) }
    private func waiter(_ id: UInt64) -> LookupWaiter { LookupWaiter(transfer: id) }
    private func ids(_ waiters: Set<LookupWaiter>) -> Set<UInt64> { Set(waiters.map(\.transfer)) }

    /// One that needs a thread.
    private func wait(_ table: inout LookupTable, for host: String, _ id: UInt64, _ reuse: LookupReuse = .never) {
        if let lookup = table.wait(for: name(host), waiter(id), reuse, now: 0) { table.queue(name(host), lookup) }
    }

    /// One that DNS is asked for.
    private func begin(_ table: inout LookupTable, _ host: String, _ id: UInt64, _ reuse: LookupReuse = .never) throws -> UInt64 {
        guard let lookup = table.wait(for: name(host), waiter(id), reuse, now: 0), table.beginByDNS(name(host), lookup) else {
            throw NotBegun()
        }
        return lookup
    }

    private struct NotBegun: Error {}

    private func silence(at: UInt64) -> DNSResult {
        DNSResult(answer: .failed(.init(.lookupFailed)), isWhole: false, isAnswered: false, at: at)
    }

    @Test func startsOneLookupForAName() {
        var table = LookupTable(threads: 8)
        wait(&table, for: "a", 1)
        wait(&table, for: "a", 2)
        let started = [table.next(), table.next()]
        #expect(started == [name("a"), nil])
        let waiters = table.finish(name("a"), .addresses([]), at: 0)
        #expect(ids(waiters) == [1, 2])
    }

    @Test func startsTheNextWhenOneEnds() {
        var table = LookupTable(threads: 1)
        wait(&table, for: "a", 1)
        wait(&table, for: "b", 2)
        let started = [table.next(), table.next()]
        #expect(started == [name("a"), nil])
        let waiters = table.finish(name("a"), .addresses([]), at: 0)
        #expect(ids(waiters) == [1])
        let next = table.next()
        #expect(next == name("b"))
    }

    @Test func startsNoLookupThatNobodyWaitsFor() {
        var table = LookupTable(threads: 1)
        wait(&table, for: "a", 1)
        let first = table.next()
        wait(&table, for: "b", 2)
        let wasUnderWay = table.leave(name("b"), waiter(2))
        #expect(first == name("a") && !wasUnderWay)
        _ = table.finish(name("a"), .addresses([]), at: 0)
        let next = table.next()
        #expect(next == nil && table.running == 0)
    }

    @Test func aNameThatManyHaveLeftIsInTheQueueOnce() {
        var table = LookupTable(threads: 8)
        for id in 2..<100 as Range<UInt64> {
            wait(&table, for: "b", id)
            _ = table.leave(name("b"), waiter(id))
        }
        wait(&table, for: "b", 1)
        let started = [table.next(), table.next()]
        #expect(started == [name("b"), nil])
    }

    @Test func aThreadThatHangsKeepsItsName() {
        var table = LookupTable(threads: 8)
        wait(&table, for: "a", 1)
        let started = table.next()
        let wasUnderWay = table.leave(name("a"), waiter(1))
        let again = table.wait(for: name("a"), waiter(2), .never, now: 0)
        #expect(started == name("a") && wasUnderWay && again == nil)
    }

    @Test func aLookupByDNSIsForgottenWithTheLastWhoWaitsForIt() throws {
        var table = LookupTable(threads: 8)
        let first = try begin(&table, "b", 1)
        let joined = table.wait(for: name("b"), waiter(2), .never, now: 0)
        let left = [table.leave(name("b"), waiter(1)), table.leave(name("b"), waiter(2))]
        #expect(joined == nil && left == [true, true])
        let second = try begin(&table, "b", 3)
        // What the first one's queries bring is nobody's.
        let end = table.finish(name("b"), first, silence(at: 1), now: 1)
        #expect(second != first && end.waiters.isEmpty)
        let last = table.finish(name("b"), second, silence(at: 1), now: 1)
        #expect(ids(last.waiters) == [3])
    }

    @Test func nothingIsBegunForANameThatWasLeftBeforeItsTurnCame() {
        var table = LookupTable(threads: 8)
        let id = table.wait(for: name("a"), waiter(1), .never, now: 0)
        let wasUnderWay = table.leave(name("a"), waiter(1))
        let isBegun = table.beginByDNS(name("a"), id ?? 0)
        #expect(id != nil && !wasUnderWay && !isBegun)
    }

    @Test func whoCameLateToALookupWithoutAnAnswerGetsOneOfTheirOwn() throws {
        var table = LookupTable(threads: 8)
        let first = try begin(&table, "a", 1)
        _ = table.wait(for: name("a"), waiter(2), .never, now: Self.second)
        _ = table.wait(for: name("a"), waiter(3), .never, now: 6 * Self.second)
        let end = table.finish(name("a"), first, silence(at: 7 * Self.second), now: 7 * Self.second)
        #expect(ids(end.waiters) == [1, 2])
        let again = try #require(end.again)
        let isBegun = table.beginByDNS(name("a"), again)
        let last = table.finish(name("a"), again, silence(at: 14 * Self.second), now: 14 * Self.second)
        #expect(isBegun && ids(last.waiters) == [3] && last.again == nil)
    }

    @Test func whoCameLateToAnAnswerGetsIt() throws {
        var table = LookupTable(threads: 8)
        let id = try begin(&table, "a", 1)
        _ = table.wait(for: name("a"), waiter(2), .never, now: 6 * Self.second)
        let end = table.finish(name("a"), id, DNSResult(answer: .failed(.init(.lookupFailed)), at: 1), now: 1)
        #expect(ids(end.waiters) == [1, 2])
    }

    @Test func remembersOnlyGoodAnswersForThoseWhoAsk() throws {
        var table = LookupTable(threads: 1)
        let found = [try address("192.0.2.1")]
        for (host, answer) in [("good", LookupAnswer.addresses(found)), ("bad", .failed(.init(.lookupFailed)))] {
            wait(&table, for: host, 1, .atMost(nanoseconds: 100))
            _ = table.next()
            _ = table.finish(name(host), answer, at: 1000)
        }
        #expect(table.recall(name("good"), .atMost(nanoseconds: 100), now: 1100) == found)
        #expect(table.recall(name("good"), .atMost(nanoseconds: 99), now: 1100) == nil)
        #expect(table.recall(name("good"), .never, now: 1000) == nil)
        #expect(table.recall(name("bad"), .atMost(nanoseconds: 100), now: 1000) == nil)
    }

    @Test(arguments: [(UInt32(0), UInt64(1)), (1, 1), (30, 30), (60, 60), (86_400, 60)])
    func anAnswerByItsTimeToLiveLivesFromOneToSixtySeconds(seconds: UInt32, lives: UInt64) throws {
        var table = LookupTable(threads: 1)
        let id = try begin(&table, "a", 1, .timeToLive)
        _ = table.finish(name("a"), id, DNSResult(answer: .addresses([]), timeToLive: seconds, at: 5), now: 5)
        #expect(table.recall(name("a"), .timeToLive, now: 5 + lives * Self.second) == [])
        #expect(table.recall(name("a"), .timeToLive, now: 6 + lives * Self.second) == nil)
    }

    @Test func anAnswerOfTheSystemsLivesOneSecond() {
        var table = LookupTable(threads: 1)
        wait(&table, for: "a", 1, .timeToLive)
        _ = table.next()
        _ = table.finish(name("a"), .addresses([]), at: 0)
        #expect(table.recall(name("a"), .timeToLive, now: Self.second) == [])
        #expect(table.recall(name("a"), .timeToLive, now: Self.second + 1) == nil)
    }

    @Test func anAnswerThatLacksAFamilyIsNotUsedAgain() throws {
        var table = LookupTable(threads: 1)
        let id = try begin(&table, "a", 1, .timeToLive)
        _ = table.finish(name("a"), id, DNSResult(answer: .addresses([]), timeToLive: 60, isWhole: false, at: 0), now: 0)
        #expect(table.recall(name("a"), .timeToLive, now: 0) == nil)
    }
}

@Suite struct LookupCacheTests {
    private func name(_ number: Int) -> LookupName { LookupName(host: "\(number).test", family: .any) }

    @Test func aFullCacheKeepsWhatItHasUntilItsTimeIsOver() {
        var cache = LookupCache(namesMax: 3)
        for number in 0..<5 { cache.remember(name(number), [], timeToLive: nil, at: UInt64(number), keep: 100) }
        #expect(cache.count == 3)
        let known = (0..<5).map { cache.recall(name($0), .atMost(nanoseconds: 100), now: 50) != nil }
        #expect(known == [true, true, true, false, false])
        cache.remember(name(7), [], timeToLive: nil, at: 102, keep: 100)
        #expect(cache.count == 2 && cache.recall(name(7), .atMost(nanoseconds: 100), now: 102) != nil)
    }

    @Test func anAnswerThatIsRenewedTakesNoPlaceOfItsOwn() {
        var cache = LookupCache(namesMax: 1)
        for at in [0, 50, 100, 150] as [UInt64] { cache.remember(name(1), [], timeToLive: nil, at: at, keep: 100) }
        #expect(cache.count == 1)
        #expect(cache.recall(name(1), .atMost(nanoseconds: 100), now: 250) != nil)
    }
}
