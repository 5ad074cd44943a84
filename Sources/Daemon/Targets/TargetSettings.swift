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
        overrides.isEmpty && target.probe == nil ? probe : policy(for: target, url: matchedURL(of: target))
    }

    /// The place in `overrides` of the one that a target gets; nil when none matches.
    package func overrideIndex(for target: Target) -> Int? {
        overrides.isEmpty ? nil : overrideIndex(for: target, url: matchedURL(of: target))
    }

    /// Reads what the file that is watched in place of an API has.
    func watchedFile(_ bytes: [UInt8]) -> WatchedFile.Reading { watchedFile(bytes) { policy(for: $0) } }

    /// The file that is watched in place of an API. nil where there is none.
    package func readTargetsFile(_ surroundings: ProcessEnvironment) -> WatchedFile.Reading? {
        guard let path = targetsFile else { return nil }
        do throws(FileProblem) {
            return watchedFile(try surroundings.readFile(path, TargetsFile.sizeLimit))
        } catch {
            let message = "the file can't be read: \(error.sentence)"
            return WatchedFile.Reading(file: nil, diagnostics: [Diagnostic(.error, line: 1, column: 1, message)])
        }
    }

    /// `match.url` is held against the URL as the default `path_join` makes it: an override may change that for itself.
    func matchedURL(of target: Target) -> MatchedURL? {
        guard let url = try? testURL(of: target, join: probe.pathJoin) else { return nil }
        return MatchedURL(scheme: url.scheme, host: url.host, port: url.port, path: url.path)
    }
}
