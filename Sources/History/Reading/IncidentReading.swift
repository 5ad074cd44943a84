internal import GRDB
package import Health

/// One outage, with all that is kept of it.
package struct IncidentDetail: Hashable, Sendable {
    package var row: IncidentRow
    /// The name of the incident in the feed; nil of one whose row is older than the column.
    package var uuid: String?
    /// How often the target was probed when the incident was confirmed, and how long its detection could take; nil where that isn't known.
    package var interval: Duration?
    package var bound: Duration?
    /// When the first alert of it was sent.
    package var alertedAt: Timestamp?
    package var changedAt: Timestamp?
    package var evidence: [Evidence.Kind: Evidence]
    package var notes: [NoteRow] = []

    /// nil when there is no such incident.
    static func read(_ db: Database, id: Int64) throws -> IncidentDetail? {
        guard let row = try IncidentRow.one(db, id: id) else { return nil }
        var detail = try read(db, row)
        detail.evidence = try EvidenceRows.read(db, of: id)
        detail.notes = try NoteRow.read(db, of: id)
        return detail
    }

    /// Without its evidence.
    static func read(_ db: Database, _ row: IncidentRow) throws -> IncidentDetail {
        var detail = IncidentDetail(row: row, evidence: [:])
        try db.run(
            "SELECT uuid, interval_ms, bound_ms, alerted_at_ms, changed_at_ms FROM incident WHERE id = ?", [.integer(row.id)]
        ) {
            detail.uuid = $0.text(0)
            detail.interval = $0.integer(1).map { .milliseconds($0) }
            detail.bound = $0.integer(2).map { .milliseconds($0) }
            (detail.alertedAt, detail.changedAt) = ($0.timestamp(3), $0.timestamp(4))
            return false
        }
        return detail
    }
}
