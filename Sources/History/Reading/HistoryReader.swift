internal import GRDB
package import Health

/// Reads the history, while the daemon writes it or when it doesn't run. Every call is one short transaction, so that a reader never
/// keeps the WAL from being folded in. Blocks: for commands, not for the way of a probe.
package final class HistoryReader: Sendable {
    package let path: String
    private let queue: DatabaseQueue
    private let claim: FileClaim

    /// Opens a database that exists; never creates or changes one.
    ///
    /// - Parameter cacheKiB: how much of the database it keeps in memory; SQLite's own 2,000 where there is none.
    package static func open(path: String, cacheKiB: Int? = nil) throws(HistoryError) -> HistoryReader {
        let (state, claim) = try FileClaim.examine(path)
        guard state == .ours else { throw HistoryError(.missing, path: path) }
        do {
            var configuration = Configuration()
            configuration.readonly = true
            configuration.label = "rangefinder.history.reader"
            configuration.busyMode = .timeout(5)
            // A negative size is one in KiB.
            if let cacheKiB { configuration.prepareDatabase { try $0.execute(sql: "PRAGMA cache_size = -\(cacheKiB)") } }
            let isImmutable = HistoryFile.mustBeImmutable(path)
            let queue = try DatabaseQueue(
                path: isImmutable ? HistoryFile.immutableURI(path) : HistoryFile.sqlitePath(path), configuration: configuration)
            try queue.read { try Schema.refuseOtherVersions($0, path: path, isReader: true) }
            return HistoryReader(path: path, queue: queue, claim: claim)
        } catch {
            throw HistoryError(error, path: path)
        }
    }

    private init(path: String, queue: DatabaseQueue, claim: FileClaim) {
        self.path = path
        self.queue = queue
        self.claim = claim
    }

    /// Before the claim ends. A connection that can't be closed keeps its locks, and the file stays claimed for them.
    deinit { do { try queue.close() } catch { _ = Unmanaged.passRetained(claim) } }

    /// Every target of the last good lists, by name, with the state that the daemon believes it is in.
    package func statuses() throws(HistoryError) -> [TargetStatusRow] {
        try read { db in
            let lastProbes = try LastProbes.read(db)
            return try TargetStatusRow.all(db, lastProbes: lastProbes)
        }
    }

    /// The last good list of every client.
    package func persistedLists() throws(HistoryError) -> [String: [Target]] {
        try read { try PersistedLists.all($0) }
    }

    /// The text of each document of one kind that another module keeps here.
    package func documents(kind: String) throws(HistoryError) -> [StoredDocument.ID: String] {
        try read { db in
            var documents: [StoredDocument.ID: String] = [:]
            try db.run("SELECT key, document FROM alerting WHERE kind = ?", [.text(kind)]) { row in
                documents[StoredDocument.ID(kind: kind, key: row.text(0) ?? "")] = row.text(1) ?? ""
                return true
            }
            return documents
        }
    }

    /// The newest incidents, open ones included, newest first: of all targets or of one, and of those that were open at `after` or later.
    package func incidents(
        of target: TargetIdentity? = nil, after: Timestamp? = nil, limit: Int = 100
    ) throws(HistoryError) -> [IncidentRow] {
        var filter = IncidentFilter()
        (filter.target, filter.after, filter.limit) = (target, after, limit)
        return try incidents(filter)
    }

    /// One incident with its evidence, by the id that `incident_history` has; nil when there is none.
    package func incident(_ id: Int64) throws(HistoryError) -> IncidentDetail? {
        try read { try IncidentDetail.read($0, id: id) }
    }

    /// The targets with this id, else those with this name, whether they are still listed or not.
    package func targets(matching word: String, client: String? = nil) throws(HistoryError) -> [Target] {
        try read { db in
            let byID = try PersistedLists.targets(db, where: "target_id = ?", word)
            let all = try byID.isEmpty ? PersistedLists.targets(db, where: "name = ?", word) : byID
            return all.filter { client == nil || $0.identity.clientID == client }
        }
    }

    /// When the oldest rows of each age begin, of any target.
    package func starts() throws(HistoryError) -> HistoryStarts {
        try read { db in
            let chunk = "SELECT min(coalesce(min_ms, base_ms)) FROM chunk"
            let queries = [
                "\(chunk) WHERE has_results = 1", chunk, "SELECT \(PeriodID.periodSQL("min(id)")) * \(Counting.hour) FROM hour",
            ]
            let times = try queries.map { try db.integer($0).map { Timestamp(milliseconds: $0) } }
            return HistoryStarts(results: times[0], minutes: times[1], hours: times[2])
        }
    }

    /// Results of one target that started in a span of time, in the order in which they were committed; void ones included.
    ///
    /// - Parameters:
    ///   - after: the last id of the page before.
    ///   - limit: how many make a page.
    package func results(
        of target: TargetIdentity, in span: Range<Timestamp>, after cursor: Int64 = 0, limit: Int = 10_000
    ) throws(HistoryError) -> [ResultItem] {
        try read { try TargetReading($0, target)?.results(span.milliseconds, after: cursor, limit: limit) ?? [] }
    }

    /// What is known of one target, in steps of `resolution` since 1970 that have anything; a step at an edge is whole where its age is
    /// coarser than the span. Steps of less than an hour come from minutes, of less than a minute from results.
    package func series(
        of target: TargetIdentity, in span: Range<Timestamp>, resolution: Duration
    ) throws(HistoryError) -> [RollupItem] {
        try read { db in
            guard let reading = try TargetReading(db, target) else { return [] }
            return try Series.read(reading, span.milliseconds, resolution: resolution.wholeMilliseconds)
        }
    }

    /// All results of one target in a span of time as one rollup, with whole hours at the edges of the span. It is read from days, hours
    /// and the results that have not been moved. For a target's page, and for the benchmark of the history.
    package func summary(of target: TargetIdentity, in span: Range<Timestamp>) throws(HistoryError) -> RollupItem {
        try read { db in
            let span = Summaries.wholeHours(span.milliseconds)
            let rollup = try TargetReading(db, target).map { try Summaries.one($0, span) } ?? Rollup()
            return RollupItem(start: span.lowerBound, length: span.upperBound - span.lowerBound, rollup, hasTime: true)
        }
    }

    /// The same of every target that has anything there, without phases and without results that have not been moved. A span of more than a
    /// week begins with a whole day. For a page of thousands of targets, and for the benchmark of the history.
    package func summaries(in span: Range<Timestamp>) throws(HistoryError) -> [TargetIdentity: RollupItem] {
        try read { db in
            let span = Summaries.wholeDays(Summaries.wholeHours(span.milliseconds))
            return try Summaries.all(db, span).mapValues {
                RollupItem(start: span.lowerBound, length: span.upperBound - span.lowerBound, $0, hasTime: true)
            }
        }
    }

    /// When the last result of a target started that has been moved: the end of the data in ``summary(of:in:)``. For the same readers.
    package func newestResult(of target: TargetIdentity) throws(HistoryError) -> Timestamp? {
        try read { db in
            try TargetReading(db, target).flatMap { try LastResultState(db, $0.target).lastAt }.map {
                Timestamp(milliseconds: $0)
            }
        }
    }

    /// When the last result of any target started that has been moved: the end of the data in ``summaries(in:)``. For the same readers.
    package func newestMove() throws(HistoryError) -> Timestamp? {
        try read { db in try db.integer("SELECT max(last_ms) FROM standing").map { Timestamp(milliseconds: $0) } }
    }

    /// Reads everything once. Of a large database that takes minutes, during which the WAL can't be folded in.
    package func check() throws(HistoryError) -> HistoryCheck { try read { try HistoryCheck($0) } }

    /// Writes all of the history to a new file, as it is at this moment, while the daemon goes on. A copy that can't be finished is
    /// removed.
    package func backUp(to path: String) throws(HistoryError) { try HistoryBackup.write(self, to: path) }

    func copy(to queue: DatabaseQueue) throws { try self.queue.backup(to: queue) }

    func read<Value>(_ body: (Database) throws -> Value) throws(HistoryError) -> Value {
        do { return try queue.read(body) } catch { throw HistoryError(error, path: path) }
    }
}

/// When the oldest kept rows of each age begin; nil where there are none.
package struct HistoryStarts: Hashable, Sendable {
    package var results: Timestamp?
    package var minutes: Timestamp?
    package var hours: Timestamp?
}

extension Range<Timestamp> {
    var milliseconds: Range<Int64> { lowerBound.milliseconds..<upperBound.milliseconds }
}
