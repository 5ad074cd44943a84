internal import GRDB
package import Health

/// What somebody noted on an incident. Exact: made safe where it is shown.
package struct NoteRow: Hashable, Sendable {
    /// In Unicode scalars.
    package static let textMax = 2000
    /// So many notes an incident has at most.
    package static let countMax = 200

    package var at: Timestamp
    package var text: String
    /// Whether it may be shown to everybody.
    package var isPublic: Bool

    package init(at: Timestamp, text: String, isPublic: Bool) { (self.at, self.text, self.isPublic) = (at, text, isPublic) }

    static func write(_ db: Database, _ note: NoteRow, _ incident: Int64) throws {
        try db.run(
            """
            INSERT INTO note (incident, at_ms, text, public) SELECT ?1, ?2, ?3, ?4
            WHERE (SELECT count(*) FROM note WHERE incident = ?1) < ?5
            """, [.integer(incident), Cell(note.at), .text(note.text), Cell(note.isPublic), Cell(countMax)])
        try db.run(
            "UPDATE incident SET changed_at_ms = max(coalesce(changed_at_ms, 0), ?) WHERE id = ?",
            [Cell(note.at), .integer(incident)])
    }

    /// In the order in which they were written.
    static func read(_ db: Database, of incident: Int64) throws -> [NoteRow] {
        var notes: [NoteRow] = []
        try db.run("SELECT at_ms, text, public FROM note WHERE incident = ? ORDER BY id", [.integer(incident)]) { row in
            notes.append(
                NoteRow(at: row.timestamp(0) ?? Timestamp(milliseconds: 0), text: row.text(1) ?? "", isPublic: row.bool(2)))
            return true
        }
        return notes
    }
}
