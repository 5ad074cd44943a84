import LockOrder

/// When the daemon's checks look again: at once and then often when something goes on, and seldom when nothing does.
final class Attention: Sendable {
    /// So long after the last sign that something goes on the checks look often.
    static let lasts: Duration = .seconds(30)
    static let often: Duration = .milliseconds(500)
    static let seldom: Duration = .seconds(5)
    /// Where so many probes fall due in a second, two looks a second cost nothing beside them, and an overload is seen at once.
    static let probesPerSecondOfOften = 5.0

    private let alarm = Alarm()
    private let until: OrderedMutex<ContinuousClock.Instant>

    /// At the start everything is new.
    init(at now: ContinuousClock.Instant = .now) { until = OrderedMutex(now.advanced(by: Self.lasts)) }

    /// Something goes on: a probe failed, a target has changed, or something of the daemon is in trouble.
    func raise(at now: ContinuousClock.Instant = .now) {
        let wasCalm = until.withLock { until in
            defer { until = now.advanced(by: Self.lasts) }
            return until <= now
        }
        if wasCalm { alarm.ring() }
    }

    /// When the next look is.
    ///
    /// - Parameters:
    ///   - isBusy: what was seen at this look wants another soon.
    ///   - nextDue: when something is known to change.
    func nextLook(after now: ContinuousClock.Instant, isBusy: Bool, nextDue: ContinuousClock.Instant?) -> ContinuousClock.Instant
    {
        let isRaised = until.withLock { $0 > now }
        let next = now.advanced(by: isBusy || isRaised ? Self.often : Self.seldom)
        return nextDue.map { min(next, max($0, now)) } ?? next
    }

    /// Returns at a time, or as soon as something goes on where nothing did.
    func sleep(until next: ContinuousClock.Instant) async { await alarm.sleep(until: next, clock: ContinuousClock()) }
}
