internal import GRDB
internal import Health

/// What the writer knows of the rows of its database, so that a commit needn't read them.
struct RowCache: Sendable {
    var dimensions: Dimensions
    /// The chunk that the next results belong to; nil at the start, and after a transaction that failed.
    var chunk: OpenChunk?
    /// A digest of each client's list as it was written.
    var lists: [String: Int] = [:]

    init(dimensions: Dimensions) { self.dimensions = dimensions }

    /// After a commit.
    mutating func apply(_ written: Written) {
        // A target that is gone isn't kept in memory for ever. If the target comes back, its id is looked up.
        for target in written.gone { dimensions.forget(target, openChunk: chunk?.id) }
        for (client, digest) in written.lists { lists[client] = digest }
    }

    /// After a rollback, which may have undone rows that are known here.
    mutating func forgetAll() {
        dimensions.forgetAll()
        chunk = nil
    }
}

/// What a transaction wrote.
struct Written: Sendable {
    /// Targets that are no longer probed.
    var gone: [TargetIdentity] = []
    /// A digest of each list; nil for a list that was deleted.
    var lists: [String: Int?] = [:]
    /// Results of targets past all ids.
    var refused = 0
}
