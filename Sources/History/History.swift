// History: everything durable of the daemon, in one SQLite database with one writer.
// What lives here: results, transitions, incidents, the judge's states, the last good lists; migrations, compaction, retention, the reader.
// What doesn't: deciding anything (that is Health), logging (events go out as values), the wall clock (it is passed in).
// Records come in from Daemon after every judgement; they go on to the commands through HistoryReader, and to any SQLite tool
// through the pinned views of Database/Migrations.

internal import DatabaseFiles
internal import GRDB
package import Health
internal import LockOrder

/// The daemon's history. Appending never blocks; ``run(clock:)`` makes a commit within ``HistoryOptions/commitInterval``.
package final class History: Sendable {
    package let path: String
    private let options: HistoryOptions
    private let inbox: Inbox
    private let writer: HistoryWriter
    private let retention: Retention
    /// When the last chunk began that was there at the start.
    private let newestAtStart: Timestamp?

    /// Opens or creates the database at `path`, whose folder must exist, and brings its schema up to date. Blocks while it does.
    ///
    /// A file that is not ours is refused untouched; so is one that a newer version has migrated. One of ours that is damaged is set aside
    /// under a dated name, and a new one is begun: whoever is on call wants the probes to go on.
    package static func open(path: String, options: HistoryOptions) throws(HistoryError) -> History {
        do {
            return History(path: path, options: options, try OpenHistory.open(path: path, options: options))
        } catch  where error.code == .database(.damaged) {
            let name = try HistoryFile.setAside(path, at: options.now())
            options.onEvent(.setAside(name, error))
            return History(path: path, options: options, try OpenHistory.open(path: path, options: options))
        }
    }

    private init(path: String, options: HistoryOptions, _ database: OpenHistory) {
        self.path = path
        self.options = options
        newestAtStart = database.newest
        inbox = Inbox(limit: options.queueLimit)
        writer = HistoryWriter(database, path: path, inbox: inbox, options: options)
        retention = Retention(keep: options.keep, maxSize: options.maxSize, now: options.now) { [onEvent = options.onEvent] in
            onEvent(.sizeExceeded)
        }
    }

    var queue: DatabaseQueue { writer.queue }

    // MARK: What comes in

    /// One judged probe. At the bound of the queue the oldest rows are dropped and counted; the judge's states and the incidents that are
    /// still open are never dropped, because only the latest of each target is kept waiting.
    ///
    /// - Parameter documents: kept or deleted in the same transaction.
    /// - Returns: the number that ``HistoryStatistics/ticket`` has reached when all of it is durable.
    @discardableResult
    package func append(_ record: HistoryRecord, documents: [StoredDocument] = []) -> Int {
        inbox.append(documents) { $0.append(record) }
    }

    /// Documents that are kept or deleted, without a result. Returns a ticket, as ``append(_:documents:)`` does.
    @discardableResult
    package func append(_ documents: [StoredDocument]) -> Int {
        inbox.append(documents) { _ in }
    }

    /// What somebody noted on an incident, without a result. An incident that isn't there any more gets nothing.
    package func append(_ note: IncidentNote) { inbox.append { $0.append(note) } }

    /// The target is no longer probed: its judge's state is deleted, and `incident`, when one was open, is written as it was closed. The
    /// target's history stays.
    @discardableResult
    package func append(
        removalOf target: TargetIdentity, closing incident: Incident?, documents: [StoredDocument] = []
    ) -> Int {
        inbox.append(documents) { $0.forget(target, closing: incident) }
    }

    /// The last good list of one client. Records of other clients in it, and second ones of one identity, are left out.
    /// A list that is the same as the list that is kept writes nothing.
    package func persist(list: [Target], client: String) {
        inbox.append { $0.persist(list, client: client) }
    }

    /// The client is no longer configured: its list is not kept any more. The history of its targets stays.
    package func forget(client: String) {
        inbox.append { $0.forget(client: client) }
    }

    // MARK: The writer

    /// Commits what waits until its task is cancelled or the history closed: ``HistoryOptions/commitInterval`` after the first append, and every
    /// ``HistoryOptions/idleInterval`` while nothing waits. Between commits it moves results to their next age, and deletes what is too old, in
    /// small steps. Returns with the last batch committed, if it could be.
    package func run<C: Clock>(clock: C) async where C.Duration == Duration {
        await withDiscardingTaskGroup { group in
            // A time of its own, so that an append need not cut a sleep short that had a deadline: it costs a wake of another thread.
            group.addTask { [inbox, options] in
                var next = clock.now.advanced(by: options.idleInterval)
                while (try? await clock.sleep(until: next, tolerance: nil)) != nil {
                    inbox.alarm.ring()
                    next = next.advanced(by: options.idleInterval)
                    // After a suspension once, and not for each interval of it.
                    if next < clock.now { next = clock.now.advanced(by: options.idleInterval) }
                }
            }
            await commitWhatComes(clock: clock)
            group.cancelAll()
        }
        await flush()
    }

    private func commitWhatComes<C: Clock>(clock: C) async where C.Duration == Duration {
        let start = clock.now
        var wallClock = WallClockCheck()
        wallClock.begin(wall: options.now(), newest: newestAtStart)
        var retentionDue = clock.now.advanced(by: options.retentionInterval)
        var hasMore = false
        while !Task.isCancelled, !inbox.isClosed {
            if !hasMore, !inbox.hasNews { await inbox.alarm.sleep() }
            if hasMore || inbox.hasNews, !inbox.isClosed {
                do { try await clock.sleep(until: clock.now.advanced(by: options.commitInterval), tolerance: nil) } catch {
                    return
                }
            }
            // What can't be written is tried again soon. One step a commit: rows are moved three times faster than new ones come, and no commit
            // waits for more than a step of each.
            hasMore = await !commitAndCompact()
            guard clock.now >= retentionDue else { continue }
            if let jump = wallClock.check(wall: options.now(), elapsed: start.duration(to: clock.now)) {
                options.onEvent(.clockJumped(jump))
            }
            guard wallClock.isSteady else {
                retentionDue = max(clock.now, retentionDue.advanced(by: options.retentionInterval))
                continue
            }
            if await removeOld() {
                hasMore = true
            } else {
                // What made the database unusable is tried again soon, as after a commit.
                hasMore = hasMore || !statistics.isWritable
                retentionDue = max(clock.now, retentionDue.advanced(by: options.retentionInterval))
            }
        }
    }

    /// Commits everything appended so far. Works in a cancelled task. Returns whether all of it is durable.
    @discardableResult
    package func flush() async -> Bool { await writer.commit() }

    /// One small step: some results moved from `recent` to `settled` and counted in their rollups, or some results deleted that have been moved.
    /// Never in a commit's transaction. Returns whether there is more to do. A step that fails changes nothing and is tried again.
    @discardableResult
    package func compact() async -> Bool {
        await writer.maintain(compaction)
    }

    /// ``flush()`` and ``compact()`` in one visit to the database's thread. Returns whether all is durable and there is no more to do.
    private func commitAndCompact() async -> Bool { await writer.commit(before: compaction) }

    private var compaction: HistoryWriter.Maintenance {
        .init { database, db in
            try database.compactor.step(db)
        } onFailure: { [onEvent = options.onEvent] database, error in
            if database.compactor.noteFailure(error.code) { onEvent(.compactionFailed(error)) }
        }
    }

    /// One small step: some rows deleted that are older than their age is kept, or some of too much in all; then some free pages given back.
    /// Never in a commit's transaction. Returns whether there is more to do. A step that fails changes nothing and is tried again when the
    /// next is due.
    @discardableResult
    package func removeOld() async -> Bool {
        await writer.maintain(
            .init { [retention] _, db in
                try retention.step(db)
            } onFailure: { [onEvent = options.onEvent] _, error in
                onEvent(.retentionFailed(error))
            })
    }

    /// Commits the last batch, folds the WAL into the database and closes it. What is appended from now on is dropped and counted.
    /// Idempotent; works in a cancelled task. Returns whether everything was durable in the end.
    @discardableResult
    package func close() async -> Bool { await writer.close() }

    package var statistics: HistoryStatistics {
        let counts = inbox.counts
        var statistics = writer.statistics
        statistics.queued += counts.waiting
        statistics.dropped += counts.dropped
        return statistics
    }

    // MARK: What was there before

    /// The last good list of every client, in the order in which targets were first seen. Blocks: for the start of the daemon.
    package func persistedLists() throws(HistoryError) -> [String: [Target]] {
        try read { try PersistedLists.all($0) }
    }

    /// The judge's state of every target that has one. Blocks: for the start of the daemon.
    package func judges() throws(HistoryError) -> [TargetIdentity: Judge] {
        try read { try JudgeStates.all($0) }
    }

    /// When the status of each target became what it is, where that is known. Blocks: for the start of the daemon.
    package func statusesSince() throws(HistoryError) -> [TargetIdentity: Timestamp] {
        try read { try JudgeStates.since($0) }
    }

    /// The text of each document that is kept. Blocks: for the start of the daemon.
    package func documents() throws(HistoryError) -> [StoredDocument.ID: String] {
        try read { db in
            var documents: [StoredDocument.ID: String] = [:]
            try db.run("SELECT kind, key, document FROM alerting") { row in
                documents[StoredDocument.ID(kind: row.text(0) ?? "", key: row.text(1) ?? "")] = row.text(2) ?? ""
                return true
            }
            return documents
        }
    }

    private func read<Value>(_ body: (Database) throws -> Value) throws(HistoryError) -> Value {
        do { return try queue.read(body) } catch { throw HistoryError(error, path: path) }
    }
}
