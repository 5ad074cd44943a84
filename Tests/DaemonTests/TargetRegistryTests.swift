import Curl
import Health
import Probing
import Testing

@testable import Daemon

@Suite struct TargetRegistryTests {
    private static let now = Timestamp(milliseconds: 0)
    private let policy = SharedPolicy(ProbePolicy())

    private func target(_ url: String) -> Target {
        Target(identity: TargetIdentity(clientID: "c", key: "t"), name: "n", baseURL: url, testPath: "/", region: "r")
    }

    private func report(_ outcome: Outcome, otherAddresses: OtherAddresses? = nil) -> ProbeReport {
        let result = ProbeResult(
            target: target("").identity, startedAt: Timestamp(milliseconds: 1_700_000_000_000), duration: .milliseconds(5),
            outcome: outcome)
        return ProbeReport(result: result, startedAt: .now, otherAddresses: otherAddresses)
    }

    @Test func aResultOfAnEarlierLifeOfATargetCountsForNothing() throws {
        let registry = TargetRegistry()
        registry.add(target("http://old"), url: URLParts("http://old"), policy, judge: Judge())
        let (_, registration) = try #require(registry.order(target("").identity, due: .now, isRecheck: false))
        _ = registry.remove(target("").identity, at: Self.now)
        registry.add(target("http://new"), url: URLParts("http://new"), policy, judge: Judge())
        let judged = try #require(registry.judge(report(.bad(.statusUnexpected)), of: registration)).judged
        #expect(judged.result.void == .cancelled)
        #expect(judged.judge.streaks.bad == 0)
    }

    @Test func aResultOfAnEarlierURLCountsForNothing() throws {
        let registry = TargetRegistry()
        registry.add(target("http://old"), url: URLParts("http://old"), policy, judge: Judge())
        let (_, registration) = try #require(registry.order(target("").identity, due: .now, isRecheck: false))
        #expect(registry.update(target("http://new"), url: URLParts("http://new"), policy, at: Self.now).moved)
        #expect(registry.judge(report(.good), of: registration)?.judged.result.void == .cancelled)
    }

    @Test func aJudgeIsNewsWhenItChangesOrIsNotKnownYet() throws {
        let registry = TargetRegistry()
        registry.add(target("http://old"), url: URLParts("http://old"), policy, judge: Judge())
        func news(_ outcome: Outcome) throws -> Bool {
            let (_, registration) = try #require(registry.order(target("").identity, due: .now, isRecheck: false))
            return try #require(registry.judge(report(outcome), of: registration)).judged.isJudgeNews
        }
        // The streaks grow up to the third.
        #expect(try [Outcome.good, .good, .good, .good, .good].map(news) == [true, true, true, false, false])
        #expect(try news(.bad(.timeout)))
        // The change is part of it until it is past the last that count for flapping.
        let after = try (1...22).map { _ in try news(.good) }
        #expect(after[..<20].allSatisfy(\.self) && after.last == false)
        // Elsewhere it begins anew, and that has to be written even by a result that changes nothing more.
        #expect(registry.update(target("http://new"), url: URLParts("http://new"), policy, at: Self.now).moved)
        #expect(try news(.good))
        _ = registry.remove(target("").identity, at: Self.now)
        registry.add(target("http://new"), url: URLParts("http://new"), policy, judge: Judge())
        #expect(try news(.good))
    }

    @Test func aResultOfARemovedTargetIsDropped() throws {
        let registry = TargetRegistry()
        registry.add(target("http://old"), url: URLParts("http://old"), policy, judge: Judge())
        let (_, registration) = try #require(registry.order(target("").identity, due: .now, isRecheck: false))
        _ = registry.remove(target("").identity, at: Self.now)
        #expect(registry.judge(report(.good), of: registration) == nil)
    }

    /// A result is being told when its target is removed: the removal is told after it, by the same thread.
    @Test func aRemovalIsToldAfterTheResultBeforeIt() throws {
        let registry = TargetRegistry()
        let identity = target("").identity
        registry.add(target("http://old"), url: URLParts("http://old"), policy, judge: Judge())
        let (_, registration) = try #require(registry.order(identity, due: .now, isRecheck: false))
        let change = try #require(registry.judge(report(.good), of: registration)?.change)
        #expect(registry.remove(identity, at: Self.now) == nil)
        guard case .removed(identity, _, nil, Self.now)? = registry.next(after: change.target) else {
            Issue.record("the removal was not next")
            return
        }
        #expect(registry.next(after: identity) == nil)
        // What comes later is told by whoever brings it.
        registry.add(target("http://new"), url: URLParts("http://new"), policy, judge: Judge())
        #expect(registry.remove(identity, at: Self.now) != nil)
    }

