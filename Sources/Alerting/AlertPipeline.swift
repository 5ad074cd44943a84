internal import FoundationEssentials
import Health

/// The way of an alert, as a pure state machine: the ``AlertBook`` says what begins and ends, the change is written, what is durable is told to
/// the ``GroupBook``, and the groups' messages go to ``Deliveries``.
///
/// Nothing is done here: what is to be written and said stands in the effects, which ``Alerter`` carries out after its lock is free.
struct AlertPipeline: Sendable {
    static let alertKind = "alert"
    private static let groupKind = "group"
    /// Of documents that say when a window of groups ends: a daemon that restarts oftener than that would never tell otherwise.
    private static let windowKind = "window"
    /// Under this a webhook was told: whoever was not has to hear of what fires already.
    private static let told = StoredDocument.ID(kind: "webhooks", key: "told")
    /// Past so long an Alertmanager that never answered has ended the alert by itself.
    private static let resolvedMax: Duration = .seconds(24 * 3600)

    var book: AlertBook
    private var groups: GroupBook
    private var deliveries: Deliveries
    private(set) var options: AlertingOptions
    private(set) var standing = VantageJudge.Standing()
    /// The number of the write that takes the documents of the change that is under way.
    var nextWrite = 1
    private var effects = AlertEffects()
    /// Changes that aren't durable yet.
    private var fresh: [(write: Int, changes: [Alert])] = []
    private var saidFromMemory = false
    /// The windows of ``groups`` as they are written.
    private var windows: [String: ContinuousClock.Instant] = [:]
    /// When it was last looked for what all have heard: there may be many, and nobody waits for it.
    private var forgotAt: Timestamp?
    /// It was not looked since something changed.
    private var isForgettingDue = false

    init(_ options: AlertingOptions) {
        self.options = options
        (book, groups) = (AlertBook(options), GroupBook(window: options.groupWindow))
        deliveries = Deliveries(options)
    }

    /// Hands over what follows from the changes since the last time.
    mutating func takeEffects() -> AlertEffects {
        defer { effects = AlertEffects() }
        return effects
    }

    // MARK: What comes in

    mutating func trust(_ standing: VantageJudge.Standing) {
        if standing.revision >= self.standing.revision { self.standing = standing }
    }

    /// Returns whether a doubt about the vantage holds the target's alert.
    mutating func apply(_ report: TargetReport, at now: ContinuousClock.Instant) -> Bool {
        note(book.apply(report, standing.trust(report.hostClass), at: now))
        return book.holds(report.target)
    }

    /// Alerts that have begun or ended: they are written, and told once they are durable.
    mutating func note(_ changes: [Alert]) {
        guard !changes.isEmpty else { return }
        effects.documents += changes.map(Self.document)
        fresh.append((nextWrite, changes))
    }

    /// Takes new settings. Alerts that fire go on.
    mutating func replace(_ options: AlertingOptions, at now: ContinuousClock.Instant, wall moment: Timestamp) {
        let told = self.options.webhooks.map(\.id)
        self.options = options
        note(book.configure(options, at: moment))
        groups.setWindow(options.groupWindow, at: now)
        deliveries.configure(options)
        tellWebhooks(after: told, at: now, wall: moment)
    }

    // MARK: What goes out

    /// Everything that is due now.
    ///
    /// - Parameters:
    ///   - durable: the number of the last write that is durable; `.max` while nothing can be written.
    ///   - isInMaintenance: the targets in a maintenance window. An alert that was held and may be told now waits for the end of its target's window.
    mutating func due(
        durable: Int, isInMaintenance: Set<TargetIdentity>, at now: ContinuousClock.Instant, wall: Timestamp
    ) -> [AlertJob] {
        note(book.tick(standing.trust, at: now, isInMaintenance: { isInMaintenance.contains($0) }))
        release(at: now, wall: wall)
        sayWhetherFromMemory(durable == .max)
        announce(durable, at: now, wall: wall)
        return deliveries.due(durable: durable, at: now, wall: wall) { [book, fresh] in
            // What isn't durable yet waits.
            let hidden = Set(fresh.flatMap { $0.changes.map(\.key) })
            return book.alerts.filter { !hidden.contains($0.key) && !book.isHidden($0.value) }
        }
    }

    /// Changes wait to be durable, or alerts for something that no call tells: it is to be looked again and again.
    var isUnsettled: Bool { !fresh.isEmpty || book.isWaiting }

    /// When ``due(durable:isInMaintenance:at:wall:)`` has something to do next, unless something comes in before; nil when nothing is due then.
    func nextDue(at now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        if isUnsettled { return now }
        let forgets = book.ended.isEmpty ? nil : now.advanced(by: isForgettingDue ? .seconds(1) : .seconds(60))
        // The end of the trouble is nobody's call.
        let writes = saidFromMemory ? now.advanced(by: .seconds(1)) : nil
        return [groups.nextDue, deliveries.nextDue(at: now), forgets, writes].compactMap(\.self).min()
    }

