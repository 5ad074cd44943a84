package import Health

/// One target in the table of `status` and `demo`.
package struct StatusRow: Hashable, Sendable {
    package var name: String
    package var region: String
    package var status: Status
    /// When it took this status; nil when that isn't known.
    package var since: Timestamp?
    /// When the last probe started.
    package var lastProbe: Timestamp?
    package var latency: Duration?
    package var reason: Reason?
    package var cause: Cause?
    package var sentence: String
    /// Its record or our own policy keeps it from being probed.
    package var isUnprobeable: Bool

    package init(
        name: String, region: String, status: Status, since: Timestamp? = nil, lastProbe: Timestamp? = nil,
        latency: Duration? = nil, reason: Reason? = nil, cause: Cause? = nil, sentence: String = "", isUnprobeable: Bool = false
    ) {
        self.name = name
        self.region = region
        self.status = status
        self.since = since
        self.lastProbe = lastProbe
        self.latency = latency
        self.reason = reason
        self.cause = cause
        self.sentence = sentence
        self.isUnprobeable = isUnprobeable
    }

    /// The reason or cause, then what to do about it.
    var explanation: String {
        [reason?.rawValue ?? cause?.rawValue ?? "", sentence].filter { !$0.isEmpty }.joined(separator: ": ")
    }
}

/// Target by target in the order given, and a last line that counts them. At most `limit` rows are shown; the rest is counted.
package func statusTable(rows: [StatusRow], now: Timestamp, style: TerminalStyle, limit: Int = .max) -> String {
    guard !rows.isEmpty else { return "No targets.\n" }
    let columns = [
        Table.Column("Target", minimum: 16, isCutInTheMiddle: true), Table.Column("Region", minimum: 6, leaves: 2),
        Table.Column("Status"),
        Table.Column("Latency", alignment: .right, leaves: 4), Table.Column("Probed", alignment: .right, leaves: 1),
        Table.Column("Since", alignment: .right, leaves: 3), .why,
    ]
    let cells = rows.prefix(max(0, limit)).map { row -> [Table.Cell] in
        [
            Table.Cell(row.name), Table.Cell(row.region),
            Table.Cell(style.words(for: row.status), colour: style.colour(of: row.status)),
            Table.Cell(row.latency.map { durationWords($0, isUnicode: style.isUnicode) } ?? "-"),
            Table.Cell(row.lastProbe.map { ago($0, now: now) } ?? "-"),
            Table.Cell(row.since.map { ago($0, now: now) } ?? "-"), Table.Cell(row.explanation),
        ]
    }
    let hidden = rows.count - cells.count
    let more = hidden > 0 ? "and \(hidden) more\n" : ""
    var table = Table(columns: columns, rows: cells)
    // A column of nothing takes the room of the reasons.
    if style.isCut, rows.allSatisfy(\.region.isEmpty) { table.remove(column: 1) }
    return table.text(style) + more + "\n" + summary(rows, style)
}

/// As in `4 targets: 2 up, 1 degraded, 1 down`.
private func summary(_ rows: [StatusRow], _ style: TerminalStyle) -> String {
    let parts = [Status.up, .degraded, .down, .unknown].compactMap { status -> String? in
        let count = rows.count { $0.status == status }
        return count == 0 ? nil : style.coloured("\(count) \(status.rawValue)", style.colour(of: status))
    }
    let unprobeable = rows.count(where: \.isUnprobeable)
    let more = unprobeable == 0 ? "" : "; " + style.coloured("\(unprobeable) can't be probed", .red)
    return "\(counted(rows.count, "target")): \(parts.joined(separator: ", "))\(more)\n"
}
