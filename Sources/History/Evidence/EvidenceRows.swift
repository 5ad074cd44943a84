internal import GRDB
package import Health

/// What is kept of an incident besides its times: what its target said, and what was known when it was confirmed.
package struct IncidentNote: Sendable {
    package enum Change: Sendable {
        case confirmed(interval: Duration, bound: Duration)
        case alerted(at: Timestamp)
        case evidence(Evidence.Kind, Evidence)
        /// Somebody noted something.
        case noted(NoteRow)
    }

    /// Of the incident: both identify it.
    package var target: TargetIdentity
    package var startedAt: Timestamp
    package var change: Change

    package init(target: TargetIdentity, startedAt: Timestamp, _ change: Change) {
        (self.target, self.startedAt, self.change) = (target, startedAt, change)
    }
}

/// Writes and reads the rows of `evidence`, and the columns of `incident` that only pages read.
enum EvidenceRows {
    private static let phaseColumns = "dns_us, connect_us, tls_us, processing_us, transfer_us"

    /// An incident that isn't there any more gets nothing.
    static func write(_ db: Database, _ note: IncidentNote) throws {
        let key: [Cell] = [.text(note.target.clientID), .text(note.target.key), Cell(note.startedAt)]
        let query = """
            SELECT i.id FROM incident i JOIN target t ON t.id = i.target
            WHERE t.client_id = ? AND t.target_id = ? AND i.started_at_ms = ?
            """
        guard let incident = try db.integer(query, key) else { return }
        switch note.change {
        case .confirmed(let interval, let bound):
            try db.run(
                "UPDATE incident SET interval_ms = ?, bound_ms = ? WHERE id = ?",
                [.integer(interval.wholeMilliseconds), .integer(bound.wholeMilliseconds), .integer(incident)])
        case .alerted(let moment):
            try db.run(
                "UPDATE incident SET alerted_at_ms = coalesce(alerted_at_ms, ?) WHERE id = ?", [Cell(moment), .integer(incident)])
        case .evidence(let kind, let evidence): try write(db, evidence, kind, incident)
        case .noted(let note): try NoteRow.write(db, note, incident)
        }
    }

    private static func write(_ db: Database, _ evidence: Evidence, _ kind: Evidence.Kind, _ incident: Int64) throws {
        let addresses = evidence.addresses.map {
            JSONText.object([("address", .text($0.text)), ("state", .text($0.state.rawValue))])
        }
        let certificates = evidence.certificates.map { certificate in
            JSONText.object(
                [
                    ("subject", .text(certificate.subject)), ("issuer", .text(certificate.issuer)),
                    ("not_before_ms", Cell(certificate.notBefore)), ("not_after_ms", Cell(certificate.notAfter)),
                    ("fingerprint", .text(certificate.fingerprint)),
                ], andArray: ("names", certificate.names.map { JSONText.value(.text($0)) }))
        }
        let body: Cell = evidence.body.map { .blob($0) } ?? .null
        try db.run(
            """
            INSERT OR REPLACE INTO evidence (incident, kind, at_ms, http_status, headers, body, body_bytes, address, addresses,
                certificates, \(phaseColumns))
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .integer(incident), .text(kind.rawValue), Cell(evidence.at), Cell(evidence.httpStatus), Cell(evidence.headers),
                body,
                Cell(evidence.bodyBytes), Cell(evidence.address), .text(JSONText.array(addresses)),
                .text(JSONText.array(certificates)),
            ] + cells(evidence.phases))
    }

    private static func cells(_ phases: Phases) -> [Cell] {
        [phases.dns, phases.connect, phases.tls, phases.processing, phases.transfer].map(Cell.init)
    }

    static func read(_ db: Database, of incident: Int64) throws -> [Evidence.Kind: Evidence] {
        var found: [Evidence.Kind: Evidence] = [:]
        var texts: [Evidence.Kind: (addresses: String, certificates: String)] = [:]
        try db.run(
            """
            SELECT kind, at_ms, http_status, headers, body, body_bytes, address, addresses, certificates, \(phaseColumns)
            FROM evidence WHERE incident = ?
            """, [.integer(incident)]
        ) { row in
            guard let kind = row.text(0).flatMap({ Evidence.Kind(rawValue: $0) }), let at = row.timestamp(1) else { return true }
            let phases = (9...13).map { row.integer($0).map { Duration.microseconds($0) } }
            found[kind] = Evidence(
                at: at, httpStatus: row.int(2), headers: row.text(3), body: row.blob(4), bodyBytes: row.int(5),
                address: row.text(6),
                phases: Phases(dns: phases[0], connect: phases[1], tls: phases[2], processing: phases[3], transfer: phases[4]))
            texts[kind] = (row.text(7) ?? "[]", row.text(8) ?? "[]")
            return true
        }
        for (kind, text) in texts {
            found[kind]?.addresses = try addresses(db, text.addresses)
            found[kind]?.certificates = try certificates(db, text.certificates)
        }
        return found
    }

    private static func addresses(_ db: Database, _ text: String) throws -> [Evidence.Address] {
        var found: [Evidence.Address] = []
        try db.run("SELECT value ->> 'address', value ->> 'state' FROM json_each(?)", [.text(text)]) { row in
            found.append(.init(text: row.text(0) ?? "", state: row.text(1).flatMap { .init(rawValue: $0) } ?? .notTried))
            return true
        }
        return found
    }

    private static func certificates(_ db: Database, _ text: String) throws -> [Evidence.Certificate] {
        var found: [Evidence.Certificate] = []
        let columns = ["subject", "issuer", "not_before_ms", "not_after_ms", "fingerprint"].map { "c.value ->> '\($0)'" }
        var place: Int64 = -1
        try db.run(
            """
            SELECT \(columns.joined(separator: ", ")), n.value, c.key
            FROM json_each(?) c LEFT JOIN json_each(c.value, '$.names') n ORDER BY c.key, n.key
            """, [.text(text)]
        ) { row in
            let fingerprint = row.text(4) ?? ""
            // A server may send one of them twice.
            if row.number(6) != place {
                place = row.number(6)
                found.append(
                    .init(
                        subject: row.text(0) ?? "", issuer: row.text(1) ?? "", names: [], notBefore: row.timestamp(2),
                        notAfter: row.timestamp(3), fingerprint: fingerprint))
            }
            if let name = row.text(5) { found[found.count - 1].names.append(name) }
            return true
        }
        return found
    }
}

/// JSON for the columns of evidence (RFC 8259): this module needs no other writer.
enum JSONText {
    static func array(_ values: [String]) -> String { "[" + values.joined(separator: ",") + "]" }

    static func value(_ cell: Cell) -> String {
        switch cell {
        case .integer(let number): "\(number)"
        case .text(let text): quoted(text)
        case .null, .blob: "null"
        }
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            // SQLite's functions end a text at a NUL.
            case "\0": quoted += "\\\\u{0}"
            case "\u{1}"..."\u{1f}": quoted += Hex.jsonEscape(UInt16(scalar.value))
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    static func object(
        _ members: [(name: String, value: Cell)], andArray last: (name: String, values: [String])? = nil
    ) -> String {
        var texts = members.map { "\"\($0.name)\":\(value($0.value))" }
        if let last { texts.append("\"\(last.name)\":\(array(last.values))") }
        return "{" + texts.joined(separator: ",") + "}"
    }
}
