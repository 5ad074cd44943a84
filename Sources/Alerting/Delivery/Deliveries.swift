import Health

/// One request to make; ``Alerter/done(_:_:at:wall:)`` takes its answer.
enum AlertJob: Sendable {
    case alertmanager(url: String, alerts: [Alert], endsAt: Timestamp, link: String)
    case webhook(serial: Int, message: Outbox.Message, target: AlertingOptions.Webhook)
}

/// What is still to be sent: alerts to Alertmanagers, and messages to webhooks. Pure: it returns the requests to make, and takes their answers.
struct Deliveries: Sendable {
    private var feeds: [AlertmanagerFeed]
    private var outbox = Outbox()
    private var refused = SetAside()
    private var webhooks: [AlertingOptions.Webhook]
    private var resendInterval: Duration
    private var link: String
    /// The outages that somebody has taken a message about: when each began, by the key of its alert.
    private var told: [String: Int64] = [:]
    /// Channels whose trouble has been said.
    private var failing: Set<String> = []
    private var totals = AlertingCounts()

    init(_ options: AlertingOptions) {
        feeds = options.alertmanagers.map(AlertmanagerFeed.init(url:))
        (webhooks, resendInterval, link) = (options.webhooks, options.resendInterval, options.link)
    }

    mutating func configure(_ options: AlertingOptions) {
        let known = Dictionary(feeds.map { ($0.url, $0) }) { first, _ in first }
        feeds = options.alertmanagers.map { known[$0] ?? AlertmanagerFeed(url: $0) }
        (webhooks, resendInterval, link) = (options.webhooks, options.resendInterval, options.link)
    }

    // MARK: What comes in

    /// An alert has begun, changed or ended.
    mutating func note(_ key: String) { for index in feeds.indices { feeds[index].note(key) } }

    func allHaveHeard(ofTheEndOf key: String) -> Bool { feeds.allSatisfy { $0.hasHeard(ofTheEndOf: key) } }

    mutating func forget(_ key: String) {
        for index in feeds.indices { feeds[index].forget(key) }
        told[key] = nil
    }

    /// Messages that are written together, each to another webhook.
    mutating func post(
        _ messages: [Outbox.Message], write: Int, at now: ContinuousClock.Instant, _ effects: inout AlertEffects
    ) {
        let (documents, dropped) = outbox.add(messages, write: write, at: now)
        effects.documents += documents
        if dropped > 0 { effects.events.append(.dropped(dropped)) }
    }

    /// What waits for a webhook whose URL has changed waits for the new one, and what waits for one that is gone is forgotten.
    mutating func replaceWebhooks(
        _ old: [String], by new: [String], write: Int, at now: ContinuousClock.Instant, _ effects: inout AlertEffects
    ) {
        for (gone, come) in zip(old, new) where !new.contains(gone) && !old.contains(come) {
            effects.documents += outbox.move(from: gone, to: come, write: write, at: now)
        }
        effects.documents += outbox.keep(Set(new))
    }

    func holds(_ message: String, for webhook: String) -> Bool { outbox.holds(message, for: webhook) }

    // MARK: What goes out

    /// - Parameter alerts: those that may be sent; asked for only where some Alertmanager is due.
    mutating func due(
        durable: Int, at now: ContinuousClock.Instant, wall: Timestamp, alerts: () -> [String: Alert]
    ) -> [AlertJob] {
        let messages = outbox.due(at: now, durable: durable).compactMap { serial, message in
            webhooks.first { $0.id == message.webhook }.map { AlertJob.webhook(serial: serial, message: message, target: $0) }
        }
        guard feeds.contains(where: { $0.isDue(at: now) }) else { return messages }
        let alerts = alerts()
        return messages
            + feeds.indices.compactMap { index in
                let sent = feeds[index].due(alerts, at: now, resendInterval: resendInterval)
                return sent.isEmpty
                    ? nil : .alertmanager(url: feeds[index].url, alerts: sent, endsAt: wall + resendInterval * 4, link: link)
            }
    }

