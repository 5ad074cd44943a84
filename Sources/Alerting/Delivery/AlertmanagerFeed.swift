import Health

/// One Alertmanager: what it has still to hear. Every member of a cluster is told everything, as Prometheus does; the cluster knows what it
/// has notified already.
struct AlertmanagerFeed: Sendable {
    /// An alert that has ended is sent so often: a member that was away for one of them hears another.
    static let resolvedTimes = 3
    /// In one request.
    private static let alertsMax = 500

    let url: String
    /// Began or ended, and not sent yet.
    private var news: Set<String> = []
    /// How often one that has ended was sent.
    private var resolvedSent: [String: Int] = [:]
    private var nextRound: ContinuousClock.Instant?
    private var channel = ChannelState.ready

    init(url: String) { self.url = url }

    var waiting: Int { news.count }

    mutating func note(_ key: String) {
        news.insert(key)
        resolvedSent[key] = nil
    }

    func isDue(at now: ContinuousClock.Instant) -> Bool {
        channel.maySend(at: now) && (!news.isEmpty || isRound(at: now))
    }

    /// When there is something to send next; nil while a request is under way.
    func nextDue(at now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        channel.opens(at: now).map { news.isEmpty ? max($0, nextRound ?? $0) : $0 }
    }

    private func isRound(at now: ContinuousClock.Instant) -> Bool { nextRound.map { now >= $0 } ?? true }

    /// What to send now, or nothing: what is new at once, and everything every `resendInterval`.
    mutating func due(_ alerts: [String: Alert], at now: ContinuousClock.Instant, resendInterval: Duration) -> [Alert] {
        guard isDue(at: now) else { return [] }
        let isRound = isRound(at: now)
        let keys = isRound ? alerts.keys.filter { (resolvedSent[$0] ?? 0) < Self.resolvedTimes } : Array(news)
        if isRound { nextRound = now.advanced(by: resendInterval) }
        let sent = keys.sorted().compactMap { alerts[$0] }
        if !sent.isEmpty { channel.begin() }
        return sent
    }

    /// - Parameter alerts: as they are now: one that changed while it was sent is news still.
    mutating func done(
        _ sent: [Alert], _ answer: AlertAnswer, _ alerts: [String: Alert], at now: ContinuousClock.Instant,
        resendInterval: Duration
    ) {
        guard answer == .taken else {
            // Without those that have been forgotten meanwhile.
            news.formUnion(sent.map(\.key).filter { alerts[$0] != nil })
            // Not later than the next round: past some of those the alerts would end there by themselves.
            return channel.fail(answer, at: now, atMost: resendInterval)
        }
        channel.succeed()
        for alert in sent {
            if alerts[alert.key]?.isFiring == false { resolvedSent[alert.key, default: 0] += 1 }
            if alerts[alert.key] == alert || alerts[alert.key] == nil { news.remove(alert.key) }
        }
    }

    func hasHeard(ofTheEndOf key: String) -> Bool { (resolvedSent[key] ?? 0) >= Self.resolvedTimes }

    mutating func forget(_ key: String) {
        news.remove(key)
        resolvedSent[key] = nil
    }

    /// The bodies of `POST /api/v2/alerts` (Alertmanager's API v2): arrays of bounded length, each made when it is wanted.
    ///
    /// - Parameter endsAt: when an alert that fires ends by itself, some resends after its sender has died.
    static func bodies(_ alerts: [Alert], endsAt: Timestamp, link: String) -> some Sequence<[UInt8]> {
        struct Posted: Encodable {
            let labels: [String: String]
            let annotations: [String: String]
            let startsAt: String
            let endsAt: String
            let generatorURL: String
        }
        return stride(from: 0, to: alerts.count, by: alertsMax).lazy.map { start in
            let posted = alerts[start..<min(start + alertsMax, alerts.count)].map { alert in
                Posted(
                    labels: alert.labels, annotations: alert.annotations, startsAt: "\(alert.startedAt)",
                    endsAt: "\(alert.endedAt ?? endsAt)", generatorURL: link)
            }
            return Array(Text.json(posted).utf8)
        }
    }
}
