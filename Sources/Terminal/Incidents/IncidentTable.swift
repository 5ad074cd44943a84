package import Health

/// One outage in the table of `incidents`.
package struct IncidentLine: Hashable, Sendable {
    package var target: String
    package var region: String
    package var incident: Incident

    package init(target: String, region: String, incident: Incident) {
        (self.target, self.region, self.incident) = (target, region, incident)
    }
}

/// Outages in the order given; those that are open say so.
package func incidentTable(_ lines: [IncidentLine], now: Timestamp, style: TerminalStyle) -> String {
    guard !lines.isEmpty else { return "No incidents.\n" }
    let columns = [
        Table.Column("Target", minimum: 16), Table.Column("Region", minimum: 6, leaves: 2), Table.Column("Began", leaves: 4),
        Table.Column("Lasted", alignment: .right, leaves: 3), Table.Column("Probes", alignment: .right, leaves: 1),
        Table.Column("Ended"), .why,
    ]
    let rows = lines.map { line -> [Table.Cell] in
        let incident = line.incident
        let lasted = max(.zero, (incident.endedAt ?? now) - incident.startedAt)
        let ended: Table.Cell =
            switch incident.closedAs {
            case .recovered: Table.Cell("recovered", colour: .green)
            case .removed: "removed"
            case nil: Table.Cell("open", colour: .red)
            }
        let why = [incident.reason.rawValue, incident.httpStatus.map { "HTTP \($0)" }].compactMap(\.self).joined(separator: ": ")
        return [
            Table.Cell(line.target), Table.Cell(line.region), Table.Cell(momentWords(incident.startedAt, upTo: .second)),
            Table.Cell(durationWords(lasted, isUnicode: style.isUnicode)), Table.Cell("\(incident.failedProbes)"), ended,
            Table.Cell(why),
        ]
    }
    return Table(columns: columns, rows: rows).text(style)
}
