import Health
import Testing

@testable import Scheduling

@Suite struct LanePlanTests {
    private typealias Host = (host: String, interval: Duration)

    private func target(_ number: Int) -> TargetIdentity { TargetIdentity(clientID: "c", key: "tgt_\(number)") }

    private func hosts(_ count: Int, of targets: Int) -> [Host] {
        (0..<targets).map { (host: "host-\($0 % count).example.com", interval: .seconds(30)) }
    }

    private func loads(_ plan: LanePlan, _ hosts: [Host]) -> [Double] {
        var loads = [Double](repeating: 0, count: plan.laneCount)
        for (number, host) in hosts.enumerated() {
            loads[plan.lane(of: target(number), host: host.host)] += 1 / host.interval.inSeconds
        }
        return loads
    }

    private func unevenness(_ loads: [Double]) -> Double { (loads.max() ?? 0) / (loads.min() ?? 0) }

    @Test(arguments: [16, 100, 100_000], [2, 3, 16]) func theFullestLaneHasATenthMoreThanTheEmptiestAtMost(
        _ count: Int, _ lanes: Int
    ) {
        var plan = LanePlan(lanes: lanes)
        let hosts = hosts(count, of: 100_000)
        _ = plan.replan(hosts)
        #expect(unevenness(loads(plan, hosts)) <= 1.1)
    }

    @Test func aHostThatHasMostTargetsIsSpread() {
        var plan = LanePlan(lanes: 4)
        let hosts: [Host] = (0..<10_000).map {
            (host: $0 % 10 == 0 ? "small-\($0).example.com" : "large.example.com", interval: .seconds(30))
        }
        _ = plan.replan(hosts)
        #expect(unevenness(loads(plan, hosts)) <= 1.1)
        #expect(Set((0..<100).map { plan.lane(of: target($0), host: "large.example.com") }).count == 4)
    }

    @Test func theTargetsOfASmallHostStayTogether() {
        var plan = LanePlan(lanes: 2)
        _ = plan.replan(hosts(1000, of: 10_000))
        for number in 0..<1000 {
            let lanes = Set((0..<10).map { plan.lane(of: target($0), host: "host-\(number).example.com") })
            #expect(lanes.count == 1)
        }
    }

    @Test func intervalsCountAndNotTargets() {
        var plan = LanePlan(lanes: 2)
        let hosts: [Host] = (0..<400).map { (host: "host-\($0).example.com", interval: .seconds($0 % 20 == 0 ? 1 : 60)) }
        _ = plan.replan(hosts)
        #expect(unevenness(loads(plan, hosts)) <= 1.1)
    }

    @Test func theSameHostsChangeNothing() {
        var plan = LanePlan(lanes: 16)
        let hosts = hosts(100, of: 10_000)
        let (first, second) = (plan.replan(hosts), plan.replan(hosts))
        #expect(first && !second)
    }

    /// A hundred of ten thousand hosts go, and a hundred others come.
    @Test func aListThatChangesALittleMovesFewTargets() {
        var plan = LanePlan(lanes: 4)
        let before = hosts(10_000, of: 10_000)
        _ = plan.replan(before)
        let lanes = before.enumerated().map { plan.lane(of: target($0), host: $1.host) }
        let after = before.dropFirst(100) + (0..<100).map { (host: "new-\($0).example.com", interval: .seconds(30)) }
        _ = plan.replan(after)
        let moved = before.enumerated().dropFirst(100).filter { plan.lane(of: target($0), host: $1.host) != lanes[$0] }
        #expect(moved.count <= 200)
    }

    @Test func oneLaneHasAll() {
        var plan = LanePlan(lanes: 1)
        let changes = plan.replan(hosts(3, of: 10))
        #expect(!changes)
        #expect(plan.lane(of: target(1), host: "a") == 0)
        #expect(plan.lane(of: target(2), host: nil) == 0)
    }

    @Test func targetsWithoutAURLAreSpread() {
        let plan = LanePlan(lanes: 4)
        #expect(Set((0..<100).map { plan.lane(of: target($0), host: nil) }).count == 4)
    }
}
