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
    private var retryAt: ContinuousClock.Instant?
    private var failures = 0
    private var isBusy = false

    init(url: String) { self.url = url }

    var waiting: Int { news.count }

    mutating func note(_ key: String) {
        news.insert(key)
        resolvedSent[key] = nil
    }

    func isDue(at now: ContinuousClock.Instant) -> Bool {
        !isBusy && retryAt.map { now >= $0 } ?? true && (!news.isEmpty || nextRound.map { now >= $0 } ?? true)
    }

    /// The keys to send now, or nothing: what is new at once, and everything every `resendInterval`.
    mutating func due(_ alerts: [String: Alert], at now: ContinuousClock.Instant, resendInterval: Duration) -> [String] {
        guard isDue(at: now) else { return [] }
        let isRound = nextRound.map { now >= $0 } ?? true
        let keys = isRound ? alerts.keys.filter { (resolvedSent[$0] ?? 0) < Self.resolvedTimes } : Array(news)
        if isRound { nextRound = now.advanced(by: resendInterval) }
        guard !keys.isEmpty else { return [] }
        isBusy = true
        return keys.sorted()
    }

    mutating func done(
        _ keys: [String], _ answer: AlertAnswer, _ alerts: [String: Alert], at now: ContinuousClock.Instant,
        resendInterval: Duration
    ) {
        isBusy = false
        guard answer == .taken else {
            failures += 1
            news.formUnion(keys)
            // Not later than the next round: past some of those the alerts would end there by themselves.
            retryAt = now.advanced(by: min(resendInterval, pause(answer, failures: failures)))
            return
        }
        (failures, retryAt) = (0, nil)
        for key in keys {
            guard let alert = alerts[key] else { continue }
            if !alert.isFiring { resolvedSent[key, default: 0] += 1 }
        }
    }

    /// What was taken as it is now: one that changed meanwhile is news still.
    mutating func took(_ sent: [Alert], _ alerts: [String: Alert]) {
        for alert in sent where alerts[alert.key] == alert || alerts[alert.key] == nil { news.remove(alert.key) }
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

/// 1 s, 2 s, 4 s … at most five minutes.
func backoff(failures: Int) -> Duration { .seconds(min(300, 1 << min(failures - 1, 9))) }

/// How long to wait after an answer: as long as the receiver asks for, within an hour, or the backoff.
func pause(_ answer: AlertAnswer, failures: Int) -> Duration {
    guard case .later(_, let after?) = answer else { return backoff(failures: failures) }
    return min(max(after, .seconds(1)), .seconds(3600))
}
