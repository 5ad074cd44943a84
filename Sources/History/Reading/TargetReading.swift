internal import GRDB
package import Health

/// One result, as `probe_history` has it.
package struct ResultItem: Hashable, Sendable {
    /// The column `result_id` of `probe_history`. Ids grow with the commits.
    package var id: Int64
    package var startedAt: Timestamp
    package var outcome: Outcome
    package var isVoid: Bool
    /// The target's status after this result.
    package var status: Status
    package var httpStatus: Int?
    package var address: String?
    package var duration: Duration
    package var phases: Phases
    package var lateness: Duration
}

/// Reads the results and counts of one target in one transaction.
struct TargetReading {
    let db: Database
    let target: Int64
    let counting: Counting

    init?(_ db: Database, _ identity: TargetIdentity) throws {
        let key: [Cell] = [.text(identity.clientID), .text(identity.key)]
        guard let id = try db.integer("SELECT id FROM target WHERE client_id = ? AND target_id = ?", key) else { return nil }
        self.db = db
        target = id
        counting = try Counting(db)
    }

    /// Results that started in a span of time, in the order of their commits, after the result with the id `cursor`.
    func results(_ span: Range<Int64>, after cursor: Int64, limit: Int) throws -> [ResultItem] {
        let (addresses, facts) = (try addresses(), counting.kinds.mapValues { KindFacts($0, counting.words) })
        var items: [ResultItem] = []
        // Most results are like the one before.
        var (kind, known) = (Int64.min, KindFacts())
        try each(span, from: cursor) { id, startedAt, values in
            if kind != values.kind { (kind, known) = (values.kind, facts[values.kind] ?? KindFacts()) }
            if id > cursor { items.append(Self.item(id, startedAt, values, known, addresses)) }
            return items.count < limit
        }
        return items
    }

    /// Of a target that has few results: two days of chunks.
    private static let chunksLookedAt = 576

    /// The newest results, the newest first.
    func newestResults(limit: Int) throws -> [ResultItem] {
        let addresses = try addresses()
        var items: [ResultItem] = []
        func take(_ id: Int64, _ startedAt: Int64, _ values: ResultValues) -> Bool {
            let kind = counting.kinds[values.kind].map { KindFacts($0, counting.words) } ?? KindFacts()
            items.append(Self.item(id, startedAt, values, kind, addresses))
            return items.count < limit
        }
        let moved = try Prepared(
            db, "SELECT id, \(ResultValues.columns) FROM settled WHERE id >= ? AND id < ? ORDER BY id DESC")
        for chunk in try StoredChunk.all(db, .min ..< .max).suffix(Self.chunksLookedAt).reversed() where items.count < limit {
            guard chunk.moved >= target else {
                try eachWaiting(chunk, newestFirst: true, take)
                continue
            }
            moved.bind(ResultID.make(chunk: chunk.id, target: target), at: 1)
            moved.bind(ResultID.make(chunk: chunk.id, target: target + 1), at: 2)
            try moved.run { row in
                let values = ResultValues(row, from: 1)
                return take(row.id(0), chunk.base + values.offset, values)
            }
        }
        return items
    }

    /// Each result of a span of time, first the results that have been moved.
    func each(_ span: Range<Int64>, from cursor: Int64 = 0, _ body: (Int64, Int64, ResultValues) throws -> Bool) throws {
        var goesOn = true
        let moved = try Prepared(
            db, "SELECT id, \(ResultValues.columns) FROM settled WHERE id >= ? AND id < ? ORDER BY id")
        for chunk in try StoredChunk.all(db, span, from: ResultID.chunk(cursor)) where goesOn {
            if chunk.moved >= target {
                moved.bind(ResultID.make(chunk: chunk.id, target: target), at: 1)
                moved.bind(ResultID.make(chunk: chunk.id, target: target + 1), at: 2)
                try moved.run { row in
                    let values = ResultValues(row, from: 1)
                    let startedAt = chunk.base + values.offset
                    if span.contains(startedAt) { goesOn = try body(row.id(0), startedAt, values) }
                    return goesOn
                }
            } else {
                try eachWaiting(chunk) { id, startedAt, values in
                    if span.contains(startedAt) { goesOn = try body(id, startedAt, values) }
                    return goesOn
                }
            }
        }
    }

