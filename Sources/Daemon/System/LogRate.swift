import Synchronization

/// Bounds how many lines one place in the code may write: an outage of a hundred thousand targets must not fill a disk with what the
/// history knows anyway. What was left out is counted, and said.
package final class LogRate: Sendable {
    /// So many lines a window: ten a second, in a burst of a hundred.
    package static let (linesMax, window) = (100, Duration.seconds(10))

    private struct Place {
        var since: ContinuousClock.Instant
        var lines = 0
        var leftOut = 0
    }

    private let places = Mutex<[String: Place]>([:])
    private let now: @Sendable () -> ContinuousClock.Instant
    private let later: @Sendable (Duration, @escaping @Sendable () -> Void) -> Void

    /// - Parameters:
    ///   - later: calls something after a while.
    package init(
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        later: @escaping @Sendable (Duration, @escaping @Sendable () -> Void) -> Void = { delay, body in
            Task {
                try? await Task.sleep(for: delay)
                body()
            }
        }
    ) {
        (self.now, self.later) = (now, later)
    }

    /// Whether a line may be written now.
    ///
    /// - Parameter leftOut: called at the end of a window that had too many, with how many were left out.
    package func admits(_ name: String, leftOut: @escaping @Sendable (Int) -> Void) -> Bool {
        let now = now()
        let (isAdmitted, rest): (Bool, Duration?) = places.withLock { places in
            var place = places[name] ?? Place(since: now)
            if place.leftOut == 0, place.since.duration(to: now) >= Self.window { place = Place(since: now) }
            place.lines += 1
            defer { places[name] = place }
            guard place.lines > Self.linesMax else { return (true, nil) }
            place.leftOut += 1
            return (false, place.leftOut == 1 ? Self.window - place.since.duration(to: now) : nil)
        }
        if let rest {
            later(max(rest, .zero)) { [self] in
                let count = places.withLock { $0.removeValue(forKey: name)?.leftOut ?? 0 }
                if count > 0 { leftOut(count) }
            }
        }
        return isAdmitted
    }
}
