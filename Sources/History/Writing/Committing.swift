internal import GRDB
internal import Health
internal import Synchronization

extension History {
    /// The writer: commits what waits every ``HistoryOptions/commitInterval`` until its task is cancelled or the history closed; between commits
    /// it moves results to their next age, and drops what is too old, in small steps. Returns with the last batch committed, if it could be.
    package func run(clock: some Clock<Duration>) async {
        let start = clock.now
        var wallClock = WallClockCheck()
        wallClock.begin(wall: options.now(), newest: newestAtStart)
        var retentionDue = clock.now.advanced(by: options.retentionInterval)
        while !Task.isCancelled, !inbox.withLock({ $0.isClosed }) {
            do { try await clock.sleep(until: clock.now.advanced(by: options.commitInterval), tolerance: nil) } catch { break }
            await flush()
            // One step a commit: rows are moved three times faster than new ones come, and no commit waits for more than a step of each.
            await settle()
            guard clock.now >= retentionDue else { continue }
            if let jump = wallClock.check(wall: options.now(), elapsed: start.duration(to: clock.now)) {
                options.onEvent(.clockJumped(jump))
            }
            guard wallClock.isSteady else {
                retentionDue = clock.now.advanced(by: options.retentionInterval)
                continue
            }
            if await !removeOld() { retentionDue = clock.now.advanced(by: options.retentionInterval) }
        }
        await flush()
    }

    /// Commits everything appended so far. Works in a cancelled task. Returns whether all of it is durable.
    @discardableResult
    package func flush() async -> Bool {
        await onWriter { history, db in history.commit(db) }
    }

    /// Commits the last batch, folds the WAL into the database and closes it. What is appended from now on is dropped and counted.
    /// Idempotent; works in a cancelled task. Returns whether everything was durable in the end.
    @discardableResult
    package func close() async -> Bool {
        inbox.withLock { $0.isClosed = true }
        let before = queue
        var isDurable = await flush()
        // Another database took the place of one that couldn't be written to: it takes what waits.
        if !isDurable, before !== queue { isDurable = await flush() }
        _ = await onWriter { history, db in
            let wasClosed = history.memory.withLock { memory in
                defer { memory.isClosed = true }
                return memory.isClosed
            }
            // With a reader in the way the WAL stays, and the next start reads it: nothing is lost by that.
            if !wasClosed { history.sayIfNotClosed { _ = try db.checkpoint(.truncate) } }
            return true
        }
        sayIfNotClosed { try queue.close() }
        return isDurable
    }

    private func sayIfNotClosed(_ close: () throws -> Void) {
        do { try close() } catch { options.onEvent(.notClosed(HistoryError(error, path: path))) }
    }

    /// Runs `body` on the database's own thread, because GRDB's async writes throw in a cancelled task and the blocking ones would hold a thread
    /// that probes need.
    func onWriter(_ body: @escaping @Sendable (History, Database) -> Bool) async -> Bool {
        guard replaceIfDamaged() else { return false }
        let answer = await withCheckedContinuation { continuation in
            queue.asyncWriteWithoutTransaction { db in
                // Of what each step makes longer or shorter the next one has to know.
                _ = self.changeOfFiles(db)
                continuation.resume(returning: body(self, db))
            }
        }
        _ = replaceIfDamaged()
        return answer
    }

    private func commit(_ db: Database) -> Bool {
        memory.withLock { memory in
            let fresh = inbox.withLock { inbox in
                let fresh = inbox.batch
                inbox.batch = Batch(limit: options.queueLimit)
                return fresh
            }
            memory.held.append(fresh)
            noteDropped(&memory)
            let wasWritable = statistics.isWritable
            // After a failure even an empty transaction is tried, so that the trouble's end is seen.
            guard !memory.held.isEmpty || !wasWritable || changeOfFiles(db) != nil else { return true }
            guard !memory.isClosed else { return memory.held.isEmpty }
            return commitHeld(db, &memory, wasWritable: wasWritable)
        }
    }

    private func commitHeld(_ db: Database, _ memory: inout WriterMemory, wasWritable: Bool) -> Bool {
        let (count, ticket) = (memory.held.rows.count, memory.held.ticket)
        var refused = 0
        let clock = ContinuousClock()
        let start = clock.now
        do {
            if let change = changeOfFiles(db) { throw change }
            let held = memory.held
            var written = Written()
            try db.inTransaction(.immediate) {
                written = try held.write(db, &memory, chunkLength: options.chunkLength)
                // Writing many rows takes a while.
                if let change = changeOfFiles(db) { throw change }
                return .commit
            }
            memory.persist(written, limit: options.queueLimit)
            refused = written.refused
        } catch {
            memory.dimensions.forgetAll()
            memory.chunk = nil
            let error = HistoryError(error, path: path)
            memory.note(error)
            note(error, queued: count)
            return false
        }
        let duration = start.duration(to: clock.now)
        let (size, wal) = HistoryFile.sizes(path)
        updateFigures { figures in
            figures.samples += count - refused
            figures.ticket = max(figures.ticket, ticket)
            figures.dropped += refused
            figures.queued = 0
            (figures.sizeBytes, figures.walBytes) = (size, wal)
            (figures.isWritable, figures.trouble) = (true, nil)
        }
        memory.saidDropping = false
        noteWAL(wal, &memory)
        if !wasWritable { options.onEvent(.writeRecovered(waiting: count)) }
        options.onEvent(.committed(rows: count, duration: duration))
        return true
    }

    func note(_ error: HistoryError, queued: Int) {
        let known = statistics.trouble?.code
        updateFigures { figures in
            figures.queued = queued
            (figures.isWritable, figures.trouble) = (false, error)
        }
        if known != error.code { options.onEvent(.writeFailed(error)) }
    }

    private func noteWAL(_ bytes: Int64, _ memory: inout WriterMemory) {
        let isLarge = bytes > options.walSaidFrom
        defer { memory.saidWAL = isLarge }
        guard isLarge, !memory.saidWAL else { return }
        options.onEvent(.walIsLarge(bytes, readers: WALReaders.names(path)))
    }

    private func noteDropped(_ memory: inout WriterMemory) {
        let dropped = memory.held.dropped
        guard dropped > 0 else { return }
        memory.held.dropped = 0
        updateFigures { $0.dropped += dropped }
        guard !memory.saidDropping, !inbox.withLock({ $0.isClosed }) else { return }
        memory.saidDropping = true
        options.onEvent(.dropping)
    }
}
