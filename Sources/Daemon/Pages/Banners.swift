import Curl
import Exposition
import Health
import History
import Pages
import Scheduling
import Settings

/// What is wrong with the daemon itself, for the top of every page: is it us?
struct Banners: Sendable {
    let registry: TargetRegistry
    let scheduler: Scheduler<EngineClock>
    let history: History
    let metrics: DaemonMetrics
    let readiness: ReadinessCheck
    let sync: SyncService
    let configurationPath: String?
    let reconciler: TargetReconciler

    func all() async -> [Banner] {
        var banners: [Banner] = []
        let standing = registry.standing
        if let doubt = standing.doubt {
            banners.append(
                Banner(
                    .doubt, title: "It may be us.",
                    text: "The daemon doubts its own network: \(doubt.cause.sentence). Alerts are held meanwhile.",
                    link: "/daemon", linkText: "What the daemon sees"))
        }
        banners += overdueBanner
        banners += await listBanners + settingsBanner
        banners += historyBanner + overloadBanner
        if banners.isEmpty, let problem = await readiness.problems().first {
            banners.append(Banner(.notReady, title: "The daemon is not ready.", text: displayText(problem, limit: 400) + "."))
        }
        return banners
    }

    private var listBanners: [Banner] {
        get async {
            let place = configurationPath.map { " --config \(shellWord($0))" } ?? ""
            let held = metrics.syncs.filter { $0.hasAnswered && $0.isHeld }.map { sync in
                Banner(
                    .listHeld, title: "A list is held.",
                    text: "The list of \(listName(sync.clientID)) lost too many targets at once. The old list stays in force. "
                        + "To accept it:",
                    command: "rangefinder sync --accept\(place)", link: "/daemon#sync", linkText: "Sync")
            }
            let troubles = await sync.troubles
            guard let first = troubles.first else { return held }
            let more = troubles.count > 1 ? " \(troubles.count - 1) more can't be read." : ""
            return held + [
                Banner(
                    .listNotRead, title: "A list can't be read.",
                    text: "\(displayText(first, limit: 400)). The old list stays in force.\(more)", link: "/daemon#sync",
                    linkText: "Sync")
            ]
        }
    }

    private var settingsBanner: [Banner] {
        let unusable = reconciler.unusableSettings
        guard unusable.count > 0 else { return [] }
        return [
            Banner(
                .notReady,
                title: "\(counted(unusable.count, "target is not probed", "targets are not probed")).",
                text: "What you see of \(unusable.count == 1 ? "it" : "them") is old: "
                    + "\(displayText(unusable.sentence, limit: 400)).")
        ]
    }

    private func listName(_ clientID: String) -> String {
        clientID == WatchedFile.clientID ? "the targets file" : "client \(displayText(clientID, limit: 40))"
    }

    private var overdueBanner: [Banner] {
        let intervals = scheduler.intervalsTolerated(Judge.intervalsTolerated)
        let overdue = scheduler.overdue(byIntervals: Judge.intervalsTolerated)
        guard overdue > 0 else { return [] }
        let text =
            "\(counted(overdue, "target has", "targets have")) had no probe for \(intervals == 3 ? "three" : "\(intervals)") of their intervals. "
        let isStopped = 2 * overdue >= registry.count
        return [
            Banner(
                .stopped, title: isStopped ? "Probing has stopped." : "Some targets are not probed.",
                text: text + (isStopped ? "What you see here is old." : "What you see of them is old."), link: "/daemon",
                linkText: "The daemon")
        ]
    }

    private var historyBanner: [Banner] {
        let statistics = history.statistics
        guard let trouble = statistics.trouble else { return [] }
        return [
            Banner(
                .historyDropping, title: "The history is not written.",
                text:
                    "\(displayText("\(trouble)", limit: 300)). \(counted(statistics.queued, "result waits", "results wait")) in memory, "
                    + "\(statistics.dropped) are lost.", link: "/daemon#database", linkText: "Database")
        ]
    }

    private var overloadBanner: [Banner] {
        let lanes = scheduler.overload
        guard lanes.contains(where: \.isOverloaded) else { return [] }
        return [
            Banner(
                .overload, title: "More probes fall due than the daemon can make.",
                text: OverloadSentence(lanes, targets: registry.count).text + ".", link: "/daemon#overload", linkText: "Overload")
        ]
    }
}

/// The banners, looked for at most once a second however many pages are asked for.
actor BannerCache {
    private static let lookedForAtMostEvery: Duration = .seconds(1)

    private let find: @Sendable () async -> [Banner]
    /// Who comes while they are looked for waits for the same.
    private var looking: (task: Task<[Banner], Never>, began: ContinuousClock.Instant)?

    init(_ find: @escaping @Sendable () async -> [Banner]) { self.find = find }

    func current(at now: ContinuousClock.Instant = .now) async -> [Banner] {
        if let looking, looking.began.duration(to: now) < Self.lookedForAtMostEvery { return await looking.task.value }
        let task = Task { [find] in await find() }
        looking = (task, now)
        return await task.value
    }
}
