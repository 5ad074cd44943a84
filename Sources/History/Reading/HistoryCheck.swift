internal import GRDB

/// The result of checking a whole database.
package struct HistoryCheck: Hashable, Sendable {
    /// In SQLite's words or ours; at most 100. Empty: all is well.
    package var problems: [String] = []
    package var results = 0
    package var incidents = 0
    /// SQLite itself finds the file damaged: the daemon would set it aside.
    package var isDamaged = false
}

extension HistoryCheck {
    /// Reads everything once.
    init(_ db: Database) throws {
        try db.run("PRAGMA integrity_check(100)") { row in
            if let text = row.text(0), text != "ok" { problems.append(text) }
            return true
        }
        isDamaged = !problems.isEmpty
        guard !isDamaged else { return }
        results = Int(try db.integer("SELECT count(*) FROM probe_history") ?? 0)
        incidents = Int(try db.integer("SELECT count(*) FROM incident_history") ?? 0)
        for (problem, query) in Self.rules {
            do {
                let count = try db.integer(query) ?? 0
                if count > 0 { problems.append("\(count) \(problem)") }
            } catch let error as DatabaseError where error.resultCode == .SQLITE_ERROR {
                // Numbers that are too large to be added up.
                problems.append("\(problem): \(error.message ?? "they can't be counted")")
            }
        }
    }

    private static let addedHours = "(SELECT value FROM progress WHERE name = 'minutes_in_hours')"
    private static let addedDays = "(SELECT \(PeriodID.periodSQL("value")) / 4 FROM progress WHERE name = 'hours_in_days')"
    /// Two days of hours and eight days are checked. All of them would be too many to sort, and the oldest may be just being deleted.
    private static let recentHours = """
        max(\(PeriodID.periodSQL(addedHours)) - 48,
            (SELECT coalesce(max_ms, 0) / \(Counting.hour) FROM chunk ORDER BY id LIMIT 1))
        """
    private static let recentDays = "max(\(addedDays) - 8, (SELECT \(PeriodID.periodSQL("min(id)")) / 24 FROM hour))"
    /// Where the ids of a chunk's results in `recent` end.
    private static func endOfCommits(_ column: String) -> String { "coalesce(\(ResultID.firstSQL(column)), \(Int64.max))" }

    /// Conditions that hold in every history at every moment: the number of rows that break each.
    private static let rules = [
        ("results of a kind that isn't known", "SELECT count(*) FROM settled WHERE kind NOT IN (SELECT id FROM kind)"),
        (
            "results in a chunk that isn't known",
            """
            SELECT count(*) FROM settled WHERE id < (SELECT \(ResultID.firstSQL("min(id)")) FROM chunk)
                OR \(ResultID.chunkSQL("id")) > (SELECT max(id) FROM chunk)
            """
        ),
        (
            "results of a commit that no chunk has",
            """
            SELECT count(*) FROM recent WHERE id < (SELECT \(ResultID.firstSQL("min(first_commit)")) FROM chunk)
                OR id >= (SELECT \(endOfCommits("end_commit")) FROM chunk ORDER BY id DESC LIMIT 1)
            """
        ),
        (
            "results with the place of another",
            """
            SELECT count(*) FROM (SELECT 1 FROM chunk c CROSS JOIN recent r ON r.id >= \(ResultID.firstSQL("c.first_commit"))
                AND r.id < \(endOfCommits("c.end_commit")) WHERE c.\(Chunk.isToMove)
                GROUP BY c.id, \(ResultID.inChunkSQL("r.id")) HAVING count(*) > 1)
            """
        ),
        (
            "results moved further than their chunk says",
            """
            SELECT count(*) FROM chunk c JOIN settled s ON s.id > \(ResultID.lastSQL("c.id", target: "c.moved"))
                AND s.id < \(ResultID.firstSQL("(c.id + 1)")) WHERE c.\(Chunk.isToMove)
            """
        ),
        (
            "hours whose reasons aren't as many as their failures",
            "SELECT count(*) FROM hour h WHERE failures <> coalesce((SELECT sum(value) FROM json_each(h.reasons)), 0)"
        ),
        (
            "hours that have other counts than their minutes",
            """
            SELECT count(*) FROM (
                SELECT (c.base_ms / \(Counting.minute) + m.minute) / 60 AS hour, \(ResultID.targetSQL("m.id")) AS target,
                    sum(m.probes) AS probes, sum(m.failures) AS failures, sum(m.voids) AS voids, sum(m.sum_us) AS sum_us
                FROM chunk c CROSS JOIN minute m ON m.id >= \(ResultID.firstSQL("c.id")) AND m.id < \(ResultID.firstSQL("(c.id + 1)"))
                WHERE c.max_ms >= \(recentHours) * \(Counting.hour) GROUP BY 1, 2
            ) s LEFT JOIN hour h ON h.id = \(PeriodID.makeSQL("s.hour", target: "s.target"))
            WHERE s.hour > \(recentHours) AND \(PeriodID.makeSQL("s.hour", target: "s.target")) <= \(addedHours)
                AND (s.probes, s.failures, s.voids, s.sum_us) IS NOT (h.probes, h.failures, h.voids, h.sum_us)
            """
        ),
        (
            "days that have other counts than their hours",
            """
            SELECT count(*) FROM (
                SELECT \(PeriodID.periodSQL("id")) / 24 AS day, \(PeriodID.targetSQL("id")) AS target, sum(probes) AS probes,
                    sum(failures) AS failures, sum(voids) AS voids, sum(sum_us) AS sum_us, sum(up_ms) AS up,
                    sum(degraded_ms) AS degraded, sum(down_ms) AS down
                FROM hour WHERE id >= \(PeriodID.firstSQL("(\(recentDays) + 1) * 24")) AND id < \(PeriodID.firstSQL("\(addedDays) * 24"))
                GROUP BY 1, 2
            ) s LEFT JOIN day d ON d.id = \(PeriodID.makeSQL("s.day", target: "s.target"))
            WHERE (s.probes, s.failures, s.voids, s.sum_us, s.up, s.degraded, s.down)
                IS NOT (d.probes, d.failures, d.voids, d.sum_us, d.up_ms, d.degraded_ms, d.down_ms)
            """
        ),
        (
            "targets whose time in a state is in no hour",
            """
            SELECT count(*) FROM standing WHERE up_ms + degraded_ms + down_ms + maintenance_ms > 0
                AND \(PeriodID.makeSQL("hour", target: "target")) <= \(addedHours)
            """
        ),
        ("incidents that ended before they began", "SELECT count(*) FROM incident WHERE ended_at_ms < started_at_ms"),
    ]
}
