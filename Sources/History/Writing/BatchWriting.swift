internal import DequeModule
internal import GRDB
internal import Health

extension Batch {
    /// Writes everything inside the caller's transaction. Lists first, so that the targets of new results have their names.
    func write(_ db: Database, _ cache: inout RowCache, chunkLength: Duration) throws -> Written {
        var written = Written()
        for target in departed.values { try PersistedLists.name(db, target) }
        for client in forgottenClients {
            try PersistedLists.forget(db, client: client)
            written.lists[client] = .some(nil)
        }
        for (client, list) in lists {
            let digest = list.hashValue
            guard cache.lists[client] != digest else { continue }
            try PersistedLists.write(db, list, client: client)
            written.lists[client] = .some(digest)
        }
        written.refused = try writeRows(db, &cache, chunkLength: chunkLength)
        for transition in transitions { try write(transition, db, &cache.dimensions) }
        for incident in closedIncidents { try JudgeStates.write(db, incident, &cache.dimensions) }
        for (target, change) in judges {
            try JudgeStates.write(db, target, change, &cache.dimensions)
            if change.judge == nil { written.gone.append(target) }
        }
        // By now each incident has its row.
        for note in incidentNotes { try EvidenceRows.write(db, note) }
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

    /// Returns how many results were refused.
    private func writeRows(_ db: Database, _ cache: inout RowCache, chunkLength: Duration) throws -> Int {
        let rows = Array(rows)
        // Not the time of the last result: its probe may have hung for an hour.
        guard let newest = rows.map(\.startedAt).max() else { return 0 }
        var chunk = try cache.chunk ?? OpenChunk(db, base: newest)
        if !chunk.accepts(newest, length: chunkLength) { chunk = try OpenChunk(db, base: newest) }
        var order: [(target: Int64, slot: Int, index: Int)] = []
        order.reserveCapacity(rows.count)
        for index in rows.indices {
            let slot = try cache.dimensions.slot(of: rows[index].target, db)
            let target = cache.dimensions.target(slot)
            if target < ResultID.targetMax { order.append((target, slot, index)) }
        }
        // By target, so that the results of one target are found by one search in each commit. The first result stays first.
        order.sort { ($0.target, $0.index) < ($1.target, $1.index) }
        let insert = try Prepared(db, "INSERT INTO recent VALUES (?,?,?,?,?,?,?,?,?,?,?)")
        for (target, slot, index) in order {
            var ordinal = cache.dimensions.ordinal(slot, in: chunk.id)
            if ordinal >= ResultID.ordinalsMax {
                chunk = try OpenChunk(db, base: newest)
                ordinal = cache.dimensions.ordinal(slot, in: chunk.id)
            }
            insert.bind(ResultID.make(chunk: chunk.commit, target: target, ordinal: ordinal), at: 1)
            let values = ResultValues(
                rows[index], offset: rows[index].startedAt.milliseconds - chunk.base.milliseconds,
                kind: try cache.dimensions.kind(of: rows[index], db),
                address: try cache.dimensions.address(rows[index].address, slot, db))
            values.bind(to: insert, from: 2)
            try insert.run()
        }
        chunk.endCommit()
        cache.chunk = chunk
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
