import Health

/// An alert that should fire and doesn't yet.
struct Waiting: Sendable {
    var alert: Alert
    var target: TargetIdentity
    var hostClass: HostClass
    /// Since when a doubt holds it, if one does.
    var heldSince: ContinuousClock.Instant?
    /// What was seen under a doubt proves nothing: it opens with a bad result of a probe that started after it.
    var wantsProof = false
}

/// For how long doubts have held alerts: time without a doubt isn't counted.
struct HeldTime: Sendable {
    private var total: Duration = .zero
    private var since: ContinuousClock.Instant?

    mutating func observe(isDoubt: Bool, at now: ContinuousClock.Instant) {
        if isDoubt {
            since = since ?? now
        } else if let began = since {
            (total, since) = (total + began.duration(to: now), nil)
        }
    }

    func length(at now: ContinuousClock.Instant) -> Duration { total + (since?.duration(to: now) ?? .zero) }
}

extension VantageJudge.Trust {
    /// Whether no canary has answered yet that was asked after this began.
    func awaitsCanaries(_ alert: Alert) -> Bool { vouchedUntil.map { alert.startedAt > $0 } ?? false }
}
