import Curl
import Exposition
import Health
import Logging
import Probing
import Scheduling
import Settings
import TargetsAPI

/// A target of a list that is to be watched, with its policy.
struct WantedTarget {
    var target: Target
    var policy: SharedPolicy
    /// What a probe of the target asks for; nil when the record allows none.
    var url: URLParts?

    func lane(_ plan: LanePlan) -> Int { plan.lane(of: target.identity, host: url?.host) }

    mutating func makeURL() { url = try? testURL(of: target, join: policy.value.pathJoin) }

    var labels: SeriesLabels {
        SeriesLabels(
            identity: target.identity, name: target.name, url: url?.text ?? target.baseURL + target.testPath,
            region: target.region)
    }
}

/// The targets of some lists that settings want watched, each with its policy.
struct WantedTargets {
    private(set) var targets: [WantedTarget] = []
    /// How many aren't enabled, and how many `regions` and `shard` leave out.
    private(set) var disabled = 0
    private(set) var filtered = 0
    /// Those that the targets have, each held once.
    private(set) var policies: [SharedPolicy] = []

    /// - Parameters:
    ///   - lists: in their order; an identity is in one list only, and there once.
    ///   - before: the policies of the last time. One that hasn't changed stays the same, so that a reload finds what it left alone.
    init(_ lists: [[Target]], _ settings: Settings, before: [SharedPolicy]) {
        let selection = TargetSelection(settings.targetsAPI)
        let known = Dictionary(before.map { ($0.value, $0) }, uniquingKeysWith: { first, _ in first })
        var shared: [ProbePolicy: SharedPolicy] = [:]
        func share(_ policy: ProbePolicy) -> SharedPolicy {
            let one = shared[policy] ?? known[policy] ?? SharedPolicy(policy)
            shared[policy] = one
            return one
        }
        // Most targets have one of a few, and a policy takes long to look up.
        var ofOverride: [Int?: SharedPolicy] = [:]
        targets.reserveCapacity(lists.reduce(0) { $0 + $1.count })
        for target in lists.joined() {
            guard selection.includes(target) else {
                filtered += 1
                continue
            }
            let policy: SharedPolicy
            if target.probe != nil {
                policy = share(settings.policy(for: target))
            } else {
                let index = settings.overrideIndex(for: target)
                policy = ofOverride[index] ?? share(index.map { settings.overrides[$0].policy } ?? settings.probe)
                ofOverride[index] = policy
            }
            guard policy.value.isEnabled else {
                disabled += 1
                continue
            }
            targets.append(WantedTarget(target: target, policy: policy))
        }
        policies = Array(shared.values)
    }
}

/// Targets whose own settings can't be used, for whoever wonders why nothing is learned of them.
struct UnusableSettings {
    var count = 0
    /// Why, of one of them.
    var sentence = ""

    init() {}

    init(_ targets: [WantedTarget], _ policies: [SharedPolicy]) {
        guard let fault = policies.lazy.compactMap(\.value.fault).first else { return }
        (count, sentence) = (targets.count { $0.policy.value.fault != nil }, fault)
    }
}

/// Says when a target is new that reference resolution drops a prefix that its fixtures may have meant.
func adviseOnPaths(of targets: [WantedTarget], _ logger: Logger) {
    let affected = targets.compactMap { want in
        droppedPathPrefix(of: want.target, join: want.policy.value.pathJoin).map { (want.target, $0) }
    }
    for (target, prefix) in affected.prefix(10) {
        logger.notice(
            "the test path replaces the base URL's path \(displayText(prefix)); to add it to that, set path_join: append",
            metadata: ["target": "\(target.name)", "target_id": "\(target.identity.key)"])
    }
    if affected.count > 10 { logger.notice("so it is with \(counted(affected.count - 10, "more target", "more targets"))") }
}
