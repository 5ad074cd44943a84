import Curl
import Dispatch
import Exposition
package import Health
import History
import Logging
import Probing
import Scheduling
package import Settings
import LockOrder
package import TargetsAPI

/// The lists of all clients and the settings, turned into what is watched: the one place where targets come and go.
///
/// Each change is told to everyone who must know, in the order in which it is safe: TargetRegistry before the scheduler that asks it for
/// orders, and the scheduler before TargetRegistry when a target goes.
final class TargetReconciler: Sendable {
    private struct Wanted {
        var target: Target
        var policy: SharedPolicy
        /// What a probe of the target asks for; nil when the record allows none.
        var url: URLParts?

        func lane(_ plan: LanePlan) -> Int { plan.lane(of: target.identity, host: url?.host) }

        mutating func makeURL() { url = try? testURL(of: target, join: policy.value.pathJoin) }
    }

    private struct State {
        var settings: Settings
        var lists: [String: [Target]]
        /// Goes up with each reconciliation.
        var round: UInt64 = 0
        /// Those that targets have now, each held once.
        var policies: [SharedPolicy] = []
        var disabled = 0
        var filtered = 0
        var rejected = 0
        /// Which lane each target belongs to.
        var lanes: LanePlan

        /// The same one as before for a policy that hasn't changed, so that a reload finds what it left alone.
        func shared(_ policy: ProbePolicy, or others: [Int?: SharedPolicy]) -> SharedPolicy {
            others.values.first { $0.value == policy } ?? policies.first { $0.value == policy } ?? SharedPolicy(policy)
        }
    }

    private let state: OrderedMutex<State>
    private let registry: TargetRegistry
    private let scheduler: Scheduler<EngineClock>
    private let history: History
    private let followers: TargetFollowers
    private let maintenance: MaintenanceBook
    private let series: TargetSeries
    private let metrics: DaemonMetrics
    private let logger: Logger
    private let attention: Attention

    init(
        settings: Settings, registry: TargetRegistry, scheduler: Scheduler<EngineClock>, history: History,
        followers: TargetFollowers, maintenance: MaintenanceBook, series: TargetSeries, metrics: DaemonMetrics, logger: Logger,
        attention: Attention
    ) {
        (self.followers, self.maintenance) = (followers, maintenance)
        state = OrderedMutex(
            State(settings: settings, lists: [:], lanes: LanePlan(lanes: scheduler.laneCount)), rank: .reconciliation)
        self.registry = registry
        self.scheduler = scheduler
        self.history = history
        self.series = series
        self.metrics = metrics
        (self.logger, self.attention) = (logger, attention)
    }

    /// Starts from what is remembered: lists by client and the judge of every target.
    ///
    /// What was watched and is on no list any more, because the configuration changed meanwhile, has its incident closed.
    func restore(lists: [String: [Target]], judges: [TargetIdentity: Judge]) {
        state.withLock { state in
            state.lists = lists
            forgetOtherClients(&state)
            reconcile(&state, fromMemory: judges)
            let now = Timestamp.now()
            for (identity, judge) in judges where !registry.watches(identity) {
                var judge = judge
                followers.tellRemoval(of: identity, closing: judge.removed(at: now), at: now)
            }
        }
    }

    /// Takes a client's new list.
    func replace(_ list: [Target], clientID: String) {
        state.withLock { state in
            // A sync that was under way when its client was taken from the configuration.
            guard state.settings.targetsAPI.clients.contains(where: { $0.id == clientID }) else { return }
            history.persist(list: list, client: clientID)
            state.lists[clientID] = list
            reconcile(&state)
        }
    }

    /// As they are in force.
    var settings: Settings { state.withLock { $0.settings } }

    /// Takes new settings.
    func replace(_ settings: Settings) {
        state.withLock { state in
            state.settings = settings
            forgetOtherClients(&state)
            reconcile(&state)
        }
    }

