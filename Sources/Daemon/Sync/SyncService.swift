import Exposition
import Health
import LockOrder
import Logging
import TargetsAPI

/// Keeps the lists of all clients: one fetch each every `sync_interval`, each client on its own. A failed sync changes nothing.
actor SyncService {
    /// How the clients are reached; replaced as a whole by a reload.
    struct Plan: Sendable {
        var clients: [any ListSource]
        var interval: Duration
        var shrinkGuard: Double
    }

    private struct Channel {
        var feed: TargetFeed
        /// Of the answer that the feed received last; nil when it has received none.
        var lastAnswer: AnswerFingerprint?
        /// What was last said of it, so that the log says a lasting trouble once.
        var lastFailure: String?
        var lastRejections: [String] = []
        var hasList: Bool
        /// Until then the API wants to be left alone.
        var quietUntil: ContinuousClock.Instant?

        mutating func receive(_ answer: ListAnswer, counts: Bool) -> TargetFeed.Outcome {
            switch answer {
            case .unchanged: return feed.receiveAgain(counts: counts)
            case .list(let list, let fingerprint):
                lastAnswer = fingerprint
                return feed.receive(list, counts: counts)
            }
        }
    }

    private var plan: Plan
    private var channels: [String: Channel] = [:]
    /// Goes up with each plan: an answer that was asked for under an earlier one counts for nothing.
    private var generation = 0
    /// The last plan that was synced under because it was new.
    private var syncedGeneration = 0
    private var running: (task: Task<[String], Never>, generation: Int)?
    private static let newsAreCollected: Duration = .milliseconds(200)
    /// Each after twice the pause before: the pauses are 51 seconds in all, and then the interval has to do.
    private static let newsAreTried = 8
    /// Clients whose targets have changed in the embedded API.
    private var news: Set<String> = []
    private var isFollowing = false
    /// Plans that were replaced and not synced under yet: many are one.
    private let replacements = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    /// Rings when the interval may have changed.
    private let alarm = Alarm()
    /// The API's wish to be left alone is heeded no longer than so: a slip of its must not stop the list for days.
    private static let quietMax = Duration.seconds(3600)
    private let now: @Sendable () -> ContinuousClock.Instant
    private let metrics: DaemonMetrics
    private let logger: Logger
    private let isAtStake: @Sendable (TargetIdentity) -> Bool
    private let onSynced: @Sendable (_ clientID: String, _ at: Timestamp) -> Void
    private let apply: @Sendable (_ clientID: String, _ list: [Target]) -> Void
    private let onRejected: @Sendable (_ count: Int) -> Void

    /// - Parameters:
    ///   - remembered: the last good lists from before a restart, by client.
    ///   - onSynced: a client's list could be taken over, whether it changed or not.
    ///   - apply: takes a client's new list; called only when it changed, or came for the first time.
    ///   - onRejected: takes the number of records that can't be used, of all clients together.
    ///   - isAtStake: whether a target is down or may be about to be: one list that lacks it doesn't end its watching.
    ///   - now: a test's clock.
    init(
        plan: Plan, remembered: [String: [Target]], metrics: DaemonMetrics, logger: Logger,
        isAtStake: @escaping @Sendable (TargetIdentity) -> Bool = { _ in false },
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        onSynced: @escaping @Sendable (_ clientID: String, _ at: Timestamp) -> Void = { _, _ in },
        apply: @escaping @Sendable (_ clientID: String, _ list: [Target]) -> Void,
        onRejected: @escaping @Sendable (_ count: Int) -> Void
    ) {
        self.plan = plan
        self.now = now
        (self.isAtStake, self.onSynced) = (isAtStake, onSynced)
        self.metrics = metrics
        self.logger = logger
        self.apply = apply
        self.onRejected = onRejected
        for client in plan.clients {
            channels[client.clientID] = Self.channel(remembered[client.clientID], plan, isAtStake)
        }
        metrics.setClients(plan.clients.map(\.clientID))
    }

    private static func channel(
        _ remembered: [Target]?, _ plan: Plan, _ isAtStake: @escaping @Sendable (TargetIdentity) -> Bool
    ) -> Channel {
        Channel(
            feed: TargetFeed(targets: remembered ?? [], shrinkGuard: plan.shrinkGuard, isAtStake: isAtStake),
            hasList: remembered != nil)
    }

    /// Whether any client's list is known.
    var knowsAList: Bool { channels.values.contains { $0.hasList } }

    /// Whether the first sync has ended, well or badly.
    private(set) var hasSynced = false

    /// A sentence for each client whose last sync failed.
    var troubles: [String] { channels.sorted { $0.key < $1.key }.compactMap(\.value.lastFailure) }

    /// Takes new settings, and syncs under them at once. Clients that stay keep their lists.
    ///
    /// - Parameter takeSettings: gives them to the reconciler while no answer can come in between.
    func replace(_ plan: Plan, takeSettings: @Sendable () -> Void) {
        generation += 1
        running?.task.cancel()
        running = nil
        takeSettings()
        let keepsGuard = plan.shrinkGuard == self.plan.shrinkGuard
        self.plan = plan
        var kept: [String: Channel] = [:]
        for client in plan.clients {
            let known = channels[client.clientID]
            let channel = keepsGuard ? known : nil
            kept[client.clientID] = channel ?? Self.channel(known?.hasList == true ? known?.feed.targets : nil, plan, isAtStake)
            if channel == nil { metrics.setSyncHeld(false, clientID: client.clientID) }
        }
        channels = kept
        metrics.setClients(plan.clients.map(\.clientID))
        replacements.continuation.yield()
        alarm.ring()
    }

    /// Syncs every interval, and after each ``replace(_:takeSettings:)``, until the task is cancelled.
    func run<C: Clock>(clock: C) async where C.Duration == Duration {
        await withDiscardingTaskGroup { group in
            group.addTask { [replacements] in
                for await _ in replacements.stream { await self.syncIfReplaced() }
            }
            await syncEveryInterval(clock: clock)
            group.cancelAll()
        }
    }

    /// Of two plans that come together one sync is enough: the first one's goes on under the second.
    private func syncIfReplaced() async {
        guard syncedGeneration != generation else { return }
        _ = await syncNow()
        syncedGeneration = generation
    }

    private func syncEveryInterval<C: Clock>(clock: C) async where C.Duration == Duration {
        var last = clock.now
        while !Task.isCancelled {
            _ = await syncNow(isAskedFor: false)
            hasSynced = true
            while !Task.isCancelled, clock.now < last.advanced(by: plan.interval) {
                await alarm.sleep(until: last.advanced(by: plan.interval), clock: clock)
            }
            last = max(last.advanced(by: plan.interval), clock.now.advanced(by: .zero - plan.interval))
        }
    }

    /// A client's targets have changed in the embedded API: syncs them soon, and once for many changes.
    func poll(_ clientID: String) async {
        news.insert(clientID)
        guard !isFollowing else { return }
        isFollowing = true
        defer { isFollowing = false }
        defer { news = [] }
        var failures = 0
        while !news.isEmpty, failures < Self.newsAreTried, !Task.isCancelled {
            // So many changes that come together are one.
            try? await Task.sleep(for: Self.newsAreCollected * (1 << failures))
            let changed = news
            news = []
            // One that is under way may have been asked for before the change.
            if let running { _ = await running.task.value }
            for client in plan.clients where changed.contains(client.clientID) {
                if !isQuiet(client) { _ = await sync(client, generation: generation, counts: false) }
                // The interval may be long: what is news must not wait for it because one request failed.
                if client.isWorthAskingAgain, channels[client.clientID]?.lastFailure != nil { news.insert(client.clientID) }
            }
            failures = news.isDisjoint(with: changed) ? 0 : failures + 1
        }
    }

    /// Syncs all clients at once, or joins a sync that is under way. Returns a sentence for each client that failed or is held.
    ///
    /// - Parameter isAskedFor: by a person or a reload, and not by the clock: then an API is asked that wants to be left alone, too.
    func syncNow(isAskedFor: Bool = true) async -> [String] {
        let before = generation
        let sentences = await syncOrJoin(isAskedFor)
        return before == generation || Task.isCancelled ? sentences : await syncNow(isAskedFor: isAskedFor)
    }

    private func syncOrJoin(_ isAskedFor: Bool) async -> [String] {
        if let running { return await running.task.value }
        let mine = generation
        let task = Task { await syncAll(isAskedFor) }
        running = (task, mine)
        defer { if running?.generation == mine { running = nil } }
        return await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
    }

    /// Lets held lists through, for an operator who has looked at them. Returns what there was to say.
    func acceptHeld() -> [String] {
        var accepted = 0
        for (clientID, channel) in channels where channel.feed.isHolding {
            _ = channels[clientID]?.feed.accept()
            metrics.setSyncHeld(false, clientID: clientID)
            logger.notice("the held list was accepted", metadata: ["client_id": "\(clientID)"])
            apply(clientID, channels[clientID]?.feed.targets ?? [])
            accepted += 1
        }
        return accepted == 0 ? ["no list is held"] : []
    }

    private func syncAll(_ isAskedFor: Bool) async -> [String] {
        await withTaskGroup(of: String?.self) { group in
            for client in plan.clients where isAskedFor || !isQuiet(client) {
                let asked = generation
                // A person who asks again and again is no third witness.
                group.addTask { await self.sync(client, generation: asked, counts: !isAskedFor) }
            }
            var sentences: [String] = []
            for await sentence in group {
                if let sentence { sentences.append(sentence) }
            }
            return sentences
        }
    }

    private func isQuiet(_ client: any ListSource) -> Bool { channels[client.clientID]?.quietUntil.map { now() < $0 } ?? false }

    private func sync(_ client: any ListSource, generation asked: Int, counts: Bool) async -> String? {
        do throws(APIError) {
            let channel = channels[client.clientID]
            let answer = try await client.list(unless: channel?.lastAnswer, like: channel?.feed.targets ?? [])
            return asked == generation ? received(answer, from: client, counts: counts) : nil
        } catch {
            return asked == generation ? failed(error, clientID: client.clientID) : nil
        }
    }

    private func received(_ answer: ListAnswer, from client: any ListSource, counts: Bool) -> String? {
        let clientID = client.clientID
        guard var channel = channels[clientID] else { return nil }
        let isFirst = !channel.hasList
        let outcome = channel.receive(answer, counts: counts)
        if !channel.feed.spared.isEmpty {
            logger.notice(
                "\(counted(channel.feed.spared.count, "target that fails is", "targets that fail are")) missing from the list; a second list without them ends their watching",
                metadata: ["client_id": "\(clientID)"])
        }
        if channel.lastFailure != nil { logger.notice("sync works again", metadata: ["client_id": "\(clientID)"]) }
        (channel.lastFailure, channel.hasList, channel.quietUntil) = (nil, true, nil)
        sayRejections(&channel, clientID)
        channels[clientID] = channel
        onRejected(channels.values.reduce(0) { $0 + $1.feed.rejected.count })
        metrics.setSyncHeld(channel.feed.isHolding, clientID: clientID)
        switch outcome {
        case .applied(let change):
            let now = Timestamp.now()
            metrics.syncSucceeded(clientID: clientID, at: now)
            onSynced(clientID, now)
            guard isFirst || !change.isEmpty else {
                logger.debug(
                    "sync: nothing changed", metadata: ["client_id": "\(clientID)", "targets": "\(change.unchanged)"])
                return nil
            }
            logger.info(
                "sync: list changed",
                metadata: [
                    "client_id": "\(clientID)", "added": "\(change.added)", "changed": "\(change.changed)",
                    "removed": "\(change.removed)", "unchanged": "\(change.unchanged)",
                ])
            releaseFreedMemory()
            apply(clientID, channel.feed.targets)
            releaseFreedMemory()
            return nil
        case .held(let lost, let total):
            let sentence =
                "\(client.name) would remove \(lost) of \(counted(total, "target")); it is held until "
                + "three readings in a row agree on it, one each sync_interval (targets_api.shrink_guard)"
            logger.warning("sync held: \(sentence)", metadata: ["client_id": "\(clientID)"])
            return sentence
        }
    }

    private func failed(_ error: APIError, clientID: String) -> String? {
        guard !Task.isCancelled else { return nil }
        metrics.syncFailed(clientID: clientID, reason: error.reasonLabel)
        let sentence = "\(error)"
        let isNews = channels[clientID]?.lastFailure != sentence
        channels[clientID]?.lastFailure = sentence
        let quiet = error.retryAfter.map { min($0, Self.quietMax) }
        channels[clientID]?.quietUntil = quiet.map { now().advanced(by: $0) }
        let pause = quiet.map { "; it is asked again in \($0.components.seconds) s, as its Retry-After says" } ?? ""
        logger.log(
            level: isNews ? .warning : .debug, "sync failed, the list stays as it was: \(sentence)\(pause)",
            metadata: ["client_id": "\(clientID)", "reason": "\(error.reasonLabel)"])
        return sentence
    }

    /// A lasting rejection is named once, not at every sync; many are summed up.
    private func sayRejections(_ channel: inout Channel, _ clientID: String) {
        let rejections = channel.feed.rejected.map(\.description)
        defer { channel.lastRejections = rejections }
        let known = Set(channel.lastRejections)
        let news = rejections.filter { !known.contains($0) }
        for rejection in news.prefix(20) {
            logger.warning("sync: rejected \(rejection)", metadata: ["client_id": "\(clientID)"])
        }
        if news.count > 20 {
            logger.warning(
                "sync: rejected \(counted(news.count - 20, "more record", "more records"))",
                metadata: ["client_id": "\(clientID)"])
        }
    }
}

/// When each client's list could be taken over last, over restarts: a daemon that restarts oftener than a list is stale would never say so.
enum SyncMemory {
    private static let kind = "sync"

    static func document(_ clientID: String, at moment: Timestamp) -> StoredDocument {
        StoredDocument(kind: kind, key: clientID, text: "\(moment.milliseconds)")
    }

    static func forgetting(_ clientID: String) -> StoredDocument { StoredDocument(forgetting: kind, key: clientID) }

    static func restore(_ documents: [StoredDocument.ID: String], to metrics: DaemonMetrics) {
        for (id, text) in documents where id.kind == kind {
            guard let moment = Int64(text) else { continue }
            // A clock that was ahead.
            metrics.syncSucceeded(clientID: id.key, at: min(Timestamp(milliseconds: moment), .now()))
        }
    }
}
