import Dispatch
import Health
import Synchronization

/// Bounds how many lines one place in the code may write: an outage of a hundred thousand targets must not fill a disk with what the
/// history knows anyway. What was left out is counted, and said.
package final class LogRate: Sendable {
    /// So many lines a window: ten a second, in a burst of a hundred.
    package static let (linesMax, window) = (100, Duration.seconds(10))

    private struct CallSite {
        var since: ContinuousClock.Instant
        var lines = 0
        var leftOut = 0
    }

    private let callSites = Mutex<[String: CallSite]>([:])
    private let now: @Sendable () -> ContinuousClock.Instant
    private let later: @Sendable (Duration, @escaping @Sendable () -> Void) -> Void

    /// - Parameters:
    ///   - later: calls something after a while.
    package init(
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        later: @escaping @Sendable (Duration, @escaping @Sendable () -> Void) -> Void = { delay, body in
            DispatchQueue.global().asyncAfter(deadline: .now() + delay.inSeconds, execute: body)
        }
    ) {
        (self.now, self.later) = (now, later)
    }

    /// Whether a line may be written now.
    ///
    /// - Parameter leftOut: called at the end of a window that had too many, with how many were left out.
    package func admits(_ name: String, leftOut: @escaping @Sendable (Int) -> Void) -> Bool {
        let now = now()
        let (isAdmitted, rest): (Bool, Duration?) = callSites.withLock { callSites in
            var callSite = callSites[name] ?? CallSite(since: now)
            if callSite.leftOut == 0, callSite.since.duration(to: now) >= Self.window { callSite = CallSite(since: now) }
            callSite.lines += 1
            defer { callSites[name] = callSite }
            guard callSite.lines > Self.linesMax else { return (true, nil) }
            callSite.leftOut += 1
            return (false, callSite.leftOut == 1 ? Self.window - callSite.since.duration(to: now) : nil)
        }
        if let rest {
            later(max(rest, .zero)) { [self] in
                let count = callSites.withLock { $0.removeValue(forKey: name)?.leftOut ?? 0 }
                if count > 0 { leftOut(count) }
            }
        }
        return isAdmitted
    }
}
