import Health
import Logging
import Synchronization

/// Says our own trouble in the log: it is held against no target, so that nothing else would tell of it. Once a minute at most.
final class FaultLog: Sendable {
    private struct State {
        var saidAt: ContinuousClock.Instant?
        var unsaid = 0
    }

    private static let pause = Duration.seconds(60)
    private let state = Mutex(State())

    func say(_ sentence: String, of target: Target, _ logger: Logger) {
        let unsaid: Int? = state.withLock { state in
            if let saidAt = state.saidAt, saidAt.duration(to: .now) < Self.pause {
                state.unsaid += 1
                return nil
            }
            defer { state = State(saidAt: .now) }
            return state.unsaid
        }
        guard let unsaid else { return }
        logger.warning(
            "a probe of \(displayText(target.name)) was spoiled: \(sentence)",
            metadata: ["target_id": "\(target.identity.key)", "others_since_the_last_such_line": "\(unsaid)"])
    }
}
