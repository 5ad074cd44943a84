import Curl
import Exposition
import Health
import Logging
import Probing
import Scheduling

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
