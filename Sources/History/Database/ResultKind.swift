internal import GRDB
internal import Health

/// Everything in a result except its measured numbers: written once, and referred to by each result that has the same. The closed sets of
/// reasons, causes and statuses, and the codes of HTTP, bound how many kinds there are.
struct ResultKind: Hashable, Sendable {
    var vantage: Int64
    /// 0 the result counts, 1 tainted, 2 cancelled, 3 prober_fault.
    var void: Int64
    var status: Int64
    var reason: Int64?
    var cause: Int64?
    var httpStatus: Int64?
    /// How often the target was probed then, in milliseconds.
    var interval: Int64
    /// The target was in a maintenance window: that time is nobody's outage.
    var isInMaintenance = false

    var isCounted: Bool { void == 0 }

    /// All kinds that a database has.
    static func all(_ db: Database) throws -> [Int64: ResultKind] {
        var kinds: [Int64: ResultKind] = [:]
        try db.run("SELECT id, vantage, void, status, reason, cause, http_status, interval_ms, maintenance FROM kind") { row in
            kinds[row.integer(0) ?? 0] = ResultKind(
                vantage: row.integer(1) ?? 0, void: row.integer(2) ?? 0, status: row.integer(3) ?? 0, reason: row.integer(4),
                cause: row.integer(5), httpStatus: row.integer(6), interval: min(max(row.number(7), 0), 7 * 86_400_000),
                isInMaintenance: row.bool(8))
            return true
        }
        return kinds
    }

    func insert(_ db: Database, id: Int64) throws {
        try db.run(
            "INSERT INTO kind VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                .integer(id), .integer(vantage), .integer(void), .integer(status), Cell(reason), Cell(cause), Cell(httpStatus),
                .integer(interval), Cell(isInMaintenance),
            ])
    }
}

/// The words behind the ids of a database.
struct Words: Sendable {
    let reasons: [Int64: String]
    let causes: [Int64: String]

    init(_ db: Database) throws {
        reasons = try Self.all(db, "reason")
        causes = try Self.all(db, "cause")
    }

    private static func all(_ db: Database, _ table: String) throws -> [Int64: String] {
        var words: [Int64: String] = [:]
        try db.run("SELECT id, name FROM \(table)") { row in
            words[row.integer(0) ?? 0] = row.text(1)
            return true
        }
        return words
    }

    func outcome(_ kind: ResultKind) -> Outcome {
        // A newer version may have written a word that this version doesn't know. A result with a reason is bad all the same.
        if let reason = kind.reason { return .bad(reasons[reason].flatMap { Reason(rawValue: $0) } ?? .statusUnexpected) }
        if let cause = kind.cause.flatMap({ causes[$0] }).flatMap({ Cause(rawValue: $0) }) { return .poor(cause) }
        return .good
    }
}