    /// When there may be something to send next; nil when nothing is due before an answer comes.
    func nextDue(at now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        (feeds.map { $0.nextDue(at: now) } + [outbox.nextDue(at: now)]).compactMap(\.self).min()
    }

    /// Takes the answer to a job.
    ///
    /// - Parameter alerts: as they are now.
    mutating func done(
        _ job: AlertJob, _ answer: AlertAnswer, _ alerts: [String: Alert], at now: ContinuousClock.Instant, wall: Timestamp,
        _ effects: inout AlertEffects
    ) {
        switch job {
        case .alertmanager(let url, let sent, _, _):
            // It may be elsewhere in the list by now, or gone.
            guard let index = feeds.firstIndex(where: { $0.url == url }) else { return }
            feeds[index].done(sent, answer, alerts, at: now, resendInterval: resendInterval)
            if case .taken = answer { tell(sent.compactMap { Outbox.Outage($0) }, at: wall, &effects) }
            count(answer, sent.count, channel: "Alertmanager \(displayText(urlWithoutSecrets(url)))", &effects)
        case .webhook(let serial, let message, let webhook):
            count(answer, 1, channel: webhook.name, &effects)
            if case .taken = answer { tell(message.outages ?? [], at: wall, &effects) }
            switch outbox.done(serial, message, answer, at: now) {
            case .waits: break
            case .taken(let document): effects.documents.append(document)
            case .setAside(let document):
                let kept = SetAside.Message(
                    webhook: message.webhook, channel: webhook.name, id: message.id, body: message.body,
                    reason: answer.sentence ?? "", tries: Outbox.triesMax, atMilliseconds: wall.milliseconds)
                effects.documents += [document] + refused.add(kept)
                totals.setAside[webhook.name, default: 0] += 1
                effects.events.append(.setAside(kept))
            }
        }
    }

    /// Of each outage once in the daemon's life: whoever keeps it keeps the first.
    private mutating func tell(_ outages: [Outbox.Outage], at wall: Timestamp, _ effects: inout AlertEffects) {
        for outage in outages where told[outage.key] != outage.startedAtMilliseconds {
            told[outage.key] = outage.startedAtMilliseconds
            effects.events.append(
                .told(
                    TargetIdentity(clientID: outage.clientID, key: outage.targetID),
                    startedAt: Timestamp(milliseconds: outage.startedAtMilliseconds), at: wall))
        }
    }

    /// - Parameter count: of the alerts or messages that were sent.
    mutating func count(_ answer: AlertAnswer, _ count: Int, channel: String, _ effects: inout AlertEffects) {
        switch answer {
        case .taken:
            totals.sent += count
            if failing.remove(channel) != nil { effects.events.append(.channelWorksAgain(channel)) }
        case .later(let why, _), .refused(let why):
            totals.failed += count
            if failing.insert(channel).inserted { effects.events.append(.channelFails(channel, why)) }
        }
    }

    func counts(of webhooks: [AlertingOptions.Webhook]) -> AlertingCounts {
        var counts = totals
        for webhook in webhooks { counts.setAside[webhook.name, default: 0] += 0 }
        counts.queued = outbox.count + feeds.reduce(0) { $0 + $1.waiting }
        return counts
    }

    // MARK: An earlier life

    mutating func restore(_ id: StoredDocument.ID, _ text: String) {
        switch id.kind {
        case Outbox.kind:
            if let message = Text.value(Outbox.Message.self, text) { outbox.restore(key: id.key, message) }
        case SetAside.kind:
            if let message = Text.value(SetAside.Message.self, text) { refused.restore(key: id.key, message) }
        default: break
        }
    }

    /// Messages that were set aside too long ago. Returns the documents to forget.
    mutating func expire(at wall: Timestamp) -> [StoredDocument] { refused.expire(at: wall) }

    /// All of it, for a database that has begun anew.
    var documents: [StoredDocument] { outbox.documents + refused.documents }
}