    /// What an earlier life announced and was looked at since goes on being said.
    private mutating func release(at now: ContinuousClock.Instant, wall: Timestamp) {
        let released = book.release(at: now)
        groups.awaitsEarlier = book.awaitsLooks
        guard let released else { return }
        for alert in released { deliveries.note(alert.key) }
        reconcileGroups(at: now, wall: wall)
    }

    private mutating func sayWhetherFromMemory(_ isFromMemory: Bool) {
        guard isFromMemory else { return saidFromMemory = false }
        guard !saidFromMemory, !fresh.isEmpty else { return }
        saidFromMemory = true
        effects.events.append(.sentFromMemory)
    }

    /// What has become durable is told to groups and Alertmanagers.
    private mutating func announce(_ durable: Int, at now: ContinuousClock.Instant, wall: Timestamp) {
        var messages: [GroupMessage] = []
        while let first = fresh.first, first.write <= durable {
            fresh.removeFirst()
            for change in first.changes {
                deliveries.note(change.key)
                // Without a webhook nobody hears of it, but what one heard of before ends.
                if !options.webhooks.isEmpty || !change.isFiring { messages += groups.apply(change, at: now) }
            }
        }
        messages += groups.tick(at: now)
        for message in messages { post(message, at: now, wall: wall) }
        persistWindows(at: now, wall: wall)
        forgetWhatAllHaveHeard(wall: wall)
    }

    /// - Parameter webhooks: by their ids; all when nil.
    private mutating func post(
        _ message: GroupMessage, to webhooks: [String]? = nil, at now: ContinuousClock.Instant, wall: Timestamp
    ) {
        let webhooks = webhooks ?? options.webhooks.map(\.id)
        if !webhooks.isEmpty {
            var message = message
            message.group.renew(book.alerts)
            let written = WebhookMessage(message, vantage: options.vantage, at: wall)
            let text = Text.json(written, keys: .convertToSnakeCase)
            let outages = message.group.members.values.compactMap { Outbox.Outage($0) }
            deliveries.post(
                webhooks.map { Outbox.Message(webhook: $0, id: written.id, body: text, outages: outages) }, write: nextWrite,
                at: now, &effects)
        }
        // As the group is after the message: what the message tells is told. Both are in one write: a crash between two would lose it.
        effects.documents.append(Self.document(groups.groups[message.group.id] ?? message.group))
    }

    private mutating func forgetWhatAllHaveHeard(wall: Timestamp) {
        isForgettingDue = forgotAt.map { wall >= $0 && wall - $0 < .seconds(1) } ?? false
        guard !book.ended.isEmpty, !isForgettingDue else { return }
        forgotAt = wall
        let over = book.ended.compactMap { book.alerts[$0] }.filter { alert in
            // How it ended is told when its group is over, after a restart too.
            guard let endedAt = alert.endedAt, !groups.has(alert) else { return false }
            return deliveries.allHaveHeard(ofTheEndOf: alert.key) || wall - endedAt > Self.resolvedMax
        }
        let waiting = Set(fresh.flatMap { $0.changes.map(\.key) })
        for key in over.map(\.key) where !waiting.contains(key) {
            book.forget(key)
            deliveries.forget(key)
            effects.documents.append(StoredDocument(forgetting: Self.alertKind, key: key))
        }
    }

    mutating func done(_ job: AlertJob, _ answer: AlertAnswer, at now: ContinuousClock.Instant, wall: Timestamp) {
        deliveries.done(job, answer, book.alerts, at: now, wall: wall, &effects)
    }

    mutating func noteHeartbeat(_ answer: AlertAnswer) { deliveries.count(answer, 0, channel: "the heartbeat", &effects) }

    var tellsEvidence: Bool { options.tellsEvidence }

    var counts: AlertingCounts {
        var counts = deliveries.counts(of: options.webhooks)
        counts.exceptions = Dictionary(
            uniqueKeysWithValues: AlertBook.Exception.allCases.map { ($0.rawValue, book.exceptions[$0] ?? 0) })
        return counts
    }

    // MARK: Groups

