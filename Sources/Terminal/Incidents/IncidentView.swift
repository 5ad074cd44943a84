package import Health

/// One outage with what its target said, as `incidents show` prints it.
package struct IncidentView: Sendable {
    package var id: Int64
    package var target: String
    package var region: String
    package var incident: Incident
    package var alertedAt: Timestamp?
    /// How long its detection could take.
    package var bound: Duration?
    package var evidence: [Evidence.Kind: Evidence]
    package var notes: [(at: Timestamp, text: String)] = []

    package init(
        id: Int64, target: String, region: String, incident: Incident, alertedAt: Timestamp?, bound: Duration?,
        evidence: [Evidence.Kind: Evidence]
    ) {
        (self.id, self.target, self.region, self.incident) = (id, target, region, incident)
        (self.alertedAt, self.bound, self.evidence) = (alertedAt, bound, evidence)
    }

    package func text(now: Timestamp, _ style: TerminalStyle) -> String {
        let parts =
            [heading(now, style), times(style)]
            + Evidence.Kind.allCases.compactMap { kind in
                evidence[kind].map { said(kind, $0, style) }
            }
        let noted = notes.map { note in
            let lines = note.text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            return "Note, \(momentWords(note.at, upTo: .minute))\n" + lines.map { "  \(displayText(String($0)))\n" }.joined()
        }
        let none =
            evidence.isEmpty
            ? ["Nothing is kept of what the target said: the incident is too old, or too much failed at once."] : []
        return (parts + none + noted).map { $0.hasSuffix("\n") ? $0 : $0 + "\n" }.joined(separator: "\n")
    }

    private func heading(_ now: Timestamp, _ style: TerminalStyle) -> String {
        let lasted = durationWords(max(.zero, (incident.endedAt ?? now) - incident.startedAt), isUnicode: style.isUnicode)
        let state =
            switch incident.closedAs {
            case nil: "has been down for \(lasted)"
            case .recovered: "was down for \(lasted)"
            case .removed: "was down for \(lasted), until it was removed"
            }
        let place = region.isEmpty ? "" : " (\(displayText(region)))"
        let why = [incident.reason.rawValue, incident.httpStatus.map { "HTTP \($0)" }].compactMap(\.self).joined(separator: ": ")
        return
            "\(displayText(target))\(place) \(state): \(why)\nIncident \(id), \(counted(incident.failedProbes, "failed probe"))\n"
    }

    private func times(_ style: TerminalStyle) -> String {
        let delay = durationWords(max(.zero, incident.confirmedAt - incident.startedAt), isUnicode: style.isUnicode)
        let limit =
            bound.map { ", from the first failure to an alert \(durationWords($0, isUnicode: style.isUnicode)) at most" } ?? ""
        let moments: [(String, Timestamp?, String)] = [
            ("first bad", incident.startedAt, ""), ("confirmed", incident.confirmedAt, "  after \(delay)\(limit)"),
            ("alerted", alertedAt, ""), ("ended", incident.endedAt, ""),
        ]
        return moments.compactMap { name, moment, words in
            moment.map { "\(name.padded(to: 11))\(momentWords($0, upTo: .second))\(words)\n" }
        }.joined()
    }

    private func said(_ kind: Evidence.Kind, _ evidence: Evidence, _ style: TerminalStyle) -> String {
        let name =
            switch kind {
            case .firstBad: "First bad probe"
            case .lastBad: "Last bad probe"
            case .lastGood: "Last good probe before it"
            }
        var lines = ["\(name), \(momentWords(evidence.at, upTo: .second))"]
        if kind == .lastBad, let first = self.evidence[.firstBad], first.words == evidence.words {
            return lines[0] + ": it said the same\n"
        }
        if let headers = evidence.headers {
            lines += headers.split(separator: "\n").map { "  \(displayText(String($0)))" }
        } else if let status = evidence.httpStatus {
            lines.append("  HTTP \(status)")
        }
        lines += body(evidence)
        lines += addresses(evidence)
        lines += evidence.certificates.map { certificate in
            let names =
                certificate.names.isEmpty ? "" : " for \(certificate.names.map { displayText($0) }.joined(separator: ", "))"
            let end =
                certificate.notAfter.map {
                    "\($0 < evidence.at ? ", expired " : ", valid until ")\(momentWords($0, upTo: .minute))"
                } ?? ""
            return "  certificate: \(displayText(certificate.subject))\(names)\(end)"
        }
        let phases = Phase.allCases.compactMap { phase in
            evidence.phases[phase].map { "\(phase.shownName) \(durationWords($0, isUnicode: style.isUnicode))" }
        }
        if !phases.isEmpty { lines.append("  \(phases.joined(separator: ", "))") }
        return lines.map { $0 + "\n" }.joined()
    }

    private func body(_ evidence: Evidence) -> [String] {
        guard let body = evidence.body, let excerpt = evidence.bodyExcerpt else {
            return evidence.bodyBytes == 0 ? ["  no body"] : []
        }
        let size =
            evidence.bodyBytes.map { $0 > body.count ? "\(body.count) of \(counted($0, "byte"))" : counted($0, "byte") } ?? ""
        switch excerpt {
        case .text(let text):
            let lines = text.split(omittingEmptySubsequences: true, whereSeparator: \.isNewline)
            return ["  body, \(size):"] + lines.map { "    \(displayText(String($0)))" }
        case .bytes(let line):
            return ["  body, \(size), \(displayText(evidence.contentType ?? "of no type")):", "    \(line)"]
        }
    }

    private func addresses(_ evidence: Evidence) -> [String] {
        guard !evidence.addresses.isEmpty else { return evidence.address.map { ["  address: \($0)"] } ?? [] }
        let words = evidence.addresses.map { address in
            switch address.state {
            case .answered: "\(address.text) answered"
            case .failed: "\(address.text) failed"
            case .answers: "\(address.text) answers"
            case .answersNot: "\(address.text) doesn't answer"
            case .notTried: "\(address.text) not tried"
            }
        }
        return ["  addresses: \(words.joined(separator: ", "))"]
    }
}

extension String {
    fileprivate func padded(to count: Int) -> String { self + String(repeating: " ", count: max(0, count - self.count)) }
}