    /// Why new settings would end the watching as a whole; nil when a client and a target of those that are watched stay.
    ///
    /// A client that is taken out beside others is an everyday change; one that leaves nothing of what was there is more likely a file
    /// that was cut off or a mistake in a filter.
    func loss(under settings: Settings) -> String? {
        state.withLock { state in
            let (before, clients) = (state.settings.targetsAPI.clients.count, settings.targetsAPI.clients)
            if before > 0, clients.isEmpty { return "it would leave no client of \(before)" }
            let watched = registry.count
            guard watched > 0 else { return nil }
            let selection = TargetSelection(settings.targetsAPI)
            var cause = "their clients are not in it"
            for client in clients {
                for target in state.lists[client.id] ?? [] where registry.watches(target.identity) {
                    if !selection.includes(target) {
                        cause = "regions and shard leave none of them"
                    } else if !settings.policy(for: target).isEnabled {
                        cause = "none of them is enabled"
                    } else if denies(settings.egress, target, settings), !denies(state.settings.egress, target, settings) {
                        cause = "egress denies the addresses of all"
                    } else {
                        return nil
                    }
                }
            }
            return "it would leave no target of the \(watched) that are watched: \(cause)"
        }
    }

    /// Whether a target can't be probed as far as its record alone tells; where a name leads is known when it is probed.
    private func denies(_ egress: EgressRule, _ target: Target, _ settings: Settings) -> Bool {
        let url = try? testURL(of: target, join: settings.policy(for: target).pathJoin)
        return url.flatMap(literalAddress).map { egress.denial(of: $0) != nil } ?? false
    }

    private func forgetOtherClients(_ state: inout State) {
        let clients = Set(state.settings.targetsAPI.clients.map(\.id))
        for client in state.lists.keys where !clients.contains(client) {
            state.lists[client] = nil
            history.forget(client: client)
            _ = history.append([SyncMemory.forgetting(client)])
        }
    }

    func setRejected(_ count: Int) {
        state.withLock { state in
            state.rejected = count
            publishCounts(state)
        }
    }

    /// `rangefinder_targets`: what can't be probed changes with results, the rest with lists and settings.
    func publishCounts() { state.withLock { publishCounts($0) } }

    /// - Parameter judges: what is remembered, when nothing is probed yet.
    private func reconcile(_ state: inout State, fromMemory judges: [TargetIdentity: Judge]? = nil) {
        registry.setEgress(state.settings.egress)
        state.round += 1
        let round = state.round
        var wanted = targetsWanted(&state)
        var news: [(want: Wanted, isKnown: Bool)] = []
        for index in wanted.indices {
            switch registry.want(wanted[index].target, wanted[index].policy, round: round) {
            case .unchanged(let url): wanted[index].url = url
            case .changed:
                wanted[index].makeURL()
                news.append((wanted[index], true))
            case .absent:
                wanted[index].makeURL()
                news.append((wanted[index], false))
            }
        }
        remove(registry.unwanted(round: round))
        plan(wanted, &state)
        let lanes = state.lanes
        maintenance.replace(windows(of: wanted, state.settings), at: .now())
        let (found, watched) = (news, wanted)
        let show: @Sendable () -> Void = { [self] in
            series.replace(watched.map { SeriesTarget(labels: labels($0), policy: $0.policy.value) })
            for (identity, judge) in judges ?? [:] where judge.lastCountedAt != nil { series.restore(identity, judge: judge) }
        }
        let moved = OrderedMutex<[Wanted]>([])
        let take: @Sendable () -> Void = { [self] in
            let taken = found.filter {
                self.take(
                    $0.want, isKnown: $0.isKnown, lane: $0.want.lane(lanes), judge: judges?[$0.want.target.identity],
                    round: round)
            }
            moved.withLock { $0 = taken.map(\.want) }
        }
        if judges == nil {
            // The series before the scheduler: a result that comes at once must find its own.
            show()
            take()
        } else {
            // Each takes a quarter of a second for a hundred thousand targets, and until both are done nobody is probed.
            DispatchQueue.concurrentPerform(iterations: 2) { $0 == 0 ? show() : take() }
        }
        publishCounts(state)
        attention.raise()
        adviseOnPaths(of: moved.withLock(\.self))
    }

    private func remove(_ identities: [TargetIdentity]) {
        let now = Timestamp.now()
        for identity in identities {
            scheduler.remove(identity)
            followers.tell(registry.remove(identity, at: now))
        }
    }

