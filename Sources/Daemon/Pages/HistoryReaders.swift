import History
import LockOrder

/// Connections that read the history for pages. One is used by one page at a time, and used again by the next.
final class HistoryReaders: Sendable {
    private static let kept = 4
    /// Of each. The kernel keeps the file, too.
    private static let cacheKiB = 512

    private struct State {
        var idle: [HistoryReader] = []
        /// Goes up when the database is another one.
        var generation = 0
        /// Goes up when the history has begun anew.
        var beginnings = 0
    }

    private let path: String
    private let state = OrderedMutex(State())

    init(path: String) { self.path = path }

    /// The database was opened anew: what is open here may read an old one.
    ///
    /// - Parameter isNew: the history has begun anew.
    func forget(isNew: Bool) {
        let old = state.withLock { state in
            defer { state.idle = [] }
            state.generation += 1
            if isNew { state.beginnings += 1 }
            return state.idle
        }
        withExtendedLifetime(old) {}
    }

    /// How many times the history has begun anew.
    var beginnings: Int { state.withLock { $0.beginnings } }

    func read<Value>(_ body: (HistoryReader) throws(HistoryError) -> Value) throws(HistoryError) -> Value {
        let (known, generation) = state.withLock { ($0.idle.popLast(), $0.generation) }
        let reader = if let known { known } else { try HistoryReader.open(path: path, cacheKiB: Self.cacheKiB) }
        // A connection that could not read is not used again.
        let value = try body(reader)
        state.withLock { state in
            if state.generation == generation, state.idle.count < Self.kept { state.idle.append(reader) }
        }
        return value
    }
}
