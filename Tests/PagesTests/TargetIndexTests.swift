import Health
import Testing

@testable import Pages

@Suite struct TargetIndexTests {
    @Test func countsFollowWhatComesChangesAndGoes() {
        var index = TargetIndex()
        index.put(sample("a"), slot: 0, .up)
        index.put(sample("b"), slot: 5000, .down, reason: .timeout, sentence: "no answer")
        #expect(index.count == 2)
        #expect(index.counts[.up] == 1 && index.counts[.down] == 1 && index.counts[.unknown] == 0)
        #expect(index.said(slot: 5000)?.sentence == "no answer")
        index.change(slot: 5000, of: sample("b").identity, said: nil) { $0.status = .up }
        #expect(index.counts[.up] == 2 && index.said(slot: 5000) == nil)
        index.remove(slot: 0)
        #expect(index.count == 1 && index.counts[.up] == 1)
        var seen: [String] = []
        index.forEachLive { slot, _ in seen.append(index.identity(slot: slot)?.identity.key ?? "") }
        #expect(seen == ["b"])
    }

    @Test func aResultOfTheTargetThatHadTheSlotBeforeChangesNothing() {
        var index = TargetIndex()
        index.put(sample("old"), slot: 0, .down)
        index.remove(slot: 0)
        index.put(sample("new"), slot: 0, .up)
        index.change(slot: 0, of: sample("old").identity, said: .init("late", address: nil)) { $0.status = .down }
        #expect(index.counts[.up] == 1 && index.counts[.down] == 0 && index.said(slot: 0) == nil)
    }

    @Test func anotherTargetInTheSlotBeginsAnewAndTheSameUnderANewNameDoesNot() {
        var index = TargetIndex()
        index.put(sample("a"), slot: 0, .down)
        index.set(sample("a", name: "renamed"), slot: 0)
        #expect(index.counts[.down] == 1)
        index.set(sample("b"), slot: 0)
        #expect(index.counts[.down] == 0 && index.counts[.unknown] == 1 && index.count == 1)
    }
}

@Suite struct TargetSelectionTests {
    private static let orders = TargetQuery.Order.allCases

    private func index(_ count: Int) -> TargetIndex {
        var index = TargetIndex()
        for slot in 0..<count {
            let status = [Status.up, .down, .degraded, .unknown][slot * 7 % 4]
            let name = "Name \(slot * 7919 % count)"
            index.put(sample("k\(slot)", name: name, region: slot % 2 == 0 ? "eu" : "us"), slot: slot, status)
        }
        return index
    }

    @Test(arguments: orders, [true, false]) func pageAfterPageHasEachTargetOnceAndInOrder(
        _ order: TargetQuery.Order, _ isGrouped: Bool
    ) {
        var index = index(503)
        if isGrouped { index.group() }
        let days = DayTable(today: 20_000)
        var query = TargetQuery()
        (query.order, query.limit, query.region) = (order, 40, "eu")
        var (seen, pages): ([TargetIdentity], Int) = ([], 0)
        while pages < 100 {
            let selection = TargetSelection(query, index, days, p95: { $0 % 3 == 0 ? nil : UInt32($0) })
            #expect(selection.total == 252 && selection.before == seen.count)
            #expect(selection.rows.map(\.rank) == selection.rows.map(\.rank).sorted())
            seen += selection.rows.map(\.identity)
            pages += 1
            guard let last = selection.rows.last, selection.rows.count == 40 else { break }
            query.after = selection.cursor(behind: last, order, index)
        }
        #expect(seen.count == 252 && Set(seen).count == 252)
        #expect(pages == 7)
    }

