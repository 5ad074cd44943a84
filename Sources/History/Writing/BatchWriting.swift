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
    func write(_ db: Database, _ memory: inout WriterMemory) throws -> Written {
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
        try writeRows(db, &memory.dimensions)
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

    private func writeRows(_ db: Database, _ dimensions: inout Dimensions) throws {
        guard !rows.isEmpty else { return }
        // Asked anew in every transaction: even a second writer can't make two rows of one id.
        var id = try db.integer("SELECT max(id) FROM result") ?? 0
        let insert = try Prepared(db, "INSERT INTO result VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")
        insert.bind(.integer(dimensions.vantage), at: 3)
        for row in rows {
            id += 1
            insert.bind(.integer(id), at: 1)
            insert.bind(.integer(try dimensions.target(row.target, db)), at: 2)
            insert.bind(Cell(row.startedAt), at: 4)
            insert.bind(.integer(row.void.code), at: 5)
            insert.bind(Cell(row.status.code), at: 6)
            insert.bind(dimensions.cell(row.outcome.reason), at: 7)
            insert.bind(dimensions.cell(row.outcome.cause), at: 8)
            insert.bind(Cell(row.httpStatus), at: 9)
            insert.bind(try dimensions.address(row.address, db), at: 10)
            insert.bind(Cell(row.duration), at: 11)
            insert.bind(Cell(row.phases.dns), at: 12)
            insert.bind(Cell(row.phases.connect), at: 13)
            insert.bind(Cell(row.phases.tls), at: 14)
            insert.bind(Cell(row.phases.processing), at: 15)
            insert.bind(Cell(row.phases.transfer), at: 16)
            insert.bind(Cell(row.lateness), at: 17)
            try insert.run()
        }
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

extension VoidCause? {
    fileprivate var code: Int64 {
        switch self {
        case nil: 0
        case .tainted?: 1
        case .cancelled?: 2
        case .proberFault?: 3
        }
    }
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
