internal import GRDB
internal import Health

/// What a transaction wrote, to be remembered once it has been committed.
struct Written: Sendable {
    /// Targets that are no longer probed.
    var gone: [TargetIdentity] = []
    /// A digest each; nil for a list that is forgotten.
    var lists: [String: Int?] = [:]
    /// Results of targets past all ids.
    var refused = 0
}

extension WriterMemory {
    mutating func persist(_ written: Written, limit: Int) {
        held = Batch(limit: limit)
        // A target that is gone shouldn't be remembered for ever; if it comes back, its id is looked up.
        for target in written.gone { dimensions.forget(target, openChunk: chunk?.id) }
        for (client, digest) in written.lists { lists[client] = digest }
    }
}

extension Batch {
    /// Writes everything inside the caller's transaction. Lists first, so that the targets of new results have their names.
    func write(_ db: Database, _ memory: inout WriterMemory, chunkLength: Duration) throws -> Written {
        var written = Written()
        for target in departed.values { try PersistedLists.name(db, target) }
        for client in forgottenClients {
            try PersistedLists.forget(db, client: client)
            written.lists[client] = .some(nil)
        }
        for (client, list) in lists {
            let digest = list.hashValue
            guard memory.lists[client] != digest else { continue }
            try PersistedLists.write(db, list, client: client)
            written.lists[client] = .some(digest)
        }
        written.refused = try writeRows(db, &memory, chunkLength: chunkLength)
        for transition in transitions { try write(transition, db, &memory.dimensions) }
        for incident in closedIncidents { try JudgeStates.write(db, incident, &memory.dimensions) }
        for (target, change) in judges {
            try JudgeStates.write(db, target, change, &memory.dimensions)
            if change.judge == nil { written.gone.append(target) }
        }
        for (id, text) in documents {
            let key: [Cell] = [.text(id.kind), .text(id.key)]
            if let text {
                try db.run("INSERT OR REPLACE INTO alerting VALUES (?, ?, ?)", key + [.text(text())])
            } else {
                try db.run("DELETE FROM alerting WHERE kind = ? AND key = ?", key)
            }
        }
        return written
    }

    /// Answers how many results were refused.
    private func writeRows(_ db: Database, _ memory: inout WriterMemory, chunkLength: Duration) throws -> Int {
        let rows = Array(rows)
        // Not the last one's: that may have hung for an hour.
        guard let newest = rows.map(\.startedAt).max() else { return 0 }
        var chunk = try memory.chunk ?? OpenChunk(db, base: newest)
        if !chunk.takes(newest, length: chunkLength) { chunk = try OpenChunk(db, base: newest) }
        var order: [(target: Int64, slot: Int, index: Int)] = []
        order.reserveCapacity(rows.count)
        for index in rows.indices {
            let slot = try memory.dimensions.slot(of: rows[index].target, db)
            let target = memory.dimensions.target(slot)
            if target < ResultID.targetMax { order.append((target, slot, index)) }
        }
        // By target, so that one target's are found by a search in each commit. What came first stays first.
        order.sort { ($0.target, $0.index) < ($1.target, $1.index) }
        let insert = try Prepared(db, "INSERT INTO recent VALUES (?,?,?,?,?,?,?,?,?,?,?)")
        for (target, slot, index) in order {
            var ordinal = memory.dimensions.ordinal(slot, in: chunk.id)
            if ordinal >= ResultID.ordinalsMax {
                chunk = try OpenChunk(db, base: newest)
                ordinal = memory.dimensions.ordinal(slot, in: chunk.id)
            }
            insert.bind(ResultID.make(chunk: chunk.commit, target: target, ordinal: ordinal), at: 1)
            let values = ResultValues(
                rows[index], offset: rows[index].startedAt.milliseconds - chunk.base.milliseconds,
                kind: try memory.dimensions.kind(of: rows[index], db),
                address: try memory.dimensions.address(rows[index].address, slot, db))
            values.bind(to: insert, from: 2)
            try insert.run()
        }
        chunk.endCommit()
        memory.chunk = chunk
        return rows.count - order.count
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
