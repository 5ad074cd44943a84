package import Health

/// How the writer works. Times are durations; `now` is the wall clock, which is asked for retention only.
package struct HistoryOptions: Sendable {
    /// The name of this observer, written with every row.
    package var vantage: String
    /// How long each age is kept; nil keeps it for ever.
    package var keep = Ages()
    /// Bytes of the database, its free pages not counted; past them the oldest results go first, then minutes, hours and days.
    package var maxSize: Int64?
    package var commitInterval: Duration = .milliseconds(500)
    /// How often the writer looks at the database while nothing waits to be written: files may have gone, and results come into their next age.
    package var idleInterval: Duration = .seconds(30)
    package var retentionInterval: Duration = .seconds(60)
    /// The results of this time are moved together. The longer it is, the fewer searches the results of one target need, and the more results
    /// wait unmoved.
    package var chunkLength: Duration = .seconds(300)
    /// How many results are moved, or deleted, in one step of compaction.
    package var compactionRows = 5000
    /// A larger WAL is reported: it can't be folded in.
    package var largeWALBytes: Int64 = 256 << 20
    /// How many rows may wait for a commit.
    package var queueLimit = 200_000
    /// How long a commit waits for another program's lock before it is tried again at the next one.
    package var busyTimeout: Duration = .seconds(1)
    package var now: @Sendable () -> Timestamp
    /// Called on the writer's thread; must not block.
    package var onEvent: @Sendable (HistoryEvent) -> Void

    package struct Ages: Hashable, Sendable {
        /// Of results and transitions.
        package var raw: Duration?
        package var minutes: Duration?
        package var hours: Duration?
        /// Of days and incidents.
        package var days: Duration?

        package init(raw: Duration? = nil, minutes: Duration? = nil, hours: Duration? = nil, days: Duration? = nil) {
            (self.raw, self.minutes, self.hours, self.days) = (raw, minutes, hours, days)
        }
    }

    package init(
        vantage: String, now: @escaping @Sendable () -> Timestamp,
        onEvent: @escaping @Sendable (HistoryEvent) -> Void = { _ in }
    ) {
        self.vantage = vantage
        self.now = now
        self.onEvent = onEvent
    }
}

/// What happened to the writer: for the log and for `/metrics`.
package enum HistoryEvent: Sendable {
    /// `rows` results are durable; the commit took `duration`, waiting for locks and syncing included.
    case committed(rows: Int, duration: Duration)
    /// Reported once a trouble, and again when its code changes. Everything that couldn't be written waits in the queue.
    case writeFailed(HistoryError)
    /// The database that was there is damaged: it is now called this, and a new one was begun.
    case setAside(String, HistoryError)
    /// The database's WAL was deleted under it: what the WAL had is saved, and the same database was opened again.
    case reopened
    /// Writing works again; this many results had waited.
    case writeRecovered(waiting: Int)
    /// The queue is full and its oldest rows are being dropped. Reported once a trouble.
    case dropping
    /// The WAL can't be folded in, most likely because of these readers, named by their processes. Reported once until it is smaller again.
    case walIsLarge(Int64, readers: [String])
    /// The wall clock jumped by this much: nothing is deleted by age before it has been steady for an hour.
    case clockJumped(Duration)
    /// At the end the WAL couldn't be folded in, or the database not be closed: the WAL stays beside it, and the next start reads it.
    case notClosed(HistoryError)
    /// A step of moving results to the next age failed; commits go on. Reported once a trouble.
    case compactionFailed(HistoryError)
    /// A step of retention failed; commits go on.
    case retentionFailed(HistoryError)
    /// The database is larger than ``HistoryOptions/maxSize``, and rows are being deleted that are young enough to be kept. Reported
    /// once until the database is small enough again.
    case sizeExceeded
}

/// Counts since the start, and sizes as of the last commit.
package struct HistoryStatistics: Sendable, Hashable {
    /// Results committed.
    package var samples = 0
    /// Documents with a ticket up to this one are durable.
    package var ticket = 0
    /// Results and closed incidents that were dropped at the bound, and whatever came after closing.
    package var dropped = 0
    /// Results that wait for a commit.
    package var queued = 0
    package var sizeBytes: Int64 = 0
    package var walBytes: Int64 = 0
    /// Why the last write failed; nil when it succeeded.
    package var trouble: HistoryError?
    package var isWritable: Bool { trouble == nil }
}
