package import Health

/// `/targets?…`: the list, a page of it at a time.
package struct TargetListPage: Sendable {
    package struct Row: Sendable {
        var identity: TargetIndex.Identity
        var live: TargetIndex.Live
        var p95: UInt32?
        var sums: StateSums
        var days: [DayState]
        /// How long the time is that ``sums`` is of, in milliseconds.
        var window: Int64
    }

    /// What there is to choose from.
    package struct Choices: Sendable {
        package var regions: [String]
        package var hosts: [String]
        package var clients: [String]

        package init(regions: [String], hosts: [String], clients: [String]) {
            (self.regions, self.hosts, self.clients) = (regions, hosts, clients)
        }
    }

    let query: TargetQuery
    let rows: [Row]
    /// How many targets the query holds, and how many stand before this page.
    let found: Int
    let before: Int
    let counts: [Status: Int]
    let total: Int
    let choices: Choices
    /// Where the next page begins; nil on the last page.
    let next: TargetQuery.Cursor?

    package init(_ query: TargetQuery, _ index: TargetIndex, _ days: DayTable, p95: (Int) -> UInt32?) {
        let selection = TargetSelection(query, index, days, p95: p95)
        self.query = query
        rows = selection.rows.compactMap { row in
            index.identities[row.slot].map {
                Row(
                    identity: $0, live: index[row.slot], p95: p95(row.slot), sums: days.sums(slot: row.slot),
                    days: days.states(slot: row.slot, now: index[row.slot].status), window: days.window)
            }
        }
        (found, before, counts, total) = (selection.total, selection.before, index.counts, index.count)
        choices = index.groups.choices
        let isMore = selection.before + selection.rows.count < selection.total
        next = isMore ? selection.rows.last.map { selection.cursor(behind: $0, query.order, index) } : nil
    }

    package var worst: Status { Status.worst(counts) }
    package var title: String {
        let down = counts[.down] ?? 0
        return down > 0 ? "\(down) down · Targets" : "Targets"
    }
}

extension TargetListPage {
    package func html(_ renderer: PageRenderer, _ frame: PageFrame) -> String {
        renderer.html(
            "targets", frame,
            [
                "headline": headline, "lead": lead, "text": query.text, "order": query.order.rawValue,
                "isFiltered": query.isFiltered,
                "fields": fields, "heads": heads, "hasRows": !rows.isEmpty, "rows": rows.map { context($0, frame.asOf) },
                "pager": pager, "emptyTitle": total == 0 ? "There are no targets" : "No target is like that",
                "emptyText": total == 0
                    ? "The list that this daemon reads has none. Add them to the targets file, or by `rangefinder targets create` to the Targets API."
                    : "None of the \(counted(total, "target")) matches all of these filters.",
            ])
    }

    private var headline: String {
        let down = counts[.down] ?? 0
        if query.isFiltered { return "\(ShownNumber.grouped(found)) of \(counted(total, "target"))" }
        return down > 0
            ? "\(ShownNumber.grouped(down)) of \(counted(total, "target")) \(down == 1 ? "is" : "are") down"
            : counted(total, "target")
    }

    private var lead: String {
        let words = [Status.down, .degraded, .unknown, .up].compactMap { status -> String? in
            guard let count = counts[status], count > 0 else { return nil }
            return "\(ShownNumber.grouped(count)) \(count == 1 ? "is" : "are") \(status.rawValue)"
        }
        return words.isEmpty ? "" : words.joined(separator: ", ") + "."
    }

    // MARK: Filters

    private var fields: [[String: Any]] {
        let reasons = Reason.allCases.map(\.rawValue) + Cause.allCases.map(\.rawValue)
        return [
            selectField("status", "Status", [Status.down, .degraded, .unknown, .up].map(\.rawValue), query.status?.rawValue),
            selectField("region", "Region", choices.regions, query.region),
            selectField("host", "Host", choices.hosts, query.host),
            selectField("client", "Client", choices.clients, query.client),
            selectField("reason", "Reason or cause", reasons, query.reason),
        ]
    }

