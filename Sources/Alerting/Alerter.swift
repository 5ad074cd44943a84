internal import FoundationEssentials
package import Health
internal import Synchronization

/// What becomes of alerts that may be sent only when they are durable.
package struct AlertMemory: Sendable {
    /// Takes documents to be remembered or forgotten; returns the ticket at which they are durable.
    package var persist: @Sendable ([StoredDocument]) -> Int
    /// The last ticket that is durable; nil while nothing can be written, and then alerts go out of memory.
    package var durable: @Sendable () -> Int?

    package init(persist: @escaping @Sendable ([StoredDocument]) -> Int, durable: @escaping @Sendable () -> Int?) {
        (self.persist, self.durable) = (persist, durable)
    }
}

/// What happened, for the log and the metrics.
package enum AlertingEvent: Hashable, Sendable {
    /// Said of each channel when its trouble begins, and not again before it has ended.
    case channelFails(String, String)
    case channelWorksAgain(String)
    case sentFromMemory
    case dropped(Int)
    /// A message was refused for good; what is behind it goes on.
    case setAside(SetAside.Message)
}

/// All alerts, and what is still to be sent of them. One lock, held for a few rows of work; requests are made outside.
package final class Alerter: Sendable {
    struct State: Sendable {
        var book: AlertBook
        var groups: GroupBook
        var outbox = Outbox()
        var setAside = SetAside()
        var feeds: [AlertmanagerFeed]
        var options: AlertingOptions
        var standing = VantageJudge.Standing()
        /// Changes that aren't durable yet.
        var fresh: [(ticket: Int, changes: [Alert])] = []
        var counts = AlertingCounts()
        var failing: Set<String> = []
        var saidFromMemory = false
        /// The windows of ``groups`` as they are remembered.
        var windows: [String: ContinuousClock.Instant] = [:]
        /// When it was last looked for what all have heard: there may be many, and nobody waits for it.
        var forgotAt: Timestamp?
    }

    let state: Mutex<State>
    let memory: AlertMemory
    private let isInMaintenance: @Sendable (TargetIdentity) -> Bool
    private let onEvent: @Sendable (AlertingEvent) -> Void

    /// - Parameter isInMaintenance: whether a target is in a maintenance window now.
    package init(
        _ options: AlertingOptions, memory: AlertMemory, isInMaintenance: @escaping @Sendable (TargetIdentity) -> Bool,
        onEvent: @escaping @Sendable (AlertingEvent) -> Void
    ) {
        (self.memory, self.isInMaintenance, self.onEvent) = (memory, isInMaintenance, onEvent)
        state = Mutex(
            State(
                book: AlertBook(options),
                groups: GroupBook(window: options.groupWindow), feeds: options.alertmanagers.map(AlertmanagerFeed.init(url:)),
                options: options))
    }

    // MARK: What comes in

    /// Whether the next result of a target may matter though nothing of its judge changes.
    package func awaits(_ target: TargetIdentity, isDown: Bool) -> Bool {
        state.withLock { $0.book.awaits(target, isDown: isDown) }
    }

    /// - Parameter persist: writes the documents in one transaction with the result itself; returns their ticket.
    /// - Returns: whether a doubt about the vantage holds its alert.
    package func apply(_ report: TargetReport, at now: ContinuousClock.Instant, persist: ([StoredDocument]) -> Int) -> Bool {
        state.withLock { state in
            let changes = state.book.apply(report, state.standing.trust(report.hostClass), at: now)
            take(changes, &state, ticket: persist(changes.map(document)))
            return state.book.holds(report.target)
        }
    }

    package func remove(_ target: TargetIdentity, at moment: Timestamp, persist: ([StoredDocument]) -> Int) {
        state.withLock { state in
            let changes = state.book.remove(target, at: moment)
            take(changes, &state, ticket: persist(changes.map(document)))
        }
    }

    /// A target is probed elsewhere from now on.
    package func move(_ target: TargetIdentity, at moment: Timestamp) {
        state.withLock { state in
            let over = state.book.move(target, at: moment)
            if !over.isEmpty { take(over, &state, ticket: memory.persist(over.map(document))) }
        }
    }

    /// What the vantage is worth from now on.
    package func trust(_ standing: VantageJudge.Standing) { state.withLock { $0.standing = standing } }

    /// Begins or ends an alert that isn't about a target.
    ///
    /// - Parameter isFiring: nil as long as it isn't known: one of an earlier life goes on.
    package func set(
        _ name: AlertName, _ subject: Alert.Subject = .daemon, isFiring: Bool?, at moment: Timestamp,
        summary: @autoclosure () -> String = "",
        description: @autoclosure () -> String = ""
    ) {
        state.withLock { state in
            let changes = state.book.set(
                name, subject, isFiring: isFiring, at: moment, summary: summary(), description: description())
            guard !changes.isEmpty else { return }
            take(changes, &state, ticket: memory.persist(changes.map(document)))
        }
    }

    /// The alerts about lists of clients that are configured no longer end.
    package func keepClients(_ clients: Set<String>, at moment: Timestamp) {
        state.withLock { state in
            let over = state.book.keepClients(clients, at: moment)
            if !over.isEmpty { take(over, &state, ticket: memory.persist(over.map(document))) }
        }
    }

    func take(_ changes: [Alert], _ state: inout State, ticket: Int) {
        if !changes.isEmpty { state.fresh.append((ticket, changes)) }
    }

    func document(_ alert: Alert) -> StoredDocument {
        StoredDocument(kind: "alert", key: alert.key, text: Text.json(alert))
    }

    func document(_ group: AlertGroup) -> StoredDocument {
        group.isOver
            ? StoredDocument(forgetting: "group", key: group.id)
            : StoredDocument(kind: "group", key: group.id, text: Text.json(group))
    }

    // MARK: What goes out

    /// One request to make; ``done(_:_:at:)`` takes its answer.
    enum Job: Sendable {
        case alertmanager(url: String, alerts: [Alert], endsAt: Timestamp, link: String)
        case webhook(serial: Int, message: Outbox.Message, target: AlertingOptions.Webhook)
    }

    /// Everything that is due now. To be called some times a second.
    func due(at now: ContinuousClock.Instant, wall: Timestamp) -> [Job] {
        state.withLock { state in
            let late = state.book.tick(state.standing.trust, at: now, isInMaintenance: isInMaintenance)
            if !late.isEmpty { take(late, &state, ticket: memory.persist(late.map(document))) }
            release(&state, at: now, wall: wall)
            let durable = durableTicket(&state)
            announce(&state, durable, at: now, wall: wall)
            return webhookJobs(&state, durable, at: now) + alertmanagerJobs(&state, at: now, wall: wall)
        }
    }

    /// What an earlier life announced and was looked at since goes on being said.
    private func release(_ state: inout State, at now: ContinuousClock.Instant, wall: Timestamp) {
        let released = state.book.release(at: now)
        state.groups.awaitsEarlier = state.book.awaitsLooks
        guard let released else { return }
        for alert in released { for index in state.feeds.indices { state.feeds[index].note(alert.key) } }
        reconcileGroups(&state, at: now, wall: wall)
    }

    private func durableTicket(_ state: inout State) -> Int {
        guard let ticket = memory.durable() else {
            if !state.saidFromMemory, !state.fresh.isEmpty {
                state.saidFromMemory = true
                onEvent(.sentFromMemory)
            }
            return .max
        }
        state.saidFromMemory = false
        return ticket
    }

    /// What has become durable is told to groups and feeds.
    private func announce(_ state: inout State, _ durable: Int, at now: ContinuousClock.Instant, wall: Timestamp) {
        var messages: [GroupMessage] = []
        while let first = state.fresh.first, first.ticket <= durable {
            state.fresh.removeFirst()
            for change in first.changes {
                for index in state.feeds.indices { state.feeds[index].note(change.key) }
                // Without a webhook nobody hears of it, but what one heard of before ends.
                if !state.options.webhooks.isEmpty || !change.isFiring { messages += state.groups.apply(change, at: now) }
            }
        }
        messages += state.groups.tick(at: now)
        for message in messages { post(message, &state, at: now, wall: wall) }
        persistWindows(&state, at: now, wall: wall)
        forgetWhatAllHaveHeard(&state, wall: wall)
    }

    /// - Parameter webhooks: by their ids; all when nil.
    func post(
        _ message: GroupMessage, to webhooks: [String]? = nil, _ state: inout State, at now: ContinuousClock.Instant,
        wall: Timestamp
    ) {
        // As it is after the message: what it tells is told.
        let group = document(state.groups.groups[message.group.id] ?? message.group)
        let webhooks = webhooks ?? state.options.webhooks.map(\.id)
        guard !webhooks.isEmpty else { return _ = memory.persist([group]) }
        var message = message
        message.group.renew(state.book.alerts)
        let written = WebhookMessage(message, vantage: state.options.vantage, at: wall)
        let text = Text.json(written, keys: .convertToSnakeCase)
        // All in one transaction: a crash between two would lose what is told to the second.
        let messages = webhooks.map { Outbox.Message(webhook: $0, id: written.id, body: text) }
        let dropped = state.outbox.add(messages, at: now) { memory.persist($0 + [group]) }
        if dropped > 0 { onEvent(.dropped(dropped)) }
    }

    /// Past so long an Alertmanager that never answered has ended the alert by itself.
    private static let resolvedMax: Duration = .seconds(24 * 3600)

    private func forgetWhatAllHaveHeard(_ state: inout State, wall: Timestamp) {
        guard !state.book.ended.isEmpty, state.forgotAt.map({ wall - $0 >= .seconds(1) || wall < $0 }) ?? true else { return }
        state.forgotAt = wall
        let over = state.book.ended.compactMap { state.book.alerts[$0] }.filter { alert in
            // How it ended is told when its group is over, after a restart too.
            guard let endedAt = alert.endedAt, !state.groups.has(alert) else { return false }
            return state.feeds.allSatisfy { $0.hasHeard(ofTheEndOf: alert.key) } || wall - endedAt > Self.resolvedMax
        }
        let waiting = Set(state.fresh.flatMap { $0.changes.map(\.key) })
        let forgotten = over.map(\.key).filter { !waiting.contains($0) }
        guard !forgotten.isEmpty else { return }
        for key in forgotten {
            state.book.forget(key)
            for index in state.feeds.indices { state.feeds[index].forget(key) }
        }
        _ = memory.persist(forgotten.map { StoredDocument(forgetting: "alert", key: $0) })
    }

    private func alertmanagerJobs(_ state: inout State, at now: ContinuousClock.Instant, wall: Timestamp) -> [Job] {
        guard state.feeds.contains(where: { $0.isDue(at: now) }) else { return [] }
        // What isn't durable yet waits.
        let hidden = Set(state.fresh.flatMap { $0.changes.map(\.key) })
        let alerts = state.book.alerts.filter { !hidden.contains($0.key) && !state.book.isHidden($0.value) }
        let interval = state.options.resendInterval
        return state.feeds.indices.compactMap { index in
            let keys = state.feeds[index].due(alerts, at: now, resendInterval: interval)
            let sent = keys.compactMap { alerts[$0] }
            guard !sent.isEmpty else {
                if !keys.isEmpty { state.feeds[index].done(keys, .taken, alerts, at: now, resendInterval: interval) }
                return nil
            }
            return .alertmanager(
                url: state.feeds[index].url, alerts: sent, endsAt: wall + interval * 4, link: state.options.link)
        }
    }

    private func webhookJobs(_ state: inout State, _ durable: Int, at now: ContinuousClock.Instant) -> [Job] {
        state.outbox.due(at: now, durable: durable).compactMap { serial, message in
            guard let webhook = state.options.webhooks.first(where: { $0.id == message.webhook }) else { return nil }
            return .webhook(serial: serial, message: message, target: webhook)
        }
    }

    /// Takes the answer to a job.
    func done(_ job: Job, _ answer: AlertAnswer, at now: ContinuousClock.Instant, wall: Timestamp) {
        state.withLock { state in
            switch job {
            case .alertmanager(let url, let sent, _, _):
                // It may be elsewhere in the list by now, or gone.
                guard let index = state.feeds.firstIndex(where: { $0.url == url }) else { return }
                state.feeds[index].done(
                    sent.map(\.key), answer, state.book.alerts, at: now, resendInterval: state.options.resendInterval)
                if answer == .taken { state.feeds[index].took(sent, state.book.alerts) }
                count(answer, sent.count, channel: "Alertmanager \(displayText(urlWithoutSecrets(url)))", &state)
            case .webhook(let serial, let message, let webhook):
                count(answer, 1, channel: webhook.name, &state)
                switch state.outbox.done(serial, message, answer, at: now) {
                case .waits: break
                case .taken(let document): _ = memory.persist([document])
                case .setAside(let document):
                    let kept = SetAside.Message(
                        webhook: message.webhook, channel: webhook.name, id: message.id, body: message.body,
                        reason: answer.sentence ?? "", tries: Outbox.triesMax, atMilliseconds: wall.milliseconds)
                    _ = memory.persist([document] + state.setAside.add(kept))
                    state.counts.setAside[webhook.name, default: 0] += 1
                    onEvent(.setAside(kept))
                }
            }
        }
    }

    private func count(_ answer: AlertAnswer, _ count: Int, channel: String, _ state: inout State) {
        switch answer {
        case .taken:
            state.counts.sent += count
            if state.failing.remove(channel) != nil { onEvent(.channelWorksAgain(channel)) }
        case .later(let why, _), .refused(let why):
            state.counts.failed += count
            if state.failing.insert(channel).inserted { onEvent(.channelFails(channel, why)) }
        }
    }

    func noteHeartbeat(_ answer: AlertAnswer) {
        state.withLock { count(answer, 0, channel: "the heartbeat", &$0) }
    }

    // MARK: Figures

    /// Targets whose alert waits because the vantage is in doubt.
    package var held: Set<TargetIdentity> { state.withLock { $0.book.held } }

    /// Those of them on hosts of which there is no doubt any more: what they wait for is their next result.
    package var heldWithoutDoubt: Set<TargetIdentity> {
        state.withLock { state in
            let standing = state.standing
            return state.book.held { !standing.trust($0).isDoubtful }
        }
    }

    /// The classes of hosts of which a suspicion holds an alert: any answer ends it.
    package var suspectedClasses: Set<HostClass> {
        state.withLock { state in
            let standing = state.standing
            return state.book.heldClasses.filter { standing.trust($0).isSuspicious }
        }
    }

    package var counts: AlertingCounts {
        state.withLock { state in
            var counts = state.counts
            for webhook in state.options.webhooks { counts.setAside[webhook.name, default: 0] += 0 }
            counts.queued = state.outbox.count + state.feeds.reduce(0) { $0 + $1.waiting }
            counts.exceptions = Dictionary(
                uniqueKeysWithValues: AlertBook.Exception.allCases.map { ($0.rawValue, state.book.exceptions[$0] ?? 0) })
            return counts
        }
    }
}

package struct AlertingCounts: Hashable, Sendable {
    /// Alerts that an Alertmanager took, each time, and messages that a webhook took.
    package var sent = 0
    package var failed = 0
    package var queued = 0
    package var exceptions: [String: Int] = [:]
    /// Messages that a webhook refused for good, by what the log calls it.
    package var setAside: [String: Int] = [:]
}
