internal import GRDB
package import Health

/// A target's last result, void ones included.
package struct LastProbe: Hashable, Sendable {
    package var startedAt: Timestamp
    package var outcome: Outcome
    package var isVoid: Bool
    package var duration: Duration
    package var httpStatus: Int?
}

/// The state that the daemon believes one target is in.
package struct TargetStatusRow: Hashable, Sendable {
    package var target: Target
    package var status: Status
    /// When the status became what it is; nil before the first change.
    package var since: Timestamp?
    /// Why it is `degraded`.
    package var cause: Cause?
    package var isUnprobeable: Bool
    /// nil before the first.
    package var lastProbe: LastProbe?
    package var consecutiveFailures: Int
    /// The open one.
    package var incident: Incident?

    static func all(_ db: Database, lastProbes: [Int64: LastProbe]) throws -> [TargetStatusRow] {
        var rows: [TargetStatusRow] = []
        try db.run(
            """
            SELECT t.id, t.client_id, t.target_id, t.name, t.region, t.base_url, t.test_path, t.rule_effect,
                coalesce(j.status, 0), j.since_ms, c.name, coalesce(j.unprobeable, 0), coalesce(j.bad, 0),
                t.probe, \(JudgeStates.incidentColumns)
            FROM target t LEFT JOIN judge j ON j.target = t.id LEFT JOIN cause c ON c.id = j.cause \(JudgeStates.joinOpenIncident)
            WHERE t.listed = 1 ORDER BY t.name, t.client_id, t.target_id
            """
        ) { row in
            let identity = TargetIdentity(clientID: row.text(1) ?? "", key: row.text(2) ?? "")
            var target = Target(
                identity: identity, name: row.text(3) ?? "", baseURL: row.text(5) ?? "", testPath: row.text(6) ?? "",
                region: row.text(4) ?? "", ruleEffect: row.text(7).map(Target.RuleEffect.init(rawValue:)) ?? .allow)
            target.probe = row.text(13)
            rows.append(
                TargetStatusRow(
                    target: target, status: Status(code: row.count(8)) ?? .unknown, since: row.timestamp(9),
                    cause: row.text(10).flatMap { Cause(rawValue: $0) }, isUnprobeable: row.bool(11),
                    lastProbe: row.integer(0).flatMap { lastProbes[$0] }, consecutiveFailures: row.count(12),
                    incident: JudgeStates.incident(row, of: identity, from: 14)))
            return true
        }
        return rows
    }
}

/// The last result of every listed target. Results that have not been moved are read first, from the newest: in a running daemon all
/// targets have one there. The last moved result of each target is in a table of its own.
enum LastProbes {
    static func read(_ db: Database) throws -> [Int64: LastProbe] {
        var missing: Set<Int64> = []
        // A target without a judge's state has had no result.
        try db.run("SELECT id FROM target WHERE listed = 1 AND id IN (SELECT target FROM judge)") { row in
            if let id = row.integer(0) { missing.insert(id) }
            return true
        }
        var probes: [Int64: LastProbe] = [:]
        guard !missing.isEmpty else { return probes }
        let counting = try Counting(db)
        func note(_ target: Int64, _ startedAt: Int64, _ kind: Int64, _ duration: Int64) {
            guard missing.remove(target) != nil, let kind = counting.kinds[kind] else { return }
            probes[target] = LastProbe(
                startedAt: Timestamp(milliseconds: startedAt), outcome: counting.words.outcome(kind), isVoid: !kind.isCounted,
                duration: .microseconds(duration), httpStatus: kind.httpStatus.map { Int($0) })
        }
        for chunk in try StoredChunk.toMove(db).reversed() where !missing.isEmpty {
            try db.run(
                "SELECT id, \(ResultValues.columns) FROM recent WHERE id >= ? AND id < ? ORDER BY id DESC",
                [
                    .integer(ResultID.make(chunk: chunk.firstCommit, target: 0)),
                    .integer(chunk.endCommit.map { ResultID.make(chunk: $0, target: 0) } ?? .max),
                ]
            ) { row in
                let values = ResultValues(row, from: 1)
                note(ResultID.target(row.id(0)), chunk.base + values.offset, values.kind, values.duration)
                return !missing.isEmpty
            }
        }
        try db.run("SELECT target, last_ms, last_kind, last_us FROM standing") { row in
            note(row.integer(0) ?? 0, row.integer(1) ?? 0, row.integer(2) ?? 0, row.integer(3) ?? 0)
            return !missing.isEmpty
        }
        return probes
    }
}

/// One outage, with the names of its target at the time of reading.
package struct IncidentRow: Hashable, Sendable {
    package var id: Int64
    package var name: String
    package var region: String
    package var vantage: String
    package var incident: Incident

    static func one(_ db: Database, id: Int64) throws -> IncidentRow? { try all(db, "WHERE i.id = ?", [.integer(id)]).first }

    static func all(_ db: Database, _ filter: IncidentFilter) throws -> [IncidentRow] {
        let (condition, cells) = filter.condition
        return try all(db, condition, cells)
    }

    private static func all(_ db: Database, _ condition: String, _ cells: [Cell]) throws -> [IncidentRow] {
        var rows: [IncidentRow] = []
        try db.run(
            """
            SELECT i.id, t.client_id, t.target_id, t.name, t.region, v.name, \(JudgeStates.incidentColumns)
            FROM incident i JOIN target t ON t.id = i.target JOIN vantage v ON v.id = i.vantage
            LEFT JOIN reason ib ON ib.id = i.reason \(condition)
            """, cells
        ) { row in
            if let incident = IncidentRow(row) { rows.append(incident) }
            return true
        }
        return rows
    }

    /// Reads the columns above, which the row begins with.
    init?(_ row: CellReader) {
        let identity = TargetIdentity(clientID: row.text(1) ?? "", key: row.text(2) ?? "")
        guard let id = row.integer(0), let incident = JudgeStates.incident(row, of: identity, from: 6) else { return nil }
        (self.id, self.incident) = (id, incident)
        (name, region, vantage) = (row.text(3) ?? "", row.text(4) ?? "", row.text(5) ?? "")
    }
}