    private var heads: [[String: Any]] {
        let columns: [(String, TargetQuery.Order?, Bool)] = [
            ("Status", .status, false), ("Target", .name, false), ("Last, ms", .last, true), ("p95, ms", .p95, true),
            ("Availability", .availability, true), ("Last 90 days", nil, false), ("Since, UTC", .since, true),
        ]
        return columns.map { name, order, isNumber in
            var head: [String: Any] = ["name": name, "isNumber": isNumber]
            guard let order else { return head }
            var sorted = query
            (sorted.order, sorted.after) = (order, nil)
            head["link"] = sorted.link
            if order == query.order {
                head["isSorted"] = true
                head["direction"] = order == .name || order == .availability ? "ascending" : "descending"
            }
            return head
        }
    }

    private var pager: [String: Any] {
        let last = before + rows.count
        var context: [String: Any] = [
            "words": "\(ShownNumber.grouped(before + 1)) to \(ShownNumber.grouped(last)) of \(ShownNumber.grouped(found))",
            "limit": "\(query.limit)",
        ]
        if query.after != nil {
            var first = query
            first.after = nil
            context["first"] = first.link
        }
        if let next {
            var following = query
            following.after = next
            context["next"] = following.link
        }
        return context
    }

    // MARK: Rows

    private func context(_ row: Row, _ page: Timestamp) -> [String: Any] {
        let live = row.live
        let place = [row.identity.host, row.identity.region.isEmpty ? nil : row.identity.region].compactMap(\.self)
        var context: [String: Any] = [
            "id": elementID(of: row.identity.identity), "status": live.status.rawValue, "word": live.status.rawValue,
            "link": targetLink(row.identity.identity), "name": shownText(row.identity.name),
            "place": place.map { shownText($0, limit: 60) }.joined(separator: ", "),
            "last": ShownNumber.milliseconds(live.microseconds == 0 ? nil : .microseconds(Int64(live.microseconds))),
            "p95": ShownNumber.milliseconds(row.p95.map { .microseconds(Int64($0)) }),
            "availability": ShownNumber.availability(available: row.sums.available, of: row.sums.known) ?? ShownNumber.none,
            "bars": DailyBars(row.days).svg,
        ]
        let why = live.reason?.rawValue ?? live.cause?.rawValue
        if let why, live.status != .up { context["why"] = why }
        let unwatched = row.window - row.sums.known - row.sums.maintenance
        if row.sums.known > 0, unwatched > 0 { context["unwatched"] = ShownNumber.share(unwatched, of: row.window) }
        if let since = live.since { context["since"] = ShownTime(since, page: page, seconds: false, zone: false).context }
        return context
    }
}

extension TargetQuery {
    var isFiltered: Bool {
        status != nil || region != nil || host != nil || client != nil || reason != nil || !text.isEmpty
    }

    /// The query as a link: what ``init(query:)`` reads.
    var link: String {
        var pairs: [(String, String)] = []
        func add(_ name: String, _ value: String?) { if let value { pairs.append((name, value)) } }
        add("status", status?.rawValue)
        add("region", region)
        add("host", host)
        add("client", client)
        add("reason", reason)
        add("q", text.isEmpty ? nil : text)
        add("sort", order == .status ? nil : order.rawValue)
        add("limit", limit == Self.rowsUsual ? nil : "\(limit)")
        add("after", after?.text)
        let query = pairs.map { "\($0)=\(percentEncoded($1))" }.joined(separator: "&")
        return query.isEmpty ? "/targets" : "/targets?\(query)"
    }
}

extension TargetQuery.Cursor {
    /// The rank, and the client, the name and the key by their lengths: they may have any character in them.
    var text: String {
        "\(rank).\(identity.clientID.utf8.count).\(name.utf8.count).\(identity.clientID)\(name)\(identity.key)"
    }

    init?(_ text: String) {
        let parts = text.split(separator: ".", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, let rank = Int64(parts[0]), let first = Int(parts[1]), let second = Int(parts[2]) else {
            return nil
        }
        let bytes = Array(parts[3].utf8)
        guard (0...bytes.count).contains(first), (0...bytes.count - first).contains(second) else { return nil }
        func part(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        self.init(
            rank: rank, name: part(first..<first + second),
            identity: TargetIdentity(clientID: part(0..<first), key: part(first + second..<bytes.count)))
    }
}