    /// Four targets a host, side by side in the list: whether they answer is one question a host.
    @Test func witnessesAreOnDifferentHosts() throws {
        let registry = TargetRegistry()
        for index in 0..<20 {
            let identity = TargetIdentity(clientID: "c", key: "\(index)")
            let url = URLParts("http://9.9.\(index / 4).9/")
            registry.add(
                Target(identity: identity, name: "n", baseURL: "", testPath: "/", region: "r"), url: url, policy, judge: Judge())
            let (_, registration) = try #require(registry.order(identity, due: .now, isRecheck: false))
            let result = ProbeResult(
                target: identity, startedAt: Timestamp(milliseconds: 1_700_000_000_000), duration: .milliseconds(5),
                outcome: .good)
            _ = registry.judge(ProbeReport(result: result, startedAt: .now), of: registration)
        }
        for _ in 0..<20 {
            let keys = registry.witnesses(of: [.outside], atMost: 3).compactMap { Int($0.key) }
            #expect(Set(keys.map { $0 / 4 }).count == 3)
        }
        #expect(registry.witnesses(of: [.outside], atMost: 20).count == 5)
    }

    @Test func aScanFindsWhatIsThereInManySteps() {
        let registry = TargetRegistry()
        let count = 3 * TargetRegistry.scanStep + 7
        let identities = (0..<count).map { TargetIdentity(clientID: "c", key: "\($0)") }
        for (index, identity) in identities.enumerated() {
            let target = Target(identity: identity, name: "n", baseURL: "", testPath: "/", region: "r")
            registry.add(target, url: nil, policy, judge: Judge(status: index % 2 == 0 ? .up : .degraded))
        }
        for identity in identities[..<10] { _ = registry.remove(identity, at: Self.now) }
        let wanted = identities.enumerated().filter { $0.offset % 2 == 1 && $0.offset >= 10 }.map(\.element)
        #expect(Set(registry.targets(.degraded)) == Set(wanted))
        #expect(registry.unwanted(round: 0) == [])
        #expect(registry.unwanted(round: 1).count == count - 10)
    }

    @Test func aTargetWithNoneButVoidResultsIsNotSeen() throws {
        let registry = TargetRegistry()
        registry.add(target("http://old"), url: URLParts("http://old"), policy, judge: Judge())
        let (_, registration) = try #require(registry.order(target("").identity, due: .now, isRecheck: false))
        let start = ContinuousClock.now
        let ask = { (seconds: Int) in registry.unseen(forIntervals: 3, now: start + .seconds(seconds)) }
        func judge(_ outcome: Outcome, _ void: VoidCause? = nil, at seconds: Int) {
            var report = report(outcome)
            (report.startedAt, report.result.void) = (start + .seconds(seconds), void ?? report.result.void)
            _ = registry.judge(report, of: registration)
        }
        judge(.good, .cancelled, at: 0)
        #expect(ask(1000) == 0)
        judge(.bad(.proberFault), at: 0)
        judge(.good, .tainted, at: 60)
        #expect(ask(90) == 0 && ask(91) == 1)
        judge(.good, .cancelled, at: 91)
        #expect(ask(91) == 1)
        judge(.bad(.timeout), at: 120)
        #expect(ask(1000) == 0)
        judge(.bad(.proberFault), at: 150)
        _ = registry.remove(target("").identity, at: Self.now)
        #expect(ask(1000) == 0)
    }

    @Test(arguments: [(2, 0), (1, 1)]) func fewTargetsThatAreNotSeenAreNoTroubleOfTheDaemons(seen: Int, unseen: Int) throws {
        let registry = TargetRegistry()
        registry.add(target("http://old"), url: URLParts("http://old"), policy, judge: Judge())
        for key in ["a", "b"].prefix(seen) {
            let identity = TargetIdentity(clientID: "c", key: key)
            registry.add(
                Target(identity: identity, name: key, baseURL: "", testPath: "/", region: "r"), url: nil, policy, judge: Judge())
        }
        let (_, registration) = try #require(registry.order(target("").identity, due: .now, isRecheck: false))
        let void = report(.bad(.proberFault))
        _ = registry.judge(void, of: registration)
        #expect(registry.unseen(forIntervals: 3, now: try #require(void.startedAt) + .seconds(91)) == unseen)
    }

    @Test func aCheckOfOtherAddressesIsKnownUntilTheIntervalIsOver() throws {
        let registry = TargetRegistry()
        registry.add(target("http://old"), url: URLParts("http://old"), policy, judge: Judge())
        let others = OtherAddresses(tried: [], answering: [])
        let (first, registration) = try #require(registry.order(target("").identity, due: .now, isRecheck: false))
        #expect(first.otherAddresses == nil)
        _ = registry.judge(report(.poor(.addressFailing), otherAddresses: others), of: registration)
        #expect(registry.order(target("").identity, due: .now, isRecheck: true)?.order.otherAddresses == others)
        #expect(registry.order(target("").identity, due: .now, isRecheck: false)?.order.otherAddresses == nil)
    }
}
