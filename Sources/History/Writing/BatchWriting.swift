internal import GRDB
internal import Health

/// What a transaction wrote, to be remembered once it has been committed.
struct Written: Sendable {
    var judges: [TargetIdentity: Int?] = [:]
    /// A digest each; nil for a list that is forgotten.
    var lists: [String: Int?] = [:]
}

extension WriterMemory {
    mutating func remember(_ written: Written, limit: Int) {
        held = Batch(limit: limit)
        for (target, digest) in written.judges {
            judges[target] = digest
            // A target that is gone shouldn't be remembered for ever; if it comes back, its id is looked up.
            if digest == nil { dimensions.forget(target) }
        }
        for (client, digest) in written.lists { lists[client] = digest }
    }
}

extension Batch {
    /// Writes everything inside the caller's transaction. Lists first, so that the targets of new results have their names.
    func write(_ db: Database, _ memory: inout WriterMemory, chunkLength: Duration) throws -> Written {
        var written = Written()
        for target in departed.values { try RememberedLists.name(db, target) }
        for client in forgottenClients {
            try RememberedLists.forget(db, client: client)
            written.lists[client] = .some(nil)
        }
        for (client, list) in lists {
            let digest = list.hashValue
            guard memory.lists[client] != digest else { continue }
            try RememberedLists.write(db, list, client: client)
            written.lists[client] = .some(digest)
        }
        try writeRows(db, &memory, chunkLength: chunkLength)
        for transition in transitions { try write(transition, db, &memory.dimensions) }
        for incident in closedIncidents { try JudgeStates.write(db, incident, &memory.dimensions) }
        for (target, change) in judges {
            let digest = change.judge?.significantDigest
            if let digest, !change.startsAnew, memory.judges[target] == digest { continue }
            try JudgeStates.write(db, target, change, &memory.dimensions)
            written.judges[target] = .some(digest)
        }
        return written
    }

    private func writeRows(_ db: Database, _ memory: inout WriterMemory, chunkLength: Duration) throws {
        guard let newest = rows.lastElement else { return }
        var chunk = try memory.chunk ?? OpenChunk(db, base: newest.startedAt)
        if !chunk.takes(newest.startedAt, length: chunkLength) { chunk = try OpenChunk(db, base: newest.startedAt) }
        // By target, so that one target's are found by a search in each commit. What came first stays first.
        var order: [(target: Int64, row: ResultRow)] = []
        order.reserveCapacity(rows.count)
        for row in rows { order.append((try memory.dimensions.target(row.target, db), row)) }
        var places = Array(order.indices)
        places.sort { (order[$0].target, $0) < (order[$1].target, $1) }
        let insert = try Prepared(db, "INSERT INTO recent VALUES (?,?,?,?,?,?,?,?,?,?,?)")
        for index in places {
            let (target, row) = order[index]
            var place = chunk.place(of: target)
            if place == nil {
                chunk = try OpenChunk(db, base: newest.startedAt)
                place = chunk.place(of: target)
            }
            insert.bind(ResultID.make(chunk: chunk.commit, target: target, place: place ?? 0), at: 1)
            let values = ResultValues(
                row, offset: row.startedAt.milliseconds - chunk.base.milliseconds,
                kind: try memory.dimensions.kind(of: row, db),
                address: try memory.dimensions.address(row.address, of: target, db))
            values.bind(to: insert, from: 2)
            try insert.run()
        }
        chunk.endCommit()
        memory.chunk = chunk
    }

    private func write(_ transition: Transition, _ db: Database, _ dimensions: inout Dimensions) throws {
        try db.run(
            """
            INSERT INTO transition (target, vantage, at_ms, from_status, to_status, reason, cause, sentence)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .integer(try dimensions.target(transition.target, db)), .integer(dimensions.vantage), Cell(transition.at),
                Cell(transition.from.code), Cell(transition.to.code), dimensions.cell(transition.reason),
                dimensions.cell(transition.cause), .text(displayText(transition.sentence, limit: Self.sentenceLimit)),
            ])
    }

    /// In characters. A sentence is already safe to show; this is only a bound.
    private static let sentenceLimit = 1024
}

extension Judge {
    /// Everything but ``lastCountedAt``, which changes with every result and matters only to who restarts: what can't be told apart by it
    /// isn't written again.
    fileprivate var significantDigest: Int {
        var hasher = Hasher()
        hasher.combine(status)
        hasher.combine(cause)
        hasher.combine(hasBeenUp)
        hasher.combine(streaks)
        hasher.combine(incident)
        hasher.combine(isUnprobeable)
        return hasher.finalize()
    }
}