    /// A target comes, one goes, and the last one of a page goes, between two pages.
    @Test(arguments: [TargetQuery.Order.name, .status], [true, false])
    func noTargetIsLeftOutWhereTheListChanges(_ order: TargetQuery.Order, _ isGrouped: Bool) throws {
        var index = TargetIndex()
        for slot in 0..<100 { index.put(sample("k\(slot)", name: "n\(1000 + slot)"), slot: slot, .up) }
        index.group()
        var query = TargetQuery()
        (query.order, query.limit) = (order, 10)
        let first = TargetSelection(query, index, DayTable(today: 1), p95: { _ in nil })
        #expect(first.rows.map(\.slot) == Array(0..<10))
        query.after = first.cursor(behind: try #require(first.rows.last), order, index)
        func next() -> [Int] { TargetSelection(query, index, DayTable(today: 1), p95: { _ in nil }).rows.map(\.slot) }
        for slot in [0, 5] { index.remove(slot: slot) }
        if isGrouped { index.group() }
        #expect(next() == Array(10..<20))
        index.put(sample("new", name: "n0"), slot: 0, .up)
        if isGrouped { index.group() }
        #expect(next() == Array(10..<20))
        for slot in 8..<12 { index.remove(slot: slot) }
        if isGrouped { index.group() }
        #expect(next() == Array(12..<22))
    }

    @Test func aCursorIsReadAsItWasWritten() {
        for identity in [
            TargetIdentity(clientID: "a.b", key: "c.d"), TargetIdentity(clientID: "é", key: ""),
            TargetIdentity(clientID: "", key: "."),
        ] {
            for name in ["", "a.b", "é"] {
                let cursor = TargetQuery.Cursor(rank: -7, name: name, identity: identity)
                #expect(TargetQuery.Cursor(cursor.text) == cursor)
            }
        }
        for text in ["", "1", "1.2", "1.2.0", "x.1.0.ab", "1.9.0.ab", "1.-1.0.ab", "1.1.2.ab", "1.1.-1.ab"] {
            #expect(TargetQuery.Cursor(text) == nil, "\(text)")
        }
    }

    @Test func aTextIsFoundAnywhereWhateverItsCase() {
        var index = TargetIndex()
        index.put(sample("tgt_9", name: "Payments API"), slot: 0, .up)
        index.put(sample("tgt_8", name: "Orders", host: "db.EXAMPLE"), slot: 1, .up)
        func found(_ text: String) -> [String] {
            var query = TargetQuery()
            query.text = text
            return TargetSelection(query, index, DayTable(today: 1), p95: { _ in nil }).rows.map(\.identity.key).sorted()
        }
        #expect(found("ments a") == ["tgt_9"])
        #expect(found("db.example") == ["tgt_8"])
        #expect(found("TGT_") == ["tgt_8", "tgt_9"])
        #expect(found("nothing") == [])
    }
}

@Suite struct TargetGroupsTests {
    private func index() -> TargetIndex {
        var index = TargetIndex()
        for slot in 0..<30 {
            index.put(
                sample("k\(slot)", region: slot < 10 ? "eu" : "us", host: "h\(slot % 3)"), slot: slot, slot < 4 ? .down : .up)
        }
        return index
    }

    /// A target that changed, one that came and one that went: whether they were worked out or are asked one by one, the counts are the same.
    @Test func whatHasChangedSinceIsCountedAsItIs() {
        var grouped = index()
        grouped.group()
        var asked = index()
        func change(_ index: inout TargetIndex) {
            index.put(sample("k0", region: "us", host: "h1"), slot: 0, .down)
            index.put(sample("new", region: "asia", host: nil), slot: 30, .unknown)
            index.remove(slot: 29)
        }
        change(&grouped)
        change(&asked)
        #expect(!grouped.isGrouped)
        for grouping in [\TargetGroups.regions, \.hosts, \.clients] {
            let (one, other) = (
                GroupTallies(grouped.groups[keyPath: grouping], grouped), GroupTallies(asked.groups[keyPath: grouping], asked)
            )
            #expect(one.count == other.count)
            #expect(one.worst(2).map(\.word) == other.worst(2).map(\.word))
            for (word, tally) in one.worst(100) { #expect(other[word] == tally, "\(word)") }
        }
        let regions = GroupTallies(grouped.groups.regions, grouped)
        #expect(regions["eu"] == GroupTally(all: 9, down: 3))
        #expect(regions["us"] == GroupTally(all: 20, down: 1))
        #expect(regions["asia"].unknown == 1 && regions["asia"].well == 0)
        #expect(regions.worst(9).map(\.word) == ["eu", "us", "asia"])
        var query = TargetQuery()
        (query.region, query.limit) = ("us", 200)
        #expect(TargetSelection(query, grouped, DayTable(today: 1), p95: { _ in nil }).total == 20)
        query.region = "asia"
        #expect(TargetSelection(query, grouped, DayTable(today: 1), p95: { _ in nil }).rows.map(\.slot) == [30])
    }

    @Test func whatWasWorkedOutOfAnOlderListIsNotTaken() {
        var index = index()
        let (groups, version) = (index.grouped(), index.listVersion)
        index.remove(slot: 3)
        #expect(index.take(groups, ofList: version) == false)
        #expect(!index.isGrouped && index.groups.regions.place(slot: 3) == nil)
    }

    @Test func theFiltersOfferWhatMostHave() {
        var index = TargetIndex()
        for slot in 0..<300 { index.put(sample("k\(slot)", host: "h\(slot < 150 ? slot : slot % 50 + 100)"), slot: slot, .up) }
        index.group()
        let hosts = index.groups.choices.hosts
        #expect(hosts.count == 100 && hosts == hosts.sorted() && hosts.contains("h149") && hosts.contains("h100"))
    }
}

@Suite struct DayTableTests {
    @Test func theWindowMovesWithTheDays() {
        var days = DayTable(today: 20_000)
        days.add(StateSums(available: 3600), day: 19_911, slot: 3)
        days.add(StateSums(available: 100, down: 50), day: 20_000, slot: 3)
        days.add(StateSums(available: 1), day: 19_910, slot: 3)
        #expect(days.states(slot: 3, now: .unknown).first == .good && days.states(slot: 3, now: .unknown).last == .down)
        #expect(days.sums(slot: 3) == StateSums(available: 3700, down: 50))
        days.subtract(StateSums(available: 3600), day: 19_911, slot: 3)
        days.subtract(StateSums(down: 1), day: 19_911, slot: 4)
        days.makeRoom(until: 20_001, slots: 0..<100)
        days.begin(day: 20_001)
        #expect(days.states(slot: 3, now: .unknown).first == .unknown && days.states(slot: 3, now: .unknown).last == .unknown)
        #expect(days.states(slot: 3, now: .unknown)[88] == .down)
        #expect(days.sums(slot: 3) == StateSums(available: 100, down: 50))
    }

