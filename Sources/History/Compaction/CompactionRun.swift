internal import GRDB
internal import Health

/// Moves results in one transaction: in the order of their ids, target after target.
struct CompactionRun {
    typealias Row = (id: Int64, values: ResultValues)

    private let db: Database
    private let chunk: Chunk
    private let counting: Counting
    private var adder: HourAdder
    private let insertResult: Prepared
    private let insertMinute: Prepared
    private let selectState: Prepared
    private let insertState: Prepared
    private var minute = OpenMinute()
    /// When the first and the last of the results started.
    private var (first, last): (Int64, Int64) = (.max, .min)
    /// Most results are like the one before.
    private var known: (id: Int64, kind: ResultKind, reason: String?)?

    init(_ db: Database, _ chunk: Chunk) throws {
        (self.db, self.chunk) = (db, chunk)
        counting = try Counting(db)
        adder = try HourAdder(db)
        insertResult = try Prepared(db, "INSERT INTO settled VALUES (?,?,?,?,?,?,?,?,?,?,?)")
        insertMinute = try Prepared(db, "INSERT INTO minute VALUES (?,?,?,?,?,?,?,?,?,?,?)")
        selectState = try LastResultState.select(db)
        insertState = try LastResultState.insert(db)
    }

    /// - Parameters:
    ///   - rows: the results of several targets.
    ///   - order: where in `rows` this target's results are, in the order of their ids.
    mutating func move(_ rows: [Row], _ order: ArraySlice<CompactionOrder>, of target: Int64) throws {
        var lastResult = try LastResultState(selectState, target)
        var ordinal = 0
        for item in order {
            let values = rows[item.index].values
            insertResult.bind(ResultID.make(chunk: chunk.id, target: 0) | item.inChunk, at: 1)
            values.bind(to: insertResult, from: 2)
            try insertResult.run()
            guard let (_, kind, reason) = kind(values.kind) else { continue }
            let startedAt = chunk.base + values.offset
            (first, last) = (min(first, startedAt), max(last, startedAt))
            let own = startedAt.flooredQuotient(by: Counting.minute)
            if own != minute.minute || minute.isEmpty {
                try write(target, &ordinal, kind.vantage)
                minute.begin(own)
            }
            minute.add(values, isCounted: kind.isCounted, reason: reason)
            try lastResult.apply(values, startedAt, kind, counting.kinds) { hour, time in
                try adder.add(time, to: hour, of: target, vantage: kind.vantage)
            }
        }
        let vantage = known?.kind.vantage ?? 0
        try write(target, &ordinal, vantage)
        try adder.finish(target, vantage: vantage)
        // An hour that has been added up isn't visited again.
        if adder.isDone(lastResult.hour, of: target) {
            try lastResult.closeHour { hour, time in try adder.add(time, to: hour, of: target, vantage: vantage) }
        }
        try lastResult.write(target, with: insertState)
    }

    private mutating func kind(_ id: Int64) -> (id: Int64, kind: ResultKind, reason: String?)? {
        if let known, known.id == id { return known }
        guard let kind = counting.kinds[id] else { return nil }
        known = (id, kind, counting.reason(of: kind))
        return known
    }

    private mutating func write(_ target: Int64, _ ordinal: inout Int, _ vantage: Int64) throws {
        guard !minute.isEmpty else { return }
        let id = ResultID.make(chunk: chunk.id, target: target, ordinal: ordinal)
        try minute.write(id, base: chunk.base.flooredQuotient(by: Counting.minute), with: insertMinute)
        try adder.add(minute, of: target, vantage: vantage)
        minute.begin(.min)
        ordinal += 1
    }

    func finish(movedTo target: Int64) throws {
        try db.run("UPDATE chunk SET moved = ? WHERE id = ?", [.integer(target), .integer(chunk.id)])
        guard first <= last else { return }
        try db.run(
            "UPDATE chunk SET min_ms = min(coalesce(min_ms, ?1), ?1), max_ms = max(coalesce(max_ms, ?2), ?2) WHERE id = ?3",
            [.integer(first), .integer(last), .integer(chunk.id)])
    }
}

/// Where a row is in an array, and its part of the new id.
struct CompactionOrder {
    /// Target and ordinal.
    var inChunk: Int64
    var index: Int
}
