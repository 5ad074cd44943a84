import Curl
import Dispatch
import Exposition
import Health
import History
import Logging
import Pages
import Probing
import Scheduling
import Settings
import LockOrder
import TargetsAPI

/// The lists of all clients and the settings, turned into what is watched: the one place where targets come and go.
///
/// Each change is told to everyone who must know, in the order in which it is safe: TargetRegistry before the scheduler that asks it for
/// orders, and the scheduler before TargetRegistry when a target goes.
final class TargetReconciler: Sendable {
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
        var byHand = WindowsByHand()
    }

    /// What others ask for, apart: a reconciliation takes half a second.
    private struct Published {
        var settings: Settings
        var byHand = WindowsByHand()
        var unusable = UnusableSettings()
    }

    private let state: OrderedMutex<State>
    private let published: OrderedMutex<Published>
    private let registry: TargetRegistry
    private let scheduler: Scheduler<EngineClock>
    private let history: History
    private let followers: TargetFollowers
    private let maintenance: MaintenanceBook
    private let series: TargetSeries
    private let metrics: DaemonMetrics
    private let logger: Logger
    private let attention: Attention
    private let pages: PageIndex

    init(
        settings: Settings, registry: TargetRegistry, scheduler: Scheduler<EngineClock>, history: History,
        followers: TargetFollowers, maintenance: MaintenanceBook, series: TargetSeries, metrics: DaemonMetrics, logger: Logger,
        attention: Attention, pages: PageIndex
    ) {
        (self.followers, self.maintenance) = (followers, maintenance)
        state = OrderedMutex(
            State(settings: settings, lists: [:], lanes: LanePlan(lanes: scheduler.laneCount)), rank: .reconciliation)
        published = OrderedMutex(Published(settings: settings))
        self.registry = registry
        self.scheduler = scheduler
        self.history = history
        self.series = series
        self.metrics = metrics
        (self.logger, self.attention, self.pages) = (logger, attention, pages)
    }

    /// Starts from what is remembered: lists by client and the judge of every target.
    ///
    /// What was watched and is on no list any more, because the configuration changed meanwhile, has its incident closed.
    ///
    /// - Parameter since: when the status of each became what it is.
    func restore(lists: [String: [Target]], judges: [TargetIdentity: Judge], since: [TargetIdentity: Timestamp] = [:]) {
        state.withLock { state in
            state.lists = lists
            forgetOtherClients(&state)
            reconcile(&state, fromMemory: judges, since: since)
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
            guard state.settings.clientIDs.contains(clientID) else { return }
            history.persist(list: list, client: clientID)
            state.lists[clientID] = list
            reconcile(&state)
        }
    }

    /// As they are in force.
    var settings: Settings { published.withLock { $0.settings } }

    /// Targets whose own settings can't be used now: nobody probes them.
    var unusableSettings: UnusableSettings { published.withLock { $0.unusable } }

    /// Takes new settings.
    func replace(_ settings: Settings) {
        state.withLock { state in
            state.settings = settings
            published.withLock { $0.settings = settings }
            forgetOtherClients(&state)
            reconcile(&state)
        }
    }

    /// Reads the settings of those targets again whose own could not be used.
    func readFaultyAgain() {
        state.withLock { state in
            if state.policies.contains(where: { $0.value.fault != nil }) { reconcile(&state) }
        }
    }

    /// Why new settings would end the watching as a whole; nil when a client and a target of those that are watched stay.
    ///
    /// A client that is taken out beside others is an everyday change; one that leaves nothing of what was there is more likely a file
    /// that was cut off or a mistake in a filter.
    func loss(under settings: Settings) -> String? {
        state.withLock { state in
            let (before, clients) = (state.settings.clientIDs.count, settings.clientIDs)
            if before > 0, clients.isEmpty { return "it would leave no client of \(before)" }
            let watched = registry.count
            guard watched > 0 else { return nil }
            let selection = TargetSelection(settings.targetsAPI)
            var cause = "their clients are not in it"
            for client in clients {
                for target in state.lists[client] ?? [] where registry.watches(target.identity) {
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
        let clients = Set(state.settings.clientIDs)
        for client in state.lists.keys where !clients.contains(client) {
            state.lists[client] = nil
            history.forget(client: client)
            _ = history.append([SyncMemory.forgetting(client)])
        }
    }

    // MARK: Maintenance by hand

    /// What is remembered of an earlier life. Called before the first list.
    func restore(_ windows: [AdHocWindow]) {
        state.withLock { state in
            state.byHand = WindowsByHand(windows)
            published.withLock { [windows = state.byHand] in $0.byHand = windows }
        }
    }

    /// Begins a window for the targets that a match has. Returns it with its number, and how many targets that are; nil when too many are open. Takes
    /// a while: it looks at each target.
    func begin(_ window: AdHocWindow, _ match: Match) -> (window: AdHocWindow, targets: Int)? {
        state.withLock { state in
            guard let (window, documents) = state.byHand.begin(window) else { return nil }
            let wanted = takeWindows(documents, &state)
            let settings = state.settings
            return (window, wanted.count { match.matches($0.target, url: settings.matchedURL(of: $0.target)) })
        }
    }

    /// Ends a window. Returns false when there is none with this number. Takes a while: it looks at each target.
    func end(window id: Int) -> Bool {
        state.withLock { state in
            guard let documents = state.byHand.end(id, at: .now()) else { return false }
            takeWindows(documents, &state)
            return true
        }
    }

    /// The database has begun anew: it is given what is otherwise written when it changes.
    func rewrite() {
        state.withLock { state in
            for (clientID, list) in state.lists { history.persist(list: list, client: clientID) }
            _ = history.append(state.byHand.documents)
        }
    }

    /// Windows have begun or ended. Returns the targets.
    @discardableResult
    private func takeWindows(_ documents: [StoredDocument], _ state: inout State) -> [WantedTarget] {
        _ = history.append(documents)
        let wanted = targetsWanted(&state)
        maintenance.replace(windows(of: wanted, &state), at: .now())
        attention.raise()
        return wanted
    }

    /// The windows that somebody began by hand and that aren't over, by their number.
    var adHocWindows: [AdHocWindow] { published.withLock { $0.byHand }.open(at: .now()) }

    func setRejected(_ count: Int) {
        state.withLock { state in
            state.rejected = count
            publishCounts(state)
        }
    }

    /// `rangefinder_targets`: what can't be probed changes with results, the rest with lists and settings.
    func publishCounts() { state.withLock { publishCounts($0) } }

    /// - Parameter judges: what is remembered, when nothing is probed yet.
    private func reconcile(
        _ state: inout State, fromMemory judges: [TargetIdentity: Judge]? = nil, since: [TargetIdentity: Timestamp] = [:]
    ) {
        registry.setEgress(state.settings.egress)
        state.round += 1
        let round = state.round
        var wanted = targetsWanted(&state)
        var news: [(want: WantedTarget, isKnown: Bool)] = []
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
        let (lanes, wereTyped) = (state.lanes, state.settings.typed != nil)
        maintenance.replace(windows(of: wanted, &state), at: .now())
        let (found, watched) = (news, wanted)
        let show: @Sendable () -> Void = { [self] in
            series.replace(watched.map { SeriesTarget(labels: $0.labels, policy: $0.policy.value) })
            for (identity, judge) in judges ?? [:] where judge.lastCountedAt != nil { series.restore(identity, judge: judge) }
        }
        let moved = OrderedMutex<[WantedTarget]>([])
        let take: @Sendable () -> Void = { [self] in
            let taken = found.filter {
                self.take(
                    $0.want, isKnown: $0.isKnown, lane: $0.want.lane(lanes), judge: judges?[$0.want.target.identity],
                    round: round, isUrgent: wereTyped)
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
        pages.replace(registry.slots.map { Self.indexed($0, since: since) })
        attention.raise()
        adviseOnPaths(of: moved.withLock(\.self), logger)
    }

    /// Returns what the pages know of a target before they see a result of it.
    private static func indexed(
        _ entry: (slot: Int, target: Target, host: String?, judge: Judge), since: [TargetIdentity: Timestamp]
    ) -> (slot: Int, identity: TargetIndex.Identity, live: TargetIndex.Live?) {
        var live = TargetIndex.Live()
        (live.status, live.cause, live.isUnprobeable) = (entry.judge.status, entry.judge.cause, entry.judge.isUnprobeable)
        live.reason = entry.judge.incident?.reason
        live.since = since[entry.target.identity] ?? entry.judge.incident?.confirmedAt
        live.lastAt = entry.judge.lastCountedAt
        return (entry.slot, TargetIndex.Identity(entry.target, host: entry.host), live)
    }

    private func remove(_ identities: [TargetIdentity]) {
        let now = Timestamp.now()
        for identity in identities {
            scheduler.remove(identity)
            followers.tell(registry.remove(identity, at: now))
        }
    }

    /// Watches a target from now on, or in its new form.
    ///
    /// - Parameter isUrgent: somebody waits for its first result.
    /// - Returns: whether it is probed at a place where it wasn't.
    private func take(_ want: WantedTarget, isKnown: Bool, lane: Int, judge: Judge?, round: UInt64, isUrgent: Bool) -> Bool {
        let identity = want.target.identity
        if isKnown {
            let (isMoved, change) = registry.update(want.target, url: want.url, want.policy, at: .now())
            followers.tell(change)
            scheduler.set(identity, ProbeInterval(want.policy.value), lane: lane, atOnce: isMoved)
            return isMoved
        }
        let judge = judge ?? Judge()
        registry.add(want.target, url: want.url, want.policy, judge: judge, round: round)
        // A restart in the middle of a streak must not put off the re-check that was due; of what was down nothing is said before it was
        // looked at.
        scheduler.set(
            identity, ProbeInterval(want.policy.value), lane: lane,
            atOnce: isUrgent || judge.isUndecided || judge.status == .down)
        return true
    }

    /// Shares the targets out over the lanes. Those that are known and get another lane go there with their due times.
    private func plan(_ wanted: [WantedTarget], _ state: inout State) {
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

    private func targetsWanted(_ state: inout State) -> [WantedTarget] {
        let lists = state.settings.clientIDs.map { state.lists[$0] ?? [] }
        let wanted = WantedTargets(lists, state.settings, before: state.policies)
        (state.disabled, state.filtered, state.policies) = (wanted.disabled, wanted.filtered, wanted.policies)
        let unusable = UnusableSettings(wanted.targets, wanted.policies)
        published.withLock { $0.unusable = unusable }
        return wanted.targets
    }

    /// Which maintenance windows each target has: most have none. Windows by hand that have been over for long are forgotten.
    private func windows(of wanted: [WantedTarget], _ state: inout State) -> MaintenanceBook.Windows {
        let old = state.byHand.forgetOld(at: .now())
        if !old.isEmpty { _ = history.append(old) }
        published.withLock { [windows = state.byHand] in $0.byHand = windows }
        let settings = state.settings
        let planned = settings.maintenance.compactMap { entry in
            MaintenanceBook.Window(entry.when).map { (match: entry.match, window: $0) }
        }
        let byHand = state.byHand.windows.compactMap { window in
            (try? Match(words: window.words)).map { (match: $0, window: MaintenanceBook.Window.once(window.from..<window.to)) }
        }
        let all = planned + byHand
        guard !all.isEmpty else { return .init() }
        var found = MaintenanceBook.Windows(windows: all.map(\.window))
        for want in wanted {
            let url = settings.matchedURL(of: want.target)
            let own = all.indices.filter { all[$0].match.matches(want.target, url: url) }
            if !own.isEmpty { found.targets[want.target.identity] = own }
        }
        return found
    }
}
