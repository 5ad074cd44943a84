import Health

/// Whether a receiver of alerts may be sent something: one request at a time, and a pause after one that was not answered.
///
/// A state machine: ``begin()`` before a request, and ``succeed()`` or ``fail(_:at:atMost:)`` with its answer.
enum ChannelState: Hashable, Sendable {
    case ready
    /// `failures`: those in a row before this request.
    case sending(failures: Int)
    /// `isAskedFor`: the pause is the receiver's own word (`Retry-After`).
    case paused(until: ContinuousClock.Instant, failures: Int, isAskedFor: Bool)

    /// - Parameter hurries: what is to be sent has waited long enough for a pause that others have brought about. It doesn't go before the end
    ///   of a pause that the receiver asked for.
    func maySend(at now: ContinuousClock.Instant, hurries: Bool = false) -> Bool {
        switch self {
        case .ready: true
        case .sending: false
        case .paused(let until, _, let isAskedFor): now >= until || hurries && !isAskedFor
        }
    }

    /// When it may be sent something again; nil while a request is under way.
    ///
    /// - Parameter hurriesAt: from when on what is to be sent hurries.
    func opens(at now: ContinuousClock.Instant, hurriesAt: ContinuousClock.Instant? = nil) -> ContinuousClock.Instant? {
        switch self {
        case .ready: now
        case .sending: nil
        case .paused(let until, _, let isAskedFor): isAskedFor ? until : min(until, hurriesAt ?? until)
        }
    }

    mutating func begin() {
        switch self {
        case .ready: self = .sending(failures: 0)
        case .paused(_, let failures, _): self = .sending(failures: failures)
        case .sending: break
        }
    }

    /// The receiver has answered, and is there for what comes next.
    mutating func succeed() { self = .ready }

    /// The receiver has not answered, or wants to be asked later.
    ///
    /// - Parameter limit: no pause is longer.
    mutating func fail(_ answer: AlertAnswer, at now: ContinuousClock.Instant, atMost limit: Duration? = nil) {
        guard case .sending(let before) = self else { return }
        let length = pause(answer, failures: before + 1)
        let isAskedFor = if case .later(_, .some) = answer { true } else { false }
        self = .paused(
            until: now.advanced(by: limit.map { min($0, length) } ?? length), failures: before + 1, isAskedFor: isAskedFor)
    }
}

/// 1 s, 2 s, 4 s … at most five minutes.
func backoff(failures: Int) -> Duration { .seconds(min(300, 1 << min(failures - 1, 9))) }

/// How long to wait after an answer: as long as the receiver asks for, within an hour, or the backoff.
func pause(_ answer: AlertAnswer, failures: Int) -> Duration {
    guard case .later(_, let after?) = answer else { return backoff(failures: failures) }
    return min(max(after, .seconds(1)), .seconds(3600))
}