    /// Watches a target from now on, or in its new form. Returns whether it is probed at a place where it wasn't.
    private func take(_ want: Wanted, isKnown: Bool, lane: Int, judge: Judge?, round: UInt64) -> Bool {
        let identity = want.target.identity
        if isKnown {
            let (isMoved, change) = registry.update(want.target, url: want.url, want.policy, at: .now())
            followers.tell(change)
            scheduler.set(identity, ProbeInterval(want.policy.value), lane: lane, atOnce: isMoved)
            return isMoved
        }
        let judge = judge ?? Judge()
        registry.add(want.target, url: want.url, want.policy, judge: judge, round: round)
        // A restart in the middle of a streak must not put off the re-check that was due; and of what was down nothing is said before it was
        // looked at.
        scheduler.set(
            identity, ProbeInterval(want.policy.value), lane: lane, atOnce: judge.isUndecided || judge.status == .down)
        return true
    }

    /// Shares the targets out over the lanes. Those that are known and get another lane go there with their due times.
    private func plan(_ wanted: [Wanted], _ state: inout State) {
        let hosts = wanted.lazy.compactMap { want in
            want.url.map { (host: $0.host, interval: want.policy.value.interval) }
        }
        guard state.lanes.replan(hosts) else { return }
        for want in wanted where registry.watches(want.target.identity) {
            scheduler.move(want.target.identity, to: want.lane(state.lanes))
        }
    }

    private func publishCounts(_ state: State) {
        let unprobeable = registry.unprobeableCount
        metrics.setTargets([
            .active: registry.count - unprobeable, .disabled: state.disabled, .filtered: state.filtered,
            .rejected: state.rejected, .unprobeable: unprobeable,
        ])
    }

    /// In the order of the lists; an identity is in one list only, and there once.
    private func targetsWanted(_ state: inout State) -> [Wanted] {
        let settings = state.settings
        let selection = TargetSelection(settings.targetsAPI)
        let clients = settings.targetsAPI.clients.map(\.id)
        var wanted: [Wanted] = []
        var policies: [Int?: SharedPolicy] = [:]
        (state.disabled, state.filtered) = (0, 0)
        let lists = clients.map { state.lists[$0] ?? [] }
        wanted.reserveCapacity(lists.reduce(0) { $0 + $1.count })
        for target in lists.joined() {
            guard selection.includes(target) else {
                state.filtered += 1
                continue
            }
            let index = settings.overrideIndex(for: target)
            let shared =
                policies[index] ?? state.shared(index.map { settings.overrides[$0].policy } ?? settings.probe, or: policies)
            policies[index] = shared
            guard shared.value.isEnabled else {
                state.disabled += 1
                continue
            }
            wanted.append(Wanted(target: target, policy: shared))
        }
        state.policies = Array(policies.values)
        return wanted
    }

    /// Which maintenance windows each target has: most have none.
    private func windows(of wanted: [Wanted], _ settings: Settings) -> MaintenanceBook.Windows {
        let windows = settings.maintenance.compactMap { MaintenanceBook.Window($0.when) }
        guard !windows.isEmpty else { return .init() }
        var found = MaintenanceBook.Windows(windows: windows)
        for want in wanted {
            let url = settings.matchedURL(of: want.target)
            let own = settings.maintenance.indices.filter { settings.maintenance[$0].match.matches(want.target, url: url) }
            if !own.isEmpty { found.targets[want.target.identity] = own }
        }
        return found
    }

    private func labels(_ want: Wanted) -> SeriesLabels {
        SeriesLabels(
            identity: want.target.identity, name: want.target.name,
            url: want.url?.text ?? want.target.baseURL + want.target.testPath, region: want.target.region)
    }

    /// Says when a target is new that reference resolution drops a prefix that its fixtures may have meant.
    private func adviseOnPaths(of targets: [Wanted]) {
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
}

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
    package func policy(for target: Target) -> ProbePolicy { policy(for: target, url: matchedURL(of: target)) }

    /// The place in `overrides` of the one that a target gets; nil when none matches.
    package func overrideIndex(for target: Target) -> Int? { overrideIndex(for: target, url: matchedURL(of: target)) }

    /// `match.url` is held against the URL as the default `path_join` makes it: an override may change that for itself.
    fileprivate func matchedURL(of target: Target) -> MatchedURL? {
        guard !overrides.isEmpty || !maintenance.isEmpty, let url = try? testURL(of: target, join: probe.pathJoin) else {
            return nil
        }
        return MatchedURL(scheme: url.scheme, host: url.host, port: url.port, path: url.path)
    }
}
