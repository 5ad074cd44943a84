import History
import LockOrder

/// Connections that read the history for pages. One is used by one page at a time, and used again by the next.
final class HistoryReaders: Sendable {
    private static let kept = 4

    private struct State {
        var idle: [HistoryReader] = []
        /// Goes up when the database is another one.
        var generation = 0
    }

    private let path: String
    private let state = OrderedMutex(State())

    init(path: String) { self.path = path }

    /// The database was set aside: what is open reads the old one.
    func forget() {
        let old = state.withLock { state in
            defer { state = State(generation: state.generation + 1) }
            return state.idle
        }
        withExtendedLifetime(old) {}
    }

    func read<Value>(_ body: (HistoryReader) throws(HistoryError) -> Value) throws(HistoryError) -> Value {
        let (known, generation) = state.withLock { ($0.idle.popLast(), $0.generation) }
        let reader = if let known { known } else { try HistoryReader.open(path: path) }
        // A connection that could not read is not used again.
        let value = try body(reader)
        state.withLock { state in
            if state.generation == generation, state.idle.count < Self.kept { state.idle.append(reader) }
        }
        return value
    }
}
