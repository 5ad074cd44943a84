internal import GRDB
internal import Health

/// The judge's state of every target, and the incidents. An open incident is kept once, in `incident`; the judge's row refers to it.
enum JudgeStates {
    static func write(
        _ db: Database, _ target: TargetIdentity, _ change: Batch.JudgeChange, _ dimensions: inout Dimensions
    ) throws {
        let id = try dimensions.target(target, db)
        if change.startsAnew { try db.run("DELETE FROM judge WHERE target = ?", [.integer(id)]) }
        guard let judge = change.judge else { return }
        if let incident = judge.incident { try write(db, incident, &dimensions) }
        try db.run(
            """
            INSERT INTO judge VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (target) DO UPDATE SET status = excluded.status, since_ms = coalesce(excluded.since_ms, since_ms),
                cause = excluded.cause, has_been_up = excluded.has_been_up, bad = excluded.bad, not_good = excluded.not_good,
                good = excluded.good, answered = excluded.answered, bad_since_ms = excluded.bad_since_ms,
                answered_since_ms = excluded.answered_since_ms, incident_started_at_ms = excluded.incident_started_at_ms,
                last_counted_at_ms = excluded.last_counted_at_ms, unprobeable = excluded.unprobeable,
                flapping = excluded.flapping
            """,
            [
                .integer(id), Cell(judge.status.code), Cell(change.since), dimensions.cell(judge.cause), Cell(judge.hasBeenUp),
                Cell(judge.streaks.bad), Cell(judge.streaks.notGood), Cell(judge.streaks.good), Cell(judge.streaks.answered),
                Cell(judge.streaks.badSince), Cell(judge.streaks.answeredSince), Cell(judge.incident?.startedAt),
                Cell(judge.lastCountedAt), Cell(judge.isUnprobeable), .integer(Int64(judge.flapping.code)),
            ])
    }

    static func write(_ db: Database, _ incident: Incident, _ dimensions: inout Dimensions) throws {
        try db.run(
            """
            INSERT INTO incident (target, vantage, started_at_ms, confirmed_at_ms, ended_at_ms, reason, http_status,
                failed_probes, closed_as, uuid, changed_at_ms)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, coalesce(?5, ?4))
            ON CONFLICT (target, started_at_ms) DO UPDATE SET confirmed_at_ms = excluded.confirmed_at_ms,
                ended_at_ms = excluded.ended_at_ms, reason = excluded.reason, http_status = excluded.http_status,
                failed_probes = excluded.failed_probes, closed_as = excluded.closed_as,
                changed_at_ms = CASE WHEN (ended_at_ms, closed_as, reason) IS (excluded.ended_at_ms, excluded.closed_as,
                    excluded.reason) THEN changed_at_ms ELSE excluded.changed_at_ms END
            """,
            [
                .integer(try dimensions.target(incident.target, db)), .integer(dimensions.vantage), Cell(incident.startedAt),
                Cell(incident.confirmedAt), Cell(incident.endedAt), dimensions.cell(incident.reason),
                Cell(incident.httpStatus), Cell(incident.failedProbes), Cell(incident.closedAs?.rawValue),
                .text(randomUUID()),
            ])
    }

    static func since(_ db: Database) throws -> [TargetIdentity: Timestamp] {
        var since: [TargetIdentity: Timestamp] = [:]
        try db.run(
            "SELECT t.client_id, t.target_id, j.since_ms FROM judge j JOIN target t ON t.id = j.target WHERE j.since_ms IS NOT NULL"
        ) { row in
            since[TargetIdentity(clientID: row.text(0) ?? "", key: row.text(1) ?? "")] = row.timestamp(2)
            return true
        }
        return since
    }

    static func all(_ db: Database) throws -> [TargetIdentity: Judge] {
        var judges: [TargetIdentity: Judge] = [:]
        try db.run(
            """
            SELECT t.client_id, t.target_id, j.status, c.name, j.has_been_up, j.bad, j.not_good, j.good, j.answered,
                j.bad_since_ms, j.answered_since_ms, j.last_counted_at_ms, j.unprobeable, j.flapping, \(incidentColumns)
            FROM judge j JOIN target t ON t.id = j.target LEFT JOIN cause c ON c.id = j.cause \(joinOpenIncident)
            """
        ) { row in
            let target = TargetIdentity(clientID: row.text(0) ?? "", key: row.text(1) ?? "")
            let streaks = Streaks(
                bad: row.count(5), notGood: row.count(6), good: row.count(7), answered: row.count(8), badSince: row.timestamp(9),
                answeredSince: row.timestamp(10))
            judges[target] = Judge(
                status: Status(code: row.count(2)) ?? .unknown, cause: row.text(3).flatMap { Cause(rawValue: $0) },
                hasBeenUp: row.bool(4), streaks: streaks,
                flapping: Flapping(code: UInt32(truncatingIfNeeded: row.number(13))),
                incident: incident(row, of: target, from: 14),
                lastCountedAt: row.timestamp(11), isUnprobeable: row.bool(12))
            return true
        }
        return judges
    }

    /// The columns that ``incident(_:of:from:)`` reads, and the join that finds a judge's open incident.
    static let incidentColumns =
        "i.started_at_ms, i.confirmed_at_ms, i.ended_at_ms, ib.name, i.http_status, i.failed_probes, i.closed_as"
    static let joinOpenIncident = """
        LEFT JOIN incident i ON i.target = j.target AND i.started_at_ms = j.incident_started_at_ms
        LEFT JOIN reason ib ON ib.id = i.reason
        """

    /// nil when the join found none.
    static func incident(_ row: CellReader, of target: TargetIdentity, from column: Int32) -> Incident? {
        guard let startedAt = row.timestamp(column), let confirmedAt = row.timestamp(column + 1) else { return nil }
        return Incident(
            target: target, startedAt: startedAt, confirmedAt: confirmedAt, endedAt: row.timestamp(column + 2),
            reason: row.text(column + 3).flatMap { Reason(rawValue: $0) } ?? .statusUnexpected,
            httpStatus: row.int(column + 4), failedProbes: row.count(column + 5),
            closedAs: row.text(column + 6).flatMap { Incident.Closing(rawValue: $0) })
    }
}

/// Version 4 of RFC 9562, in its canonical form.
private func randomUUID() -> String {
    // Two numbers, because each asks the system.
    let numbers = [UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max)]
    var bytes = numbers.flatMap { number in (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
    bytes[6] = bytes[6] & 0x0f | 0x40
    bytes[8] = bytes[8] & 0x3f | 0x80
    let digits = Array(Hex.text(bytes))
    return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }.joined(separator: "-")
}
