import ArgumentParser
import Curl
import Daemon
import Health
import Probing
import Settings
import TargetsAPI
import Terminal

struct CheckConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-config", abstract: "Print every problem of a configuration file.",
        discussion: """
            Exits with 0 when the file has no mistake, and with 1 when it has one. A warning is no mistake. With --sync it exits with 69 \
            when a list can't be fetched.
            """)

    @OptionGroup var file: ConfigOption

    @Flag(help: "Also fetch the list, and show what the configuration does to its targets.")
    var sync = false

    @Flag(
        help:
            "Print only when each target of the list is due: client, id, phase, interval. Times are nanoseconds since boot."
    )
    var schedule = false

    func run() async throws {
        let config = try file.path()
        let reading = Settings.load(path: config, surroundings: Rangefinder.surroundings, mustWatch: true)
        for diagnostic in reading.diagnostics { try printData(diagnostic.text(file: config) + "\n") }
        guard let settings = reading.settings else { throw ExitCode(ExitStatus.notWell.rawValue) }
        let watched = try checkTargetsFile(settings)
        if schedule { return try await printSchedule(settings) }
        // What is said at last is what it comes to.
        if sync { try await showList(settings) }
        if let watched, let file = settings.targetsFile {
            try printData("\(displayText(file)) is good: \(counted(watched.targets.count, "target")).\n")
        }
        try printData("\(displayText(config)) is good. \(summary(settings))\n")
    }

    /// nil where no file is watched.
    private func checkTargetsFile(_ settings: Settings) throws -> WatchedFile? {
        guard let file = settings.targetsFile, let reading = settings.readTargetsFile(Rangefinder.surroundings) else {
            return nil
        }
        for diagnostic in reading.diagnostics { try printData(diagnostic.text(file: file) + "\n") }
        guard let watched = reading.file else { throw ExitCode(ExitStatus.notWell.rawValue) }
        let problems = watched.targets.filter { TargetSelection(settings.targetsAPI).includes($0) }.unprobeable(settings)
        for line in problems.prefix(Self.problemsShown) { try printData("warning: \(line)\n") }
        if problems.count > Self.problemsShown { try printData("warning: and \(problems.count - Self.problemsShown) more\n") }
        return watched
    }

    private static let problemsShown = 10

    private func summary(_ settings: Settings) -> String {
        let (policy, alerting) = (settings.probe, settings.alerting)
        let later = alerting.webhooks.isEmpty ? "" : "; webhooks are told up to \(durationWords(alerting.groupWindow)) later"
        return
            "By default a target is probed every \(durationWords(policy.interval)), and a failing one is known to be down within "
            + "\(durationWords(policy.detectionBound))\(later)."
    }

    /// A target is due whenever the time since boot (CLOCK_BOOTTIME) is its phase plus whole intervals.
    private func printSchedule(_ settings: Settings) async throws {
        let engine = try TransferEngine()
        let targets = try await knownTargets(settings, engine)
        await engine.shutDown()
        let selection = TargetSelection(settings.targetsAPI)
        for target in targets where selection.includes(target) {
            let policy = settings.policy(for: target)
            guard policy.isEnabled else { continue }
            let (interval, identity) = (policy.interval.wholeMicroseconds * 1000, target.identity)
            let phase = stablePhase(of: identity, interval: interval)
            let names = [identity.clientID, identity.key].map { displayText($0, limit: .max) }
            try printData((names + ["\(phase)", "\(interval)"]).joined(separator: "\t") + "\n")
        }
    }

    private func showList(_ settings: Settings) async throws {
        let engine = try TransferEngine()
        var missing: [String] = []
        let targets = try await knownTargets(settings, engine) { missing.append($0) }
        await engine.shutDown()
        let effect = RulesEffect(targets: targets, settings: settings)
        for line in effect.lines { try printData(line + "\n") }
        guard missing.isEmpty else {
            let clients = missing.map { displayText($0) }.joined(separator: ", ")
            throw Failure(.unreachable, "the configuration has no mistake, but the list of \(clients) could not be fetched")
        }
    }
}

extension [Target] {
    /// A line for each that can't be probed by these settings: why.
    fileprivate func unprobeable(_ settings: Settings) -> [String] {
        compactMap { target in
            let policy = settings.policy(for: target)
            guard policy.isEnabled, let problem = unprobeableSentence(target, join: policy.pathJoin, egress: settings.egress)
            else { return nil }
            return "\(displayText(target.name)) (\(displayText(target.identity.key))): \(problem)"
        }
    }
}

/// What regions, shard and overrides do to a real list.
struct RulesEffect {
    private(set) var lines: [String] = []

    init(targets: [Target], settings: Settings) {
        let selection = TargetSelection(settings.targetsAPI)
        let selected = targets.filter { selection.includes($0) }
        var perOverride = [Int](repeating: 0, count: settings.overrides.count)
        var disabled = 0
        for target in selected {
            let policy = settings.policy(for: target)
            if !policy.isEnabled { disabled += 1 }
            if let index = settings.overrideIndex(for: target) { perOverride[index] += 1 }
        }
        let problems = selected.unprobeable(settings)
        lines.append(
            "\(counted(targets.count, "target")) in the list, \(targets.count - selected.count) left out by regions and shard, "
                + "\(disabled) not enabled, \(problems.count) that can't be probed.")
        lines += problems.prefix(50).map { "  " + $0 }
        if problems.count > 50 { lines.append("  and \(problems.count - 50) more") }
        for (index, count) in perOverride.enumerated() {
            let effect = count == 0 ? " matches no target" : ": \(counted(count, "target"))"
            lines.append("\(count == 0 ? "warning: " : "")override \(index + 1)\(effect)")
        }
    }
}
