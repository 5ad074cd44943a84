internal import GRDB
package import Health

/// Which incidents a reader wants, newest first.
package struct IncidentFilter: Hashable, Sendable {
    package enum State: Hashable, Sendable { case open, over }

    package var target: TargetIdentity?
    package var state: State?
    package var region: String?
    package var reason: Reason?
    /// Stands anywhere in the name or the id of the target, or in its base URL up to the query, whatever the case of its ASCII letters.
    package var text = ""
    /// Those that went on at some time of it.
    package var during: Range<Timestamp>?
    /// Those that went on at this time, or began later.
    package var after: Timestamp?
    /// The last of the page before, by ``IncidentRow/id``.
    package var before: Int64?
    package var limit = 100

    package init() {}

    /// The condition as SQL, and what its `?` stand for.
    var condition: (sql: String, cells: [Cell]) {
        var (parts, cells): ([String], [Cell]) = ([], [])
        func add(_ sql: String, _ values: Cell...) {
            parts.append(sql)
            cells += values
        }
        if let target { add("t.client_id = ? AND t.target_id = ?", .text(target.clientID), .text(target.key)) }
        switch state {
        case .open: add("i.ended_at_ms IS NULL")
        case .over: add("i.ended_at_ms IS NOT NULL")
        case nil: break
        }
        if let region { add("t.region = ?", .text(region)) }
        if let reason { add("ib.name = ?", .text(reason.rawValue)) }
        if !text.isEmpty {
            // A query may keep a secret, which nobody may find letter by letter.
            let host = "substr(t.base_url, 1, instr(t.base_url || '?', '?') - 1)"
            let places = ["t.name", "t.target_id", host].map { "instr(lower(\($0)), lower(?)) > 0" }
            add("(" + places.joined(separator: " OR ") + ")", .text(text), .text(text), .text(text))
        }
        if let during {
            add("i.started_at_ms < ?", Cell(during.upperBound))
            add("(i.ended_at_ms IS NULL OR i.ended_at_ms >= ?)", Cell(during.lowerBound))
        }
        if let after { add("(i.ended_at_ms IS NULL OR i.ended_at_ms >= ?)", Cell(after)) }
        if let before { add("i.id < ?", .integer(before)) }
        let sql = parts.isEmpty ? "" : "WHERE " + parts.joined(separator: " AND ")
        return ("\(sql) ORDER BY i.id DESC LIMIT ?", cells + [Cell(limit)])
    }
}

/// An incident beside another, with what the two may have in common.
package struct RelatedIncident: Hashable, Sendable {
    package var row: IncidentRow
    package var url: String
    /// That the first bad probe went to.
    package var address: String?
    /// SHA-256 of the certificate that the server presented then, in hexadecimal digits.
    package var fingerprint: String?

    /// - Parameter limit: of the incidents that began in the span, so many that began first.
    static func begun(_ db: Database, in span: ClosedRange<Timestamp>, limit: Int) throws -> [RelatedIncident] {
        var found: [RelatedIncident] = []
        try db.run(
            """
            SELECT i.id, t.client_id, t.target_id, t.name, t.region, v.name, \(JudgeStates.incidentColumns),
                t.base_url || t.test_path, e.address, e.certificates ->> '$[0].fingerprint'
            FROM incident i JOIN target t ON t.id = i.target JOIN vantage v ON v.id = i.vantage
            LEFT JOIN reason ib ON ib.id = i.reason LEFT JOIN evidence e ON e.incident = i.id AND e.kind = 'first_bad'
            WHERE i.started_at_ms BETWEEN ? AND ? ORDER BY i.started_at_ms, i.id LIMIT ?
            """, [Cell(span.lowerBound), Cell(span.upperBound), Cell(limit)]
        ) { row in
            guard let incident = IncidentRow(row) else { return true }
            found.append(
                RelatedIncident(
                    row: incident, url: row.text(13) ?? "", address: row.text(14),
                    fingerprint: row.text(15).flatMap { $0.isEmpty ? nil : $0 }))
            return true
        }
        return found
    }
}
