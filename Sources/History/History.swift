// History: everything durable of the daemon, in one SQLite database with one writer.
// What lives here: results, transitions, incidents, the judge's states, the remembered lists; migrations, retention, the reader.
// What doesn't: deciding anything (that is Health), logging (events go out as values), the wall clock (it is passed in).
// Records come in from Daemon after every judgement; they go on to the commands through HistoryReader, and to any SQLite tool
// through the pinned views of Database/Migrations.

internal import DatabaseFiles
internal import GRDB
package import Health
internal import Synchronization

/// The daemon's writer. Appending never blocks; a commit is made every ``HistoryOptions/commitInterval`` by ``run(clock:)``.
package final class History: Sendable {
    package let path: String
    let options: HistoryOptions
    /// Another one once damage has been met.
    let opened: Mutex<OpenedHistory>
    let inbox: Mutex<Inbox>
    let memory: Mutex<WriterMemory>
    /// When the last chunk began that was there at the start.
    let newestAtStart: Timestamp?
    private let figures = Mutex(HistoryStatistics())

    /// What was appended and not yet taken by the writer.
    struct Inbox: Sendable {
        var batch: Batch
        var isClosed = false
        /// The last that was given out.
        var ticket = 0
    }

    /// Opens or creates the database at `path`, whose folder must exist, and brings its schema up to date. Blocks while it does.
    ///
    /// A file that is not ours is refused untouched; so is one that a newer version has migrated. One of ours that is damaged is set aside
    /// under a dated name, and a new one is begun: whoever is on call wants the probes to go on.
    package static func open(path: String, options: HistoryOptions) throws(HistoryError) -> History {
        do {
            return History(path: path, options: options, try OpenedHistory(path: path, options: options))
        } catch  where error.code == .database(.damaged) {
            let name = try HistoryFile.setAside(path, at: options.now())
            options.onEvent(.setAside(name, error))
            return History(path: path, options: options, try OpenedHistory(path: path, options: options))
        }
    }

    private init(path: String, options: HistoryOptions, _ opened: OpenedHistory) {
        self.path = path
        self.options = options
        newestAtStart = opened.newest
        inbox = Mutex(Inbox(batch: Batch(limit: options.queueLimit)))
        memory = Mutex(WriterMemory(held: Batch(limit: options.queueLimit), dimensions: opened.dimensions))
        self.opened = Mutex(opened)
        let (size, wal) = HistoryFile.sizes(path)
        figures.withLock { ($0.sizeBytes, $0.walBytes) = (size, wal) }
    }

    var queue: DatabaseQueue { opened.withLock { $0.queue } }

    // MARK: What comes in

    /// One judged probe. At the bound of the queue the oldest rows are dropped and counted; the judge's states and the incidents that are
    /// still open are never dropped, because only the latest of each target is kept waiting.
    ///
    /// - Parameter documents: what is remembered or forgotten in the same transaction.
    /// - Returns: the number that ``HistoryStatistics/ticket`` has reached when all of it is durable.
    @discardableResult
    package func append(_ record: HistoryRecord, documents: [StoredDocument] = []) -> Int {
        add(documents) { $0.append(record) }
    }

    /// What is remembered or forgotten, without a result. Returns a ticket, as ``append(_:documents:)`` does.
    @discardableResult
    package func append(_ documents: [StoredDocument]) -> Int {
        add(documents) { _ in }
    }

    /// The target is no longer probed: its judge's state is forgotten, and `incident`, when one was open, is written as it was closed.
    /// Its history stays.
    @discardableResult
    package func append(
        removalOf target: TargetIdentity, closing incident: Incident?, documents: [StoredDocument] = []
    ) -> Int {
        add(documents) { $0.forget(target, closing: incident) }
    }

    /// The last good list of one client. Records of other clients in it, and second ones of one identity, are left out.
    /// A list that is the same as the remembered one writes nothing.
    package func persist(list: [Target], client: String) {
        add { $0.persist(list, client: client) }
    }

    /// The client is no longer configured: its list is not remembered any more. The history of its targets stays.
    package func forget(client: String) {
        add { $0.forget(client: client) }
    }

    @discardableResult
    private func add(_ documents: [StoredDocument] = [], _ change: (inout Batch) -> Void) -> Int {
        inbox.withLock { inbox in
            // What comes after the last commit can't be written any more: it is counted rather than lost in silence.
            guard !inbox.isClosed else {
                inbox.batch.dropped += 1
                return .max
            }
            change(&inbox.batch)
            guard !documents.isEmpty else { return inbox.ticket }
            inbox.ticket += 1
            inbox.batch.append(documents, ticket: inbox.ticket)
            return inbox.ticket
        }
    }

    // MARK: What was there before

    /// The remembered list of every client, in the order in which targets were first seen. Blocks: for the start of the daemon.
    package func persistedLists() throws(HistoryError) -> [String: [Target]] {
        try read { try PersistedLists.all($0) }
    }

    /// The judge's state of every target that has one. Blocks: for the start of the daemon.
    package func judges() throws(HistoryError) -> [TargetIdentity: Judge] {
        try read { try JudgeStates.all($0) }
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

    // MARK: Figures

    package var statistics: HistoryStatistics {
        let (waiting, dropped) = inbox.withLock { ($0.batch.rows.count, $0.batch.dropped) }
        var statistics = figures.withLock { $0 }
        statistics.queued += waiting
        statistics.dropped += dropped
        return statistics
    }

    func updateFigures(_ update: (inout HistoryStatistics) -> Void) {
        figures.withLock { update(&$0) }
    }
}
