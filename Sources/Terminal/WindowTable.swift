package import Health

/// One maintenance window in the table of `maintenance list`.
package struct WindowLine: Hashable, Sendable {
    package var id: Int
    package var match: String
    package var from: Timestamp
    package var to: Timestamp
    package var note: String

    package init(id: Int, match: String, from: Timestamp, to: Timestamp, note: String) {
        (self.id, self.match, self.from, self.to, self.note) = (id, match, from, to, note)
    }
}

/// Windows in the order given.
package func windowTable(_ lines: [WindowLine], style: TerminalStyle) -> String {
    guard !lines.isEmpty else { return "No window is open.\n" }
    let columns = [
        Table.Column("Id", alignment: .right), Table.Column("Match", minimum: 16), Table.Column("Began"), Table.Column("Ends"),
        Table.Column("Note", minimum: 8, leaves: 1),
    ]
    let rows = lines.map { line in
        [
            Table.Cell("\(line.id)"), Table.Cell(line.match), Table.Cell(momentWords(line.from, upTo: .minute)),
            Table.Cell(momentWords(line.to, upTo: .minute)), Table.Cell(line.note),
        ]
    }
    return Table(columns: columns, rows: rows).text(style)
}
