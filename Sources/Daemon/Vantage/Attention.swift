import LockOrder

/// When the daemon's checks look again: at once and then often when something goes on, and seldom when nothing does.
final class Attention: Sendable {
    /// So long after the last sign that something goes on the checks look often.
    static let lasts: Duration = .seconds(30)
    static let often: Duration = .milliseconds(500)
    static let seldom: Duration = .seconds(5)
    /// Where so many probes fall due in a second, two looks a second cost nothing beside them, and an overload is seen at once.
    static let probesPerSecondOfOften = 5.0

    private struct State {
        var until: ContinuousClock.Instant
        /// Whoever looks has been told to look seldom.
        var isCalm = false
    }

    private let alarm = Alarm()
    private let state: OrderedMutex<State>

    /// At the start everything is new.
    init(at now: ContinuousClock.Instant = .now) { state = OrderedMutex(State(until: now.advanced(by: Self.lasts))) }

    /// Something goes on: a probe failed, a target has changed, or something of the daemon is in trouble.
    func raise(at now: ContinuousClock.Instant = .now) {
        let wasCalm = state.withLock { state in
            state.until = max(state.until, now.advanced(by: Self.lasts))
            defer { state.isCalm = false }
            return state.isCalm
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
        let isCalm = state.withLock { state in
            state.isCalm = !isBusy && state.until <= now
            return state.isCalm
        }
        let next = now.advanced(by: isCalm ? Self.seldom : Self.often)
        return nextDue.map { min(next, max($0, now)) } ?? next
    }

    /// Returns at a time, or as soon as something goes on where nothing did.
    func sleep(until next: ContinuousClock.Instant) async { await alarm.sleep(until: next, clock: ContinuousClock()) }
}
