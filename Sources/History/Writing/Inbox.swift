internal import Health
internal import LockOrder

/// Everything that was appended and that the writer hasn't taken yet.
final class Inbox: Sendable {
    private struct State {
        var batch: Batch
        var isClosed = false
        /// The last ticket that was given out.
        var ticket = 0
        /// Something was appended since the inbox was last emptied.
        var hasNews = false
    }

    private let limit: Int
    private let state: OrderedMutex<State>
    /// Rings at the first append after the inbox was emptied, and when the inbox is closed.
    let alarm = Alarm()

    /// - Parameter limit: how many rows may wait.
    init(limit: Int) {
        self.limit = limit
        state = OrderedMutex(State(batch: Batch(limit: limit)))
    }

    /// - Returns: the ticket of the documents, or of the last documents before. See ``HistoryStatistics/ticket``.
    @discardableResult
    func append(_ documents: [StoredDocument] = [], _ change: (inout Batch) -> Void) -> Int {
        let (ticket, isFirst) = state.withLock { state -> (Int, Bool) in
            // No commit follows the last one: a late record is counted, so that it isn't lost in silence.
            guard !state.isClosed else {
                state.batch.dropped += 1
                return (.max, false)
            }
            change(&state.batch)
            let isFirst = !state.hasNews
            state.hasNews = true
            guard !documents.isEmpty else { return (state.ticket, isFirst) }
            state.ticket += 1
            state.batch.append(documents, ticket: state.ticket)
            return (state.ticket, isFirst)
        }
        if isFirst { alarm.ring() }
        return ticket
    }

    /// Empties the inbox. Returns what was in it.
    func removeAll() -> Batch {
        state.withLock { state in
            let batch = state.batch
            (state.batch, state.hasNews) = (Batch(limit: limit), false)
            return batch
        }
    }

    /// Everything that is appended from now on is dropped and counted.
    func close() {
        state.withLock { $0.isClosed = true }
        alarm.ring()
    }

    /// Whether something was appended since the inbox was last emptied.
    var hasNews: Bool { state.withLock { $0.hasNews } }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// How many rows wait, and how many were dropped since the inbox was last emptied.
    var counts: (waiting: Int, dropped: Int) { state.withLock { ($0.batch.rows.count, $0.batch.dropped) } }
}
