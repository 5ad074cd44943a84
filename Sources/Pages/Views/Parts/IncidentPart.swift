import Health

extension IncidentEntry {
    /// For the partial `incidentrows`.
    ///
    /// - Parameter named: by its number, on the page of its target; else by its target.
    func row(page: Timestamp, byNumber: Bool = false) -> [String: Any] {
        let place = [host, region.isEmpty ? nil : region].compactMap(\.self)
        var context: [String: Any] = [
            "id": "i\(id)", "status": isOpen ? Status.down.rawValue : Status.up.rawValue, "word": stateWord,
            "link": "/incidents/\(id)", "name": byNumber ? "Incident \(id)" : shownText(name), "reason": incident.reason.rawValue,
            "knownAfter": durationWords(incident.confirmedAt - incident.startedAt), "lasted": lasted ?? ShownNumber.none,
            "began": ShownTime(incident.startedAt, page: page, seconds: false, zone: false).context,
        ]
        context["place"] = byNumber || place.isEmpty ? false : place.map { shownText($0, limit: 60) }.joined(separator: ", ")
        return context
    }

    var lasted: String? { incident.endedAt.map { durationWords(max(.zero, $0 - incident.startedAt)) } }

    private var stateWord: String {
        switch incident.closedAs {
        case nil: "open"
        case .recovered: "over"
        case .removed: "removed"
        }
    }
}

extension SharedThing {
    /// What kind of thing it is, at the head of a row.
    var kindWord: String {
        switch self {
        case .host: "Host"
        case .certificate: "Certificate"
        case .block: "Address block"
        case .regionAndReason: "Region and reason"
        case .region: "Region"
        case .reason: "Reason"
        }
    }
}

extension IncidentRemark {
    func row(_ page: Timestamp) -> [String: Any] {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        return [
            "at": ShownTime(at, page: page).context, "isPublic": isPublic,
            "text": lines.map { shownText(String($0), limit: 2000) }.joined(separator: "\n"),
        ]
    }
}
