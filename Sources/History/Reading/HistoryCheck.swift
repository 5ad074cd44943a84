internal import DatabaseFiles
internal import GRDB
internal import Glibc
internal import Health

/// What was found wrong with a database.
package struct HistoryCheck: Hashable, Sendable {
    /// In SQLite's words or ours; at most 100. Empty: all is well.
    package var problems: [String] = []
    package var results = 0
    package var incidents = 0
    /// SQLite itself finds the file damaged: the daemon would set it aside.
    package var isDamaged = false
}

/// What keeps a history well.
extension HistoryReader {
    /// Reads everything once. Of a large database that takes minutes, during which the WAL can't be folded in.
    package func check() throws(HistoryError) -> HistoryCheck {
        try read { db in
            var check = HistoryCheck()
            try db.run("PRAGMA integrity_check(100)") { row in
                if let text = row.text(0), text != "ok" { check.problems.append(text) }
                return true
            }
            check.isDamaged = !check.problems.isEmpty
            guard !check.isDamaged else { return check }
            check.results = Int(try db.integer("SELECT count(*) FROM probe_history") ?? 0)
            check.incidents = Int(try db.integer("SELECT count(*) FROM incident_history") ?? 0)
            for (problem, query) in Self.rules {
                do {
                    let count = try db.integer(query) ?? 0
                    if count > 0 { check.problems.append("\(count) \(problem)") }
                } catch let error as DatabaseError where error.resultCode == .SQLITE_ERROR {
                    // Numbers that are too large to be added up.
                    check.problems.append("\(problem): \(error.message ?? "they can't be counted")")
                }
            }
            return check
        }
    }

    /// Two days and eight: all that are kept would be too much to sort, and the oldest may be just being deleted.
    private static let recentHours = """
        max((SELECT (value >> 22) - 48 FROM progress WHERE name = 'minutes_in_hours'),
            (SELECT coalesce(max_ms, 0) / 3600000 FROM chunk ORDER BY id LIMIT 1))
        """
    private static let addedDays = "(SELECT (value >> 22) / 4 FROM progress WHERE name = 'hours_in_days')"
    private static let recentDays = "max(\(addedDays) - 8, (SELECT (min(id) >> 22) / 24 FROM hour))"

    /// What holds of every history, whenever it is looked at.
    private static let rules = [
        ("results of a kind that isn't known", "SELECT count(*) FROM settled WHERE kind NOT IN (SELECT id FROM kind)"),
        (
            "results in a chunk that isn't known",
            "SELECT count(*) FROM settled WHERE id < (SELECT min(id) << 32 FROM chunk) OR id >> 32 > (SELECT max(id) FROM chunk)"
        ),
        (
            "results of a commit that no chunk has",
            """
            SELECT count(*) FROM recent WHERE id < (SELECT min(first_commit) << 32 FROM chunk)
                OR id >= (SELECT coalesce(end_commit << 32, 9223372036854775807) FROM chunk ORDER BY id DESC LIMIT 1)
            """
        ),
        (
            "results with the place of another",
            """
            SELECT count(*) FROM (SELECT 1 FROM chunk c CROSS JOIN recent r ON r.id >= c.first_commit << 32
                AND r.id < coalesce(c.end_commit << 32, 9223372036854775807) WHERE c.moved < \(ResultID.targetMax)
                GROUP BY c.id, r.id & 4294967295 HAVING count(*) > 1)
            """
        ),
        (
            "results moved further than their chunk says",
            "SELECT count(*) FROM chunk c JOIN settled s ON s.id > ((c.id << 32) | (c.moved << 10) | 1023) AND s.id < ((c.id + 1) << 32) WHERE c.moved < \(ResultID.targetMax)"
        ),
        (
            "hours whose reasons aren't as many as their failures",
            "SELECT count(*) FROM hour h WHERE failures <> coalesce((SELECT sum(value) FROM json_each(h.reasons)), 0)"
        ),
        (
            "hours that have other counts than their minutes",
            """
            SELECT count(*) FROM (
                SELECT (c.base_ms / 60000 + m.minute) / 60 AS hour, m.id >> 10 & 4194303 AS target, sum(m.probes) AS probes,
                    sum(m.failures) AS failures, sum(m.voids) AS voids, sum(m.sum_us) AS sum_us
                FROM chunk c CROSS JOIN minute m ON m.id >= c.id << 32 AND m.id < (c.id + 1) << 32
                WHERE c.max_ms >= \(recentHours) * 3600000 GROUP BY 1, 2
            ) s LEFT JOIN hour h ON h.id = (s.hour << 22) | s.target
            WHERE s.hour > \(recentHours) AND (s.hour << 22 | s.target) <= (SELECT value FROM progress WHERE name = 'minutes_in_hours')
                AND (s.probes, s.failures, s.voids, s.sum_us) IS NOT (h.probes, h.failures, h.voids, h.sum_us)
            """
        ),
        (
            "days that have other counts than their hours",
            """
            SELECT count(*) FROM (
                SELECT (id >> 22) / 24 AS day, id & 4194303 AS target, sum(probes) AS probes, sum(failures) AS failures,
                    sum(voids) AS voids, sum(sum_us) AS sum_us, sum(up_ms) AS up, sum(degraded_ms) AS degraded, sum(down_ms) AS down
                FROM hour WHERE id >= (\(recentDays) + 1) * 24 << 22 AND id < \(addedDays) * 24 << 22 GROUP BY 1, 2
            ) s LEFT JOIN day d ON d.id = (s.day << 22) | s.target
            WHERE (s.probes, s.failures, s.voids, s.sum_us, s.up, s.degraded, s.down)
                IS NOT (d.probes, d.failures, d.voids, d.sum_us, d.up_ms, d.degraded_ms, d.down_ms)
            """
        ),
        (
            "targets whose time in a state is in no hour",
            """
            SELECT count(*) FROM standing WHERE up_ms + degraded_ms + down_ms + maintenance_ms > 0
                AND ((hour << 22) | target) <= (SELECT value FROM progress WHERE name = 'minutes_in_hours')
            """
        ),
        ("incidents that ended before they began", "SELECT count(*) FROM incident WHERE ended_at_ms < started_at_ms"),
    ]

    /// Writes all of it to a new file, as it is at this moment, while the daemon goes on (https://www.sqlite.org/backup.html). What is there
    /// when it can't be finished is removed.
    package func backUp(to path: String) throws(HistoryError) {
        guard access(path, F_OK) != 0 else { throw HistoryError(.exists, path: path) }
        let partial = "\(path).partial-\(getpid())"
        // No more people may read the copy than the original.
        var original = stat()
        let mode = stat(self.path, &original) == 0 ? original.st_mode & 0o777 : 0o600
        let descriptor = Glibc.open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else {
            throw HistoryError(.database(.cannotOpen), path: path, detail: String(cString: strerror(errno)))
        }
        close(descriptor)
        do {
            let copy = try DatabaseQueue(path: HistoryFile.sqlitePath(partial))
            // In one step: a writer that commits between two of them makes it begin anew.
            try backUp(to: copy)
            // One file that any tool opens, also where it may not write.
            try copy.writeWithoutTransaction { try $0.run("PRAGMA journal_mode = DELETE") }
            try copy.close()
            // Unlike a renaming, a link never takes another's place.
            guard link(partial, path) == 0 else {
                throw HistoryError(
                    errno == EEXIST ? .exists : .database(.cannotOpen), path: path, detail: String(cString: strerror(errno)))
            }
            unlink(partial)
            try syncFolder(of: path)
        } catch {
            for name in [partial, partial + "-wal", partial + "-shm", partial + "-journal"] { unlink(name) }
            throw HistoryError(error, path: path)
        }
    }

    /// A power failure could take the name of a new file away, whatever was made durable of its contents.
    private func syncFolder(of path: String) throws(HistoryError) {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // A folder that may be written to and not read can't be asked.
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        // EINVAL: of a file system that has no such thing.
        guard fsync(descriptor) != 0, errno != EINVAL else { return }
        throw HistoryError(.database(.inputOutput), path: path, detail: String(cString: strerror(errno)))
    }
}
