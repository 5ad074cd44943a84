import Curl
package import Health
import Probing
import Scheduling
package import Settings
package import TargetsAPI

// What settings say of one target.

extension ProbeInterval {
    init(_ policy: ProbePolicy) {
        // A start that is this late would soon be too late to count.
        self.init(
            interval: policy.interval, fastInterval: policy.effectiveFastInterval,
            latenessMax: min(policy.taintAfter, .seconds(1)) * 4 / 5)
    }
}

extension TargetSelection {
    /// What `regions` and `shard` select.
    package init(_ section: Settings.TargetsAPI) {
        self.init(regions: Set(section.regions), shard: section.shard)
    }
}

extension Settings {
    package func policy(for target: Target) -> ProbePolicy {
        overrides.isEmpty ? probe : policy(for: target, url: matchedURL(of: target))
    }

    /// The place in `overrides` of the one that a target gets; nil when none matches.
    package func overrideIndex(for target: Target) -> Int? {
        overrides.isEmpty ? nil : overrideIndex(for: target, url: matchedURL(of: target))
    }

    /// `match.url` is held against the URL as the default `path_join` makes it: an override may change that for itself.
    func matchedURL(of target: Target) -> MatchedURL? {
        guard let url = try? testURL(of: target, join: probe.pathJoin) else { return nil }
        return MatchedURL(scheme: url.scheme, host: url.host, port: url.port, path: url.path)
    }
}
