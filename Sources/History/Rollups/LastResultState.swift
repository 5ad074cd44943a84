internal import GRDB

/// The last result of a target that has been moved, the last result that counted, and the time in each state in the hour of the latter.
/// Time is counted from result to result. So the time of an hour is known when a result has come in the next hour, or when the hour is
/// added up because no result came.
struct LastResultState {
    private(set) var lastAt: Int64?
    private(set) var lastKind: Int64?
    private(set) var lastDuration: Int64?
    private(set) var countedAt: Int64?
    private(set) var countedKind: Int64?
    /// The hour of ``time``, counted from 1970.
    private(set) var hour: Int64 = 0
    private(set) var time = StatusTime()

    private static let columns =
        "last_ms, last_kind, last_us, counted_ms, counted_kind, hour, up_ms, degraded_ms, down_ms, maintenance_ms"

    init() {}

    init(_ db: Database, _ target: Int64) throws {
        try self.init(Self.select(db), target)
    }

    init(_ select: Prepared, _ target: Int64) throws {
        select.bind(target, at: 1)
        try select.run { row in
            self = LastResultState(row, from: 0)
            return false
        }
    }

    init(_ row: CellReader, from column: Int32) {
        (lastAt, lastKind, lastDuration) = (row.integer(column), row.integer(column + 1), row.integer(column + 2))
        (countedAt, countedKind, hour) = (row.integer(column + 3), row.integer(column + 4), row.number(column + 5))
        time = StatusTime(
            up: row.number(column + 6), degraded: row.number(column + 7), down: row.number(column + 8),
            maintenance: row.number(column + 9))
    }

    /// - Parameters:
    ///   - startedAt: milliseconds since 1970.
    ///   - close: gets the time of each hour that is over.
    mutating func apply(
        _ values: ResultValues, _ startedAt: Int64, _ kind: ResultKind, _ kinds: [Int64: ResultKind],
        close: (_ hour: Int64, StatusTime) throws -> Void
    ) rethrows {
        (lastAt, lastKind, lastDuration) = (startedAt, values.kind, values.duration)
        guard kind.isCounted else { return }
        if let countedAt, let countedKind {
            // Most results are like the one before.
            let believed = countedKind == values.kind ? kind : kinds[countedKind]
            if let believed { try spread(from: countedAt, until: startedAt, believed, close: close) }
        }
        (countedAt, countedKind) = (startedAt, values.kind)
    }

    private mutating func spread(
        from start: Int64, until end: Int64, _ kind: ResultKind, close: (_ hour: Int64, StatusTime) throws -> Void
    ) rethrows {
        try kind.eachStep(of: Counting.hour, from: start, until: end) { own, milliseconds in
            if own != hour {
                try closeHour(close)
                hour = own
            }
            time.add(milliseconds, kind)
        }
    }

    /// Hands the time so far to its hour.
    mutating func closeHour(_ close: (_ hour: Int64, StatusTime) throws -> Void) rethrows {
        if !time.isEmpty { try close(hour, time) }
        time = StatusTime()
    }

    func write(_ target: Int64, _ db: Database) throws {
        try write(target, with: Self.insert(db))
    }

    static func insert(_ db: Database) throws -> Prepared {
        try Prepared(db, "INSERT OR REPLACE INTO standing VALUES (?,?,?,?,?,?,?,?,?,?,?)")
    }

    static func select(_ db: Database) throws -> Prepared {
        try Prepared(db, "SELECT \(columns) FROM standing WHERE target = ?")
    }

    func write(_ target: Int64, with insert: Prepared) throws {
        insert.bind(target, at: 1)
        for (index, value) in [lastAt, lastKind, lastDuration, countedAt, countedKind].enumerated() {
            insert.bind(value, at: Int32(index + 2))
        }
        for (index, value) in [hour, time.up, time.degraded, time.down, time.maintenance].enumerated() {
            insert.bind(value, at: Int32(index + 7))
        }
        try insert.run()
    }
}
