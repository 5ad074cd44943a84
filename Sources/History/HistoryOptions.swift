package import Health

/// How the writer works. Times are durations; `now` is the wall clock, which is asked for retention only.
package struct HistoryOptions: Sendable {
    /// The name of this observer, written with every row.
    package var vantage: String
    /// How long raw results and transitions are kept; nil keeps them for ever.
    package var keepRaw: Duration?
    package var commitInterval: Duration = .milliseconds(500)
    package var retentionInterval: Duration = .seconds(60)
    /// How many rows may wait for a commit.
    package var queueLimit = 200_000
    /// How long a commit waits for another program's lock before it is tried again at the next one.
    package var busyTimeout: Duration = .seconds(1)
    package var now: @Sendable () -> Timestamp
    /// Called on the writer's thread; must not block.
    package var onEvent: @Sendable (HistoryEvent) -> Void

    package init(
        vantage: String, keepRaw: Duration? = nil, now: @escaping @Sendable () -> Timestamp,
        onEvent: @escaping @Sendable (HistoryEvent) -> Void = { _ in }
    ) {
        self.vantage = vantage
        self.keepRaw = keepRaw
        self.now = now
        self.onEvent = onEvent
    }
}

/// What happened to the writer: for the log and for `/metrics`.
package enum HistoryEvent: Sendable {
    /// `rows` results are durable; the commit took `duration`, waiting for locks and syncing included.
    case committed(rows: Int, duration: Duration)
    /// Said once a trouble, and again when its code changes. What couldn't be written waits in the queue.
    case writeFailed(HistoryError)
    /// Writing works again; this many results had waited.
    case writeRecovered(waiting: Int)
    /// The queue is full and its oldest rows are being dropped. Said once a trouble.
    case dropping
    /// The wall clock jumped by this much: nothing is deleted by age before it has been steady for an hour.
    case clockJumped(Duration)
    /// A step of retention failed; commits go on.
    case retentionFailed(HistoryError)
}

/// Counts since the start, and sizes as of the last commit.
package struct HistoryStatistics: Sendable, Hashable {
    /// Results committed.
    package var samples = 0
    /// Results and closed incidents that were dropped at the bound, and whatever came after closing.
    package var dropped = 0
    /// Results that wait for a commit.
    package var queued = 0
    package var sizeBytes: Int64 = 0
    package var walBytes: Int64 = 0
    /// The last write succeeded.
    package var isWritable = true
    /// Why it didn't.
    package var trouble: HistoryError?
}
