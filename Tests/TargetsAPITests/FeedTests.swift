import Health
import Testing

@testable import TargetsAPI

private func target(_ number: Int, name: String = "n") -> Target {
    Target(
        identity: TargetIdentity(clientID: "c", key: "k\(number)"), name: name, baseURL: "http://a", testPath: "/",
        region: "r")
}

private func list(_ numbers: some Sequence<Int>) -> TargetList { TargetList(targets: numbers.map { target($0) }) }

private func unreadable(_ number: Int) -> RejectedRecord {
    RejectedRecord(
        index: 0, identity: target(number).identity, shownName: nil,
        problem: FieldProblem(field: "targetName", problem: "is missing"))
}

@Suite struct FeedTests {
    private func feed(_ count: Int, shrinkGuard: Double = 0.5) -> TargetFeed {
        TargetFeed(targets: (0..<count).map { target($0) }, shrinkGuard: shrinkGuard)
    }

    /// As it is there again the answer is what is known, and the same bytes come after it.
    @Test func aTargetThatFailsAndIsBackHasNothingLeftOfIt() {
        let failing = target(2).identity
        var feed = TargetFeed(targets: (0..<3).map { target($0) }, shrinkGuard: 0.5) { $0 == failing }
        _ = feed.receive(list(0..<2))
        _ = feed.receive(list(0..<3))
        _ = feed.receiveAgain()
        #expect(feed.targets.count == 3)
        _ = feed.receive(list(0..<2))
        #expect(feed.targets.count == 3)
    }

    @Test func aListThatIsHeldIsAgreedOnAlsoWhereATargetOfItFails() {
        let failing = target(19).identity
        var feed = TargetFeed(targets: (0..<20).map { target($0) }, shrinkGuard: 0.5) { $0 == failing }
        #expect(feed.receive(list(0..<2)) == .held(lost: 18, of: 20))
        #expect(feed.receive(list([1, 0])) == .held(lost: 18, of: 20))
        _ = feed.receive(list(0..<2))
        #expect(feed.targets.count == 2 && !feed.isHolding)
    }

    @Test func aTargetThatFailsLeavesWhenTwoAnswersInARowLackIt() {
        let failing = target(1).identity
        var feed = TargetFeed(targets: (0..<4).map { target($0) }, shrinkGuard: 0.5) { $0 == failing }
        /// What an answer removes; nil when it is held.
        func removed(_ receive: (inout TargetFeed) -> TargetFeed.Outcome) -> [TargetIdentity]? {
            let before = feed.targets.map(\.identity)
            guard case .applied(let change) = receive(&feed) else { return nil }
            let after = Set(feed.targets.map(\.identity))
            let gone = before.filter { !after.contains($0) }
            #expect(change.removed == gone.count)
            return gone
        }
        // One that is well leaves at once.
        #expect(removed { $0.receive(list([0, 1, 3])) } == [target(2).identity])
        #expect(removed { $0.receive(list([0, 3])) } == [] && feed.spared == [failing])
        // It is there again: nothing has happened.
        #expect(removed { $0.receive(list([0, 1, 3])) } == [] && feed.spared == [])
        #expect(removed { $0.receive(list([0, 3])) } == [])
        #expect(removed { $0.receiveAgain() } == [failing] && feed.spared == [])
        #expect(removed { $0.receive(list([0, 1, 3])) } == [])
        #expect(removed { $0.receive(list([0, 3])) } == [])
        #expect(removed { $0.receive(list([3, 0])) } == [failing])
    }

    @Test func theFirstListIsAllAdded() {
        var feed = TargetFeed(shrinkGuard: 0.5)
        #expect(feed.receive(list(0..<3)) == .applied(ListChange(from: [], to: (0..<3).map { target($0) })))
        #expect(feed.targets == (0..<3).map { target($0) })
    }

    @Test func anAnswerIsAppliedAsADifference() throws {
        var feed = feed(4)
        let outcome = feed.receive(TargetList(targets: [target(3), target(1, name: "new"), target(2), target(9)]))
        guard case .applied(let change) = outcome else {
            Issue.record("held")
            return
        }
        #expect((change.added, change.changed, change.removed, change.unchanged) == (1, 1, 1, 2))
        #expect(feed.targets == [target(3), target(1, name: "new"), target(2), target(9)])
    }

    @Test func aKnownTargetWhoseRecordBecameUnreadableKeepsItsLastGoodForm() {
        var feed = feed(2)
        let outcome = feed.receive(TargetList(targets: [target(0)], rejected: [unreadable(1)]))
        #expect(outcome == .applied(ListChange(from: feed.targets, to: feed.targets)))
        #expect(Set(feed.targets) == [target(0), target(1)])
        #expect(feed.rejected == [unreadable(1)])
    }

    @Test func anUnreadableRecordOfAnUnknownTargetAddsNothing() {
        var feed = feed(1)
        _ = feed.receive(TargetList(targets: [target(0)], rejected: [unreadable(7)]))
        #expect(feed.targets == [target(0)])
    }

