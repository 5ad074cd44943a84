package import Health

/// Which incidents `/incidents?…` asks for.
package struct IncidentQuery: Hashable, Sendable {
    package enum State: String, Hashable, Sendable, CaseIterable { case open, over }

    package static let rowsUsual = 50
    package static let rowsMax = 200

    package var state: State?
    package var region: String?
    package var reason: Reason?
    package var target: TargetIdentity?
    package var text = ""
    /// Days since 1970 in UTC: incidents that went on at some time of it.
    package var day: Int64?
    /// The last incident of the page before.
    package var before: Int64?
    package var limit = rowsUsual

    package init() {}

    package var during: Range<Timestamp>? {
        day.map { Timestamp(milliseconds: $0 * 86_400_000)..<Timestamp(milliseconds: ($0 + 1) * 86_400_000) }
    }

    var isFiltered: Bool { state != nil || region != nil || reason != nil || target != nil || !text.isEmpty || day != nil }

    /// The query as a link: what ``init(fields:)`` reads.
    var link: String {
        var pairs: [(String, String)] = []
        func add(_ name: String, _ value: String?) { if let value, !value.isEmpty { pairs.append((name, value)) } }
        add("state", state?.rawValue)
        add("region", region)
        add("reason", reason?.rawValue)
        add("client", target?.clientID)
        add("target", target?.key)
        add("q", text)
        add("day", day.map(Self.dayText))
        add("before", before.map { "\($0)" })
        add("limit", limit == Self.rowsUsual ? nil : "\(limit)")
        let query = pairs.map { "\($0)=\(percentEncoded($1))" }.joined(separator: "&")
        return query.isEmpty ? "/incidents" : "/incidents?\(query)"
    }

    /// `2026-11-28`, as `<input type=date>` has it.
    static func dayText(_ day: Int64) -> String { String(Timestamp(milliseconds: day * 86_400_000).description.prefix(10)) }

    static func day(_ text: String) -> Int64? {
        Timestamp("\(text)T00:00:00Z").map { $0.milliseconds.flooredQuotient(by: 86_400_000) }
    }
}

/// `/incidents?…`: what is open and what is past, newest first.
package struct IncidentListPage: Sendable {
    let query: IncidentQuery
    let entries: [IncidentEntry]
    /// Of the whole daemon, whatever the query holds.
    let open: Int
    let counts: [Status: Int]
    let choices: TargetListPage.Choices
    let isMore: Bool

    /// - Parameter entries: one more than the page shows, when there is one.
    package init(
        _ query: IncidentQuery, _ entries: [IncidentEntry], open: Int, counts: [Status: Int], choices: TargetListPage.Choices
    ) {
        self.query = query
        self.entries = Array(entries.prefix(query.limit))
        isMore = entries.count > query.limit
        (self.open, self.counts, self.choices) = (open, counts, choices)
    }

    package var worst: Status { Status.worst(counts) }
    package var title: String { open > 0 ? "\(ShownNumber.grouped(open)) open · Incidents" : "Incidents" }

    package func document(_ renderer: PageRenderer, _ frame: PageFrame, isTwin: Bool) throws -> PageDocument {
        if isTwin {
            var document = PageDocument(twin: "incidents", items: try encoded(entries.map(IncidentItem.init)), asOf: frame.asOf)
            document.next = following?.link.replacing("/incidents?", with: "/incidents.json?")
            return document
        }
        return PageDocument(html: renderer.html("incidents", frame, context(frame.asOf)), asOf: frame.asOf)
    }

    private func context(_ page: Timestamp) -> [String: Any] {
        var context: [String: Any] = [
            "headline": open == 0
                ? "No incident is open" : open == 1 ? "1 incident is open" : "\(ShownNumber.grouped(open)) incidents are open",
            "text": query.text, "fields": fields, "day": query.day.map(IncidentQuery.dayText) ?? "",
            "isFiltered": query.isFiltered,
            "hasIncidents": !entries.isEmpty, "incidents": entries.map { $0.row(page: page) }, "pager": pager,
            "emptyTitle": query.isFiltered ? "No incident is like that" : "There has been no incident",
            "emptyText": query.isFiltered
                ? "None matches all of these filters."
                : "An incident begins when a target fails so often in a row as probe.fall says.",
        ]
        if let lead { context["lead"] = lead }
        if let target = query.target { context["only"] = ["client": target.clientID, "target": target.key] }
        return context
    }

    private var lead: String? {
        if let target = query.target { return "Only those of the target \(shownText(entries.first?.name ?? target.key))." }
        return query.day.map { "Only those that were open on \(IncidentQuery.dayText($0))." }
    }

    private var fields: [[String: Any]] {
        [
            selectField("state", "State", IncidentQuery.State.allCases.map(\.rawValue), query.state?.rawValue),
            selectField("region", "Region", choices.regions, query.region),
            selectField("reason", "Reason", Reason.allCases.map(\.rawValue), query.reason?.rawValue),
        ]
    }

    private var pager: [String: Any] {
        var context: [String: Any] = ["words": counted(entries.count, "incident")]
        if query.before != nil {
            var first = query
            first.before = nil
            context["first"] = first.link
        }
        if let following { context["next"] = following.link }
        return context
    }

    /// The next page; nil on the last.
    private var following: IncidentQuery? {
        guard isMore, let last = entries.last else { return nil }
        var following = query
        following.before = last.id
        return following
    }
}

/// A `<select>` of a filter. What is chosen is among its options, also when it is none of the usual ones.
func selectField(_ name: String, _ label: String, _ values: [String], _ chosen: String?) -> [String: Any] {
    let all = chosen.map { values.contains($0) ? values : [$0] + values } ?? values
    return [
        "name": name, "label": label,
        "options": all.map { value -> [String: Any] in
            ["value": value, "shown": value.isEmpty ? "none" : shownText(value, limit: 40), "isChosen": value == chosen]
        },
    ]
}
