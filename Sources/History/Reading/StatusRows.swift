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

/// What the daemon believes of one target.
package struct TargetStatusRow: Hashable, Sendable {
    package var target: Target
    package var status: Status
    /// When the status became what it is; nil before the first change.
    package var since: Timestamp?
    /// Why it is `degraded`.
    package var cause: Cause?
    package var isUnprobeable: Bool
    /// nil when there was none among the newest ``LastProbes/rowLimit`` results.
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
                \(JudgeStates.incidentColumns)
            FROM target t LEFT JOIN judge j ON j.target = t.id LEFT JOIN cause c ON c.id = j.cause \(JudgeStates.joinOpenIncident)
            WHERE t.listed = 1 ORDER BY t.name, t.client_id, t.target_id
            """
        ) { row in
            let identity = TargetIdentity(clientID: row.text(1) ?? "", key: row.text(2) ?? "")
            let target = Target(
                identity: identity, name: row.text(3) ?? "", baseURL: row.text(5) ?? "", testPath: row.text(6) ?? "",
                region: row.text(4) ?? "", ruleEffect: row.text(7).flatMap { Target.RuleEffect(rawValue: $0) } ?? .allow)
            rows.append(
                TargetStatusRow(
                    target: target, status: Status(code: row.count(8)) ?? .unknown, since: row.timestamp(9),
                    cause: row.text(10).flatMap { Cause(rawValue: $0) }, isUnprobeable: row.bool(11),
                    lastProbe: row.integer(0).flatMap { lastProbes[$0] }, consecutiveFailures: row.count(12),
                    incident: JudgeStates.incident(row, of: identity, from: 13)))
            return true
        }
        return rows
    }
}

/// The last result of every listed target, found by walking back from the newest row: results have no index by target, which would
/// triple what a row costs, and in a running daemon all targets are among the newest rows.
enum LastProbes {
    /// How far back the walk goes for targets that aren't probed: about a second's worth of reading.
    static let rowLimit = 1_000_000

    static func read(_ db: Database) throws -> [Int64: LastProbe] {
        var missing: Set<Int64> = []
        // Without a judge's state there has been no result to look for.
        try db.run("SELECT id FROM target WHERE listed = 1 AND id IN (SELECT target FROM judge)") { row in
            if let id = row.integer(0) { missing.insert(id) }
            return true
        }
        var probes: [Int64: LastProbe] = [:]
        guard !missing.isEmpty else { return probes }
        try db.run(
            """
            SELECT r.target, r.started_at_ms, r.void, b.name, c.name, r.duration_us, r.http_status
            FROM result r LEFT JOIN reason b ON b.id = r.reason LEFT JOIN cause c ON c.id = r.cause
            ORDER BY r.id DESC LIMIT \(rowLimit)
            """
        ) { row in
            guard let id = row.integer(0), missing.remove(id) != nil else { return true }
            let reason = row.text(3).flatMap { Reason(rawValue: $0) }
            let cause = row.text(4).flatMap { Cause(rawValue: $0) }
            probes[id] = LastProbe(
                startedAt: Timestamp(milliseconds: row.integer(1) ?? 0),
                outcome: reason.map { .bad($0) } ?? cause.map { .poor($0) } ?? .good, isVoid: row.bool(2),
                duration: .microseconds(row.integer(5) ?? 0), httpStatus: row.int(6))
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

    static func newest(_ db: Database, limit: Int) throws -> [IncidentRow] {
        var rows: [IncidentRow] = []
        try db.run(
            """
            SELECT i.id, t.client_id, t.target_id, t.name, t.region, v.name, \(JudgeStates.incidentColumns)
            FROM incident i JOIN target t ON t.id = i.target JOIN vantage v ON v.id = i.vantage
            LEFT JOIN reason ib ON ib.id = i.reason
            ORDER BY i.id DESC LIMIT ?
            """, [Cell(limit)]
        ) { row in
            let identity = TargetIdentity(clientID: row.text(1) ?? "", key: row.text(2) ?? "")
            guard let id = row.integer(0), let incident = JudgeStates.incident(row, of: identity, from: 6) else { return true }
            rows.append(
                IncidentRow(
                    id: id, name: row.text(3) ?? "", region: row.text(4) ?? "", vantage: row.text(5) ?? "", incident: incident))
            return true
        }
        return rows
    }
}
