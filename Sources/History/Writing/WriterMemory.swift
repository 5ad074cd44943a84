internal import GRDB
internal import Health

/// What the writer knows between two commits; only the database's own queue touches it.
struct WriterMemory: Sendable {
    /// What was taken from the inbox and isn't committed.
    var held: Batch
    var dimensions: Dimensions
    /// What the next results belong to; nil at the start, and after a transaction that failed.
    var chunk: OpenChunk?
    var settling = Compaction()
    /// A digest of each client's list as it was written.
    var lists: [String: Int] = [:]
    var saidDropping = false
    var saidTooLarge = false
    var saidWAL = false
    /// What was said last of moving, until it works again.
    var settlingTrouble: HistoryError.Code?
    /// Met by the writer: the database is replaced before it is written to again.
    var damage: HistoryError?
    var isClosed = false
}