    /// Each result of this target in a chunk that hasn't been moved: one search in each commit of the chunk.
    private func eachWaiting(
        _ chunk: StoredChunk, newestFirst: Bool = false, _ body: (Int64, Int64, ResultValues) throws -> Bool
    ) throws {
        let waiting = try Prepared(
            db,
            "SELECT id, \(ResultValues.columns) FROM recent WHERE id >= ? AND id < ? ORDER BY id \(newestFirst ? "DESC" : "ASC")")
        let newest = try db.integer("SELECT max(id) FROM recent").map(ResultID.chunk) ?? 0
        let end = min(chunk.endCommit ?? .max, newest + 1)
        var goesOn = true
        let commits = chunk.firstCommit..<max(chunk.firstCommit, end)
        for place in 0..<(commits.upperBound - commits.lowerBound) where goesOn {
            let commit = newestFirst ? commits.upperBound - 1 - place : commits.lowerBound + place
            waiting.bind(ResultID.make(chunk: commit, target: target), at: 1)
            waiting.bind(ResultID.make(chunk: commit, target: target + 1), at: 2)
            try waiting.run { row in
                let values = ResultValues(row, from: 1)
                let id = ResultID.make(chunk: chunk.id, target: 0) | ResultID.inChunk(row.id(0))
                goesOn = try body(id, chunk.base + values.offset, values)
                return goesOn
            }
        }
    }

    /// Counts everything that is not in the table of hours yet, as it will be counted there; results that have not been moved by the
    /// minute, too.
    func waiting() throws -> TargetCounts {
        var counts = TargetCounts(lastResult: try LastResultState(db, target))
        for chunk in try StoredChunk.toMove(db) where chunk.moved < target {
            try eachWaiting(chunk) { _, startedAt, values in
                counting.add(values, startedAt: startedAt, to: &counts)
                return true
            }
        }
        // The time in the hour that isn't over. The times of hours that are over are counted already.
        if !counts.lastResult.time.isEmpty {
            counts.hours[counts.lastResult.hour, default: Rollup()].time.merge(counts.lastResult.time)
        }
        for (hour, rollup) in try movedMinutes() { counts.hours[hour, default: Rollup()].merge(rollup) }
        return counts
    }

    /// Minutes that have not been added to their hours, by the hour.
    private func movedMinutes() throws -> [Int64: Rollup] {
        let through = try Progress.hours.read(db)
        let rows = try MinuteRows(db, withPhases: true)
        var hours: [Int64: Rollup] = [:]
        var (open, sum) = (Int64.min, PeriodSum())
        let start = Progress.hours.firstOpenHour(through: through) * Counting.hour
        for chunk in try StoredChunk.moved(db, start..<Int64.max) where chunk.moved >= target {
            try rows.each(of: target, in: chunk) { minute, row, column in
                let hour = minute.flooredQuotient(by: 60)
                guard !Progress.hours.includes(hour, of: target, through: through) else { return }
                if hour != open, !sum.isEmpty { hours[open, default: Rollup()].merge(sum.reset()) }
                open = hour
                sum.addMinute(row, from: column, withPhases: true)
            }
        }
        if !sum.isEmpty { hours[open, default: Rollup()].merge(sum.reset()) }
        return hours
    }

    /// The addresses of the target, in the order of their places.
    private func addresses() throws -> [String] {
        var addresses: [String] = []
        try db.run("SELECT text FROM target_address WHERE target = ? ORDER BY place", [.integer(target)]) { row in
            addresses.append(row.text(0) ?? "")
            return true
        }
        return addresses
    }

    private static func item(
        _ id: Int64, _ startedAt: Int64, _ values: ResultValues, _ kind: KindFacts, _ addresses: [String]
    ) -> ResultItem {
        let microseconds = { (value: Int64?) in value.map { Duration.microseconds($0) } }
        let address: String? =
            switch values.address {
            case .integer(let place) where addresses.indices.contains(Int(place)): addresses[Int(place)]
            case .text(let text): text
            case .integer, .null, .blob: nil
            }
        return ResultItem(
            id: id, startedAt: Timestamp(milliseconds: startedAt), outcome: kind.outcome, isVoid: kind.isVoid,
            status: kind.status,
            httpStatus: kind.httpStatus, address: address, duration: .microseconds(values.duration),
            phases: Phases(
                dns: microseconds(values.dns), connect: microseconds(values.connect), tls: microseconds(values.tls),
                processing: microseconds(values.processing), transfer: microseconds(values.transfer)),
            lateness: .microseconds(values.lateness))
    }
}

/// A kind in the words of Health.
private struct KindFacts {
    var outcome = Outcome.good
    var isVoid = false
    var status = Status.unknown
    var httpStatus: Int?

    init() {}

    init(_ kind: ResultKind, _ words: Words) {
        (outcome, isVoid) = (words.outcome(kind), !kind.isCounted)
        status = Status(code: Int(kind.status)) ?? .unknown
        httpStatus = kind.httpStatus.map { Int($0) }
    }
}
