package import Health

/// What one target's judge would have said, beside what it said.
package struct ReplayRow: Hashable, Sendable {
    package var target: String
    package var region: String
    package var alerts: [Replay.Alert]
    package var changes: Int
    /// Outages that were confirmed, and changes of the status, in the same time.
    package var incidents: [Incident]
    package var changesThen: Int

    package init(
        target: String, region: String, alerts: [Replay.Alert], changes: Int, incidents: [Incident], changesThen: Int
    ) {
        (self.target, self.region, self.alerts, self.changes) = (target, region, alerts, changes)
        (self.incidents, self.changesThen) = (incidents, changesThen)
    }
}

/// Alert by alert, and what was. Targets with neither are left out, and counted.
package func replayTable(_ rows: [ReplayRow], style: TerminalStyle) -> String {
    let telling = rows.filter { !$0.alerts.isEmpty || !$0.incidents.isEmpty || $0.changes != $0.changesThen }
    let columns = [
        Table.Column("Target", minimum: 16), Table.Column("Alert", leaves: 3),
        Table.Column("Delay", alignment: .right, leaves: 2), Table.Column("Lasted", alignment: .right, leaves: 1),
        Table.Column("Was alerted", alignment: .right), .why,
    ]
    let cells = telling.flatMap { row in lines(row, style) }
    let (alerts, incidents) = (rows.reduce(0) { $0 + $1.alerts.count }, rows.reduce(0) { $0 + $1.incidents.count })
    let (changes, then) = (rows.reduce(0) { $0 + $1.changes }, rows.reduce(0) { $0 + $1.changesThen })
    let table = cells.isEmpty ? "" : Table(columns: columns, rows: cells).text(style)
    return table + "\(counted(rows.count, "target")): \(counted(alerts, "alert")) (\(were(incidents))), "
        + "\(counted(changes, "change")) of a status (\(were(then)))\n"
}

private func were(_ count: Int) -> String { "\(count == 1 ? "was" : "were") \(count)" }

private func lines(_ row: ReplayRow, _ style: TerminalStyle) -> [[Table.Cell]] {
    let words = { (duration: Duration) in durationWords(max(.zero, duration), isUnicode: style.isUnicode) }
    let then = { (incident: Incident?) in
        incident.map { "after \(words($0.confirmedAt - $0.startedAt))" } ?? "no"
    }
    var left = row.incidents
    var lines: [[Table.Cell]] = row.alerts.map { alert in
        let known = left.firstIndex {
            $0.startedAt < alert.ended ?? $0.startedAt + .milliseconds(1) && alert.began <= $0.endedAt ?? alert.began
        }
        let incident = known.map { left.remove(at: $0) }
        let delay = (alert.earliest - alert.began, alert.latest - alert.began)
        return [
            Table.Cell(row.target), Table.Cell(momentWords(alert.began, upTo: .second)),
            Table.Cell(delay.0 == delay.1 ? words(delay.1) : "\(words(delay.0)) to \(words(delay.1))"),
            Table.Cell(alert.ended.map { words($0 - alert.began) } ?? "-"), Table.Cell(then(incident)),
            Table.Cell(alert.reason.rawValue),
        ]
    }
    lines += left.map { incident in
        [
            Table.Cell(row.target), Table.Cell(momentWords(incident.startedAt, upTo: .second)),
            Table.Cell("no alert", colour: .yellow),
            Table.Cell(incident.endedAt.map { words($0 - incident.startedAt) } ?? "-"), Table.Cell(then(incident)),
            Table.Cell(incident.reason.rawValue),
        ]
    }
    return lines
}