    /// A target that came back has nothing of a day on which it was away.
    @Test func aDayThatATargetDoesNotHaveTakesNothingAway() {
        var days = DayTable(today: 20_000)
        days.add(StateSums(available: 500), day: 20_000, slot: 0)
        days.subtract(StateSums(available: 400), day: 19_911, slot: 0)
        #expect(days.sums(slot: 0) == StateSums(available: 500))
    }

    @Test func theWindowEndsWithTheLastHourThatWasAdded() {
        var days = DayTable(today: 20_000)
        #expect(days.window == 0)
        days.throughHour = 20_000 * 24 + 3
        #expect(days.window == Int64(89 * 24 + 3) * 3_600_000)
    }

    @Test func todayIsAtLeastAsBadAsTheTargetIsNow() {
        var days = DayTable(today: 20_000)
        days.add(StateSums(available: 1), day: 20_000, slot: 0)
        #expect(days.states(slot: 0, now: .down).last == .down && days.states(slot: 0, now: .up).last == .good)
        days.add(StateSums(down: 1), day: 20_000, slot: 0)
        #expect(days.states(slot: 0, now: .up).last == .down)
        #expect(days.states(slot: 9, now: .up).last == .good)
    }

    @Test func aDayOnlyBecomesWorse() {
        var days = DayTable(today: 20_000)
        days.add(StateSums(available: 10, degraded: 5), day: 20_000, slot: 0)
        days.add(StateSums(available: 10), day: 20_000, slot: 0)
        #expect(days.states(slot: 0, now: .unknown).last == .degraded)
        days.clear(slot: 0)
        #expect(days.states(slot: 0, now: .unknown).allSatisfy { $0 == .unknown } && days.sums(slot: 0) == StateSums())
    }
}

@Suite struct SharedCausesTests {
    @Test func whatExplainsTheMostComesFirst() {
        let members = (0..<16).map { number -> (Int, [SharedThing]) in
            var things: [SharedThing] = [.reason(number < 15 ? .connectRefused : .timeout)]
            if number < 14 { things.append(.block("203.0.113.0/24")) }
            if number < 3 { things.append(.host("db.example")) }
            return (number, things)
        }
        let groups = SharedCauses(members) { $0.1 }.groups
        #expect(groups.map(\.thing) == [.reason(.connectRefused), nil])
        #expect(groups.map(\.members.count) == [15, 1])
    }

    @Test func ofThingsThatExplainAsMuchTheOneThatSaysMoreIsTaken() {
        let members = (0..<4).map {
            ($0, [SharedThing.reason(.timeout), .region("eu"), .host("db.example"), .block("10.0.0.0/24")])
        }
        #expect(SharedCauses(members) { $0.1 }.groups.map(\.thing) == [.host("db.example")])
    }

    @Test(arguments: [("203.0.113.77", "203.0.113.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48")])
    func addressesAreInBlocks(address: String, block: String) throws {
        #expect(try #require(IPAddress(address)).block == block)
    }
}
