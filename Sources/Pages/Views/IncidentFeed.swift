package import Health

/// `/feed.atom`: one entry an incident (RFC 4287).
package struct IncidentFeed: Sendable {
    package static let entriesMax = 50

    /// The newest first.
    let incidents: [IncidentFacts]
    /// How people reach the pages, ended by a slash.
    let base: String
    let vantage: String

    package init(_ incidents: [IncidentFacts], base: String, vantage: String) {
        (self.incidents, self.base, self.vantage) = (incidents, base, vantage)
    }

    package func document(asOf: Timestamp, isTwin: Bool) throws -> PageDocument {
        if isTwin { return PageDocument(twin: "feed", items: try encoded(incidents.map(FeedItem.init)), asOf: asOf) }
        return PageDocument(contentType: "application/atom+xml; charset=utf-8", atom, asOf: asOf)
    }

    private var atom: String {
        let updated = incidents.map { $0.changedAt ?? $0.entry.incident.confirmedAt }.max() ?? Timestamp(milliseconds: 0)
        let place = xml(base)
        return """
            <?xml version="1.0" encoding="utf-8"?>
            <feed xmlns="http://www.w3.org/2005/Atom">
            <id>\(place)feed.atom</id>
            <title>Incidents seen from \(xml(shownText(vantage)))</title>
            <link rel="self" href="\(place)feed.atom"/>
            <link rel="alternate" href="\(place)incidents"/>
            <updated>\(updated)</updated>
            <author><name>Rangefinder</name></author>
            \(incidents.map(entry).joined(separator: "\n"))
            </feed>

            """
    }

    private func entry(_ facts: IncidentFacts) -> String {
        let (entry, incident) = (facts.entry, facts.entry.incident)
        let state = entry.isOpen ? "is down" : incident.closedAs == .removed ? "was down until it was removed" : "was down"
        let status = incident.httpStatus.map { " (HTTP \($0))" } ?? ""
        let lasted = entry.lasted.map { " It lasted \($0)." } ?? ""
        // Without a UUID of its own, an incident is named by its page.
        let id = facts.uuid.map { "urn:uuid:\($0)" } ?? "\(base)incidents/\(entry.id)"
        return """
            <entry>
            <id>\(xml(id))</id>
            <title>\(xml(shownText(entry.name))) \(state)</title>
            <link href="\(xml(base))incidents/\(entry.id)"/>
            <published>\(incident.confirmedAt)</published>
            <updated>\(facts.changedAt ?? incident.confirmedAt)</updated>
            <summary>\(incident.reason.rawValue)\(status): \(xml(incident.reason.words)). It began \(incident.startedAt).\(lasted)</summary>
            </entry>
            """
    }
}

/// A text for XML. What XML 1.0 has no way to write is escaped by ``shownText(_:limit:)`` before.
private func xml(_ text: String) -> String { markupEscaped(text) }