    @Test func theSecondRecordOfAnIdentityDoesNotBringTheOldFormBack() {
        var feed = feed(1)
        _ = feed.receive(TargetList(targets: [target(0, name: "new")], rejected: [unreadable(0)]))
        #expect(feed.targets == [target(0, name: "new")])
    }

    /// Known targets, those left, the share that may go, whether the answer is held.
    @Test(arguments: [
        (10, 10, 0.5, false), (10, 5, 0.5, false), (10, 4, 0.5, true), (10, 0, 0.5, true),
        // At most five may go whatever the share, but not all.
        (6, 1, 0.5, false), (5, 0, 0.5, true), (1, 0, 0.5, true), (2, 1, 0, false), (7, 1, 0.5, true),
        (100, 94, 0, true), (100, 95, 0, false), (100, 1, 1, false), (100, 0, 1, true), (0, 0, 0.5, false),
    ])
    func theGuardHoldsWhatLosesTooMuch(known: Int, left: Int, share: Double, isHeld: Bool) {
        var feed = feed(known, shrinkGuard: share)
        let before = feed.targets
        let outcome = feed.receive(list(0..<left))
        #expect((outcome == .held(lost: known - left, of: known)) == isHeld)
        #expect(feed.isHolding == isHeld)
        #expect(feed.targets.count == (isHeld ? known : left))
        if isHeld { #expect(feed.targets == before) }
    }

    @Test func aListOfWhollyOtherTargetsIsHeld() {
        var feed = feed(3)
        #expect(feed.receive(list(10..<20)) == .held(lost: 3, of: 3))
    }

    @Test func threeAnswersInARowThatAgreeAreBelieved() {
        var feed = feed(20)
        #expect(feed.receive(list(0..<2)) == .held(lost: 18, of: 20))
        #expect(feed.receive(list([1, 0])) == .held(lost: 18, of: 20))
        let before = feed.targets
        #expect(feed.receive(list(0..<2)) == .applied(ListChange(from: before, to: [target(0), target(1)])))
        #expect(!feed.isHolding)
    }

    @Test func theSameAnswerAgainAgreesWithItself() {
        var feed = feed(20)
        #expect(feed.receive(list(0..<2)) == .held(lost: 18, of: 20))
        #expect(feed.receiveAgain() == .held(lost: 18, of: 20))
        let before = feed.targets
        #expect(feed.receiveAgain() == .applied(ListChange(from: before, to: [target(0), target(1)])))
        #expect(!feed.isHolding)
        #expect(feed.receiveAgain() == .applied(ListChange(from: feed.targets, to: feed.targets)))
    }

    @Test func answersThatDisagreeStartTheCountAnew() {
        var feed = feed(20)
        for left in [0..<2, 0..<2, 1..<3, 1..<3, 0..<2, 0..<2] {
            #expect(feed.receive(list(left)) == .held(lost: 18, of: 20))
        }
    }

    @Test func aWholeAnswerInBetweenLetsTheHeldOneGo() {
        var feed = feed(20)
        _ = feed.receive(list(0..<2))
        _ = feed.receive(list(0..<2))
        #expect(feed.receive(list(0..<20)) == .applied(ListChange(from: feed.targets, to: feed.targets)))
        #expect(!feed.isHolding)
        #expect(feed.receive(list(0..<2)) == .held(lost: 18, of: 20))
    }

    @Test func acceptingLetsTheHeldAnswerThrough() {
        var feed = feed(20)
        _ = feed.receive(list(0..<2))
        let before = feed.targets
        #expect(feed.accept() == ListChange(from: before, to: [target(0), target(1)]))
        #expect(feed.targets == [target(0), target(1)])
        #expect(feed.accept() == nil)
    }

    @Test func unreadableRecordsAreNoLosses() {
        var feed = feed(10)
        let outcome = feed.receive(TargetList(targets: [], rejected: (0..<10).map { unreadable($0) }))
        #expect(outcome == .applied(ListChange(from: feed.targets, to: feed.targets)))
        #expect(feed.targets.count == 10)
    }
}

@Suite struct SelectionTests {
    @Test func noRegionsMeansAll() {
        #expect(TargetSelection().includes(target(1)))
        #expect(TargetSelection(regions: ["r"]).includes(target(1)))
        #expect(!TargetSelection(regions: ["other"]).includes(target(1)))
    }

    @Test func theSharesOfAllShardsMakeTheWholeListOnce() {
        let shards = (1...5).map { TargetSelection(shard: Shard(index: $0, count: 5)) }
        for number in 0..<500 { #expect(shards.count { $0.includes(target(number)) } == 1) }
    }

    @Test(arguments: [(0, 5), (6, 5), (1, 0), (-1, 2)])
    func aShardOutsideItsCountIsNone(index: Int, count: Int) {
        #expect(Shard(index: index, count: count) == nil)
    }
}