    /// Those that a crash kept from their groups, or that began before there was a webhook.
    private mutating func reconcileGroups(at now: ContinuousClock.Instant, wall: Timestamp) {
        // What isn't durable yet comes by itself.
        var coming = Set(fresh.flatMap { $0.changes.map(\.key) })
        for alert in book.alerts.values where book.isHidden(alert) { coming.insert(alert.key) }
        groups.awaitsEarlier = book.awaitsLooks
        let known = book.alerts.filter { !coming.contains($0.key) }
        let isHeard = !options.webhooks.isEmpty
        let messages = groups.reconcile(known, except: coming, canBegin: isHeard, at: now, wall: wall)
        for message in messages { post(message, at: now, wall: wall) }
        persistWindows(at: now, wall: wall)
    }

    /// A webhook that is new hears of every group that goes on. One whose URL has changed also gets what waited for it.
    ///
    /// - Parameter told: the webhooks until now, in the order of the configuration.
    private mutating func tellWebhooks(after told: [String], at now: ContinuousClock.Instant, wall: Timestamp) {
        let webhooks = options.webhooks.map(\.id)
        guard webhooks != told else { return reconcileGroups(at: now, wall: wall) }
        deliveries.replaceWebhooks(told, by: webhooks, write: nextWrite, at: now, &effects)
        // Before anybody new hears of groups: what they hear is what is so by now.
        reconcileGroups(at: now, wall: wall)
        let new = webhooks.filter { !told.contains($0) }
        for group in groups.groups.values.sorted(by: { $0.id < $1.id }) where !new.isEmpty {
            let message = GroupMessage(kind: .firing, group: group)
            post(message, to: new.filter { !deliveries.holds(message.id, for: $0) }, at: now, wall: wall)
        }
        effects.documents.append(Self.document(told: webhooks))
    }

    /// Writes what has changed of the windows.
    private mutating func persistWindows(at now: ContinuousClock.Instant, wall: Timestamp) {
        guard windows != groups.windows else { return }
        let (old, new) = (windows, groups.windows)
        windows = new
        for (id, end) in new where old[id] != end { effects.documents.append(Self.document(id, end, at: now, wall: wall)) }
        for id in old.keys where new[id] == nil {
            effects.documents.append(StoredDocument(forgetting: Self.windowKind, key: id))
        }
    }
}

/// An earlier life.
extension AlertPipeline {
    mutating func restore(
        _ documents: [StoredDocument.ID: String], judges: [TargetIdentity: Judge], at now: ContinuousClock.Instant,
        wall: Timestamp, patience: (TargetIdentity) -> Duration
    ) {
        var ends: [(id: String, end: Timestamp)] = []
        for (id, text) in documents.sorted(by: { $0.key.key < $1.key.key }) {
            switch id.kind {
            case Self.alertKind:
                guard let alert = Text.value(Alert.self, text) else { continue }
                book.restore(alert)
                // An earlier version wrote another key.
                let document = Self.document(alert)
                if document.id != id { effects.documents += [StoredDocument(forgetting: id.kind, key: id.key), document] }
            case Self.groupKind: if let group = Text.value(AlertGroup.self, text) { groups.restore(group, at: now) }
            case Self.windowKind: if let end = Int64(text) { ends.append((id.key, Timestamp(milliseconds: end))) }
            default: deliveries.restore(id, text)
            }
        }
        for (id, end) in ends { groups.restore(window: id, ending: now.advanced(by: end - wall), at: now) }
        windows = groups.windows
        effects.documents += deliveries.expire(at: wall)
        note(book.reconcile(judges, at: wall, now, patience: patience))
        let told = documents[Self.told].flatMap { Text.value([String].self, $0) }
        // An earlier version didn't say: then its groups are told to all, under the ids they had.
        tellWebhooks(after: told ?? [], at: now, wall: wall)
    }

    mutating func persistAgain(at now: ContinuousClock.Instant, wall: Timestamp) {
        effects.documents += book.alerts.values.map(Self.document) + groups.groups.values.map(Self.document)
        effects.documents += windows.map { Self.document($0, $1, at: now, wall: wall) } + deliveries.documents
        effects.documents.append(Self.document(told: options.webhooks.map(\.id)))
    }

    private static func document(_ alert: Alert) -> StoredDocument {
        StoredDocument(kind: alertKind, key: alert.key, text: Text.json(alert))
    }

    private static func document(_ group: AlertGroup) -> StoredDocument {
        group.isOver
            ? StoredDocument(forgetting: groupKind, key: group.id)
            : StoredDocument(kind: groupKind, key: group.id, text: Text.json(group))
    }

    private static func document(
        _ window: String, _ end: ContinuousClock.Instant, at now: ContinuousClock.Instant, wall: Timestamp
    )
        -> StoredDocument
    {
        StoredDocument(kind: windowKind, key: window, text: "\((wall + now.duration(to: end)).milliseconds)")
    }

    private static func document(told webhooks: [String]) -> StoredDocument {
        StoredDocument(kind: told.kind, key: told.key, text: Text.json(webhooks))
    }
}
