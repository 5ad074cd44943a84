internal import GRDB
internal import Health

/// The chunk that results are appended to. A start of the daemon begins a new one, and so does a transaction that failed: what is known of
/// a chunk is in memory alone.
struct OpenChunk: Sendable {
    let id: Int64
    let base: Timestamp
    private let firstCommit: Int64
    /// The number of the next transaction.
    private(set) var commit: Int64

    /// Closes the chunk that is open in the database, and begins the next.
    init(_ db: Database, base: Timestamp) throws {
        let last = try db.integer("SELECT max(id) FROM chunk")
        // Ids of chunks and of commits only grow: the newest chunk is never deleted.
        let lastCommit = max(
            try db.integer("SELECT max(id) FROM recent").map(ResultID.chunk) ?? 0,
            try db.integer("SELECT max(max(first_commit), coalesce(max(end_commit), 1) - 1) FROM chunk") ?? 0)
        commit = lastCommit + 1
        firstCommit = commit
        id = (last ?? 0) + 1
        self.base = base
        try db.run("UPDATE chunk SET end_commit = ? WHERE end_commit IS NULL", [.integer(commit)])
        try db.run(
            "INSERT INTO chunk (id, base_ms, first_commit) VALUES (?, ?, ?)", [.integer(id), Cell(base), .integer(commit)])
    }

    /// Each commit is searched when the chunk is moved. In five minutes there are 600; a clock that stands still must not make it millions.
    static let commitsMax: Int64 = 1 << 16

    /// A probe may take an hour. A result that started so long ago is no sign that the clock has gone back.
    private static let longestProbe = Duration.seconds(2 * 3600)

    /// Whether the chunk may get results of which the newest started at this time: a chunk's results are moved together.
    func accepts(_ newest: Timestamp, length: Duration) -> Bool {
        let distance = newest - base
        return commit - firstCommit < Self.commitsMax && distance < length && distance > .zero - max(length, Self.longestProbe)
    }

    mutating func endCommit() { commit += 1 }
}
