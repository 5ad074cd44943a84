package import Health

/// `/`: what is down, and is it one cause; what is degraded; then counts.
package struct OverviewPage: Sendable {
    package struct Row: Sendable {
        var identity: TargetIndex.Identity
        var live: TargetIndex.Live
        var said: String
    }

    /// Targets that are down and share something.
    package struct Group: Sendable {
        var thing: SharedThing?
        var count: Int
        /// When the first began to fail, and the last.
        var since: Timestamp?
        var until: Timestamp?
        /// That all of them have.
        var reason: Reason?
        /// The first few, those that began first.
        var rows: [Row]
    }

    /// How the targets of one region, host or client are.
    package struct Tally: Hashable, Sendable {
        var name: String
        var down = 0
        var degraded = 0
        var all = 0
    }

    private static let rowsOfGroup = 4
    /// What fails for one cause begins to fail within some probes.
    fileprivate static let oneCauseWithin = Duration.seconds(600)
    private static let listedMax = 12
    private static let talliesMax = 12

    let counts: [Status: Int]
    let total: Int
    let groups: [Group]
    let degraded: [Row]
    /// Those that can't be probed are nobody's outage, and nobody watches them: `count` in all, and the first few.
    let unprobeable: (count: Int, rows: [Row])
    let regions: [Tally]
    let hosts: [Tally]
    let clients: [Tally]
    /// How many regions, hosts and clients there are in all.
    let tallied: (regions: Int, hosts: Int, clients: Int)

    package init(_ index: TargetIndex, _ certificates: CertificateTable) {
        let regions = GroupTallies(index.groups.regions, index)
        let hosts = GroupTallies(index.groups.hosts, index)
        let clients = GroupTallies(index.groups.clients, index)
        var (down, degraded, unprobeable): ([(slot: Int, row: Row)], [Row], [Row]) = ([], [], [])
        index.forEachLive { slot, live in
            guard live.status == .down || live.status == .degraded || live.isUnprobeable,
                let identity = index.identity(slot: slot)
            else { return }
            let said = index.said(slot: slot)?.sentence ?? live.reason?.words ?? live.cause?.words ?? ""
            let row = Row(identity: identity, live: live, said: said)
            switch live.status {
            case .down: down.append((slot, row))
            case .degraded: degraded.append(row)
            case .up, .unknown: unprobeable.append(row)
            }
        }
        (counts, total) = (index.counts, index.count)
        let share = { (thing: SharedThing) -> Double in
            switch thing {
            case .host(let host): hosts[host].downShare
            case .region(let region): regions[region].downShare
            case .certificate, .block, .regionAndReason, .reason: 1
            }
        }
        let shared = SharedCauses(down, share: share) { member in
            let address = index.said(slot: member.slot)?.address.flatMap { IPAddress($0) }
            return Self.things(member.row, address, certificate: certificates.fingerprint(slot: member.slot))
        }
        groups = shared.groups.map { group in
            let rows = group.members.map(\.row).sorted { Self.isEarlier($0, $1) }
            let reasons = Set(rows.map(\.live.reason))
            return Group(
                thing: group.thing, count: rows.count, since: rows.compactMap(\.live.since).min(),
                until: rows.compactMap(\.live.since).max(),
                reason: reasons.count == 1 ? reasons.first ?? nil : nil,
                rows: Array(rows.prefix(Self.rowsOfGroup)))
        }
        self.degraded = Array(degraded.sorted { Self.isEarlier($1, $0) }.prefix(Self.listedMax))
        unprobeable.sort { $0.identity.name < $1.identity.name }
        self.unprobeable = (unprobeable.count, Array(unprobeable.prefix(Self.listedMax)))
        tallied = (regions.count, hosts.count, clients.count)
        (self.regions, self.hosts, self.clients) = (Self.worst(regions), Self.worst(hosts), Self.worst(clients))
    }

    private static func worst(_ tallies: GroupTallies) -> [Tally] {
        tallies.worst(talliesMax).map { word, tally in
            Tally(name: word, down: Int(tally.down), degraded: Int(tally.degraded), all: Int(tally.all))
        }
    }

    private static func isEarlier(_ one: Row, _ other: Row) -> Bool {
        (one.live.since?.milliseconds ?? .max, one.identity.name) < (other.live.since?.milliseconds ?? .max, other.identity.name)
    }

    private static func things(_ row: Row, _ address: IPAddress?, certificate: String?) -> [SharedThing] {
        var things: [SharedThing] = []
        things += [.sharedHost(row.identity.host), .sharedBlock(address)].compactMap(\.self)
        if let certificate { things.append(.certificate(certificate)) }
        if let reason = row.live.reason {
            if !row.identity.region.isEmpty { things.append(.regionAndReason(row.identity.region, reason)) }
            things.append(.reason(reason))
        }
        return things
    }
}

extension OverviewPage.Group {
    /// What shares a host, a certificate or a block of addresses may fail bit by bit. What shares no more than a reason or a region is one cause only
    /// where it began together.
    var mayBeOneCause: Bool {
        switch thing {
        case .host, .certificate, .block: true
        case .regionAndReason, .reason, .region:
            if let since, let until { until - since <= OverviewPage.oneCauseWithin } else { false }
        case nil: false
        }
    }
}

extension OverviewPage {
    package var worst: Status { Status.worst(counts) }

    /// Before the program's name in the tab.
    package var title: String {
        if total == 0 { return "No targets" }
        return worst == .up ? "All well" : "\(ShownNumber.grouped(counts[worst] ?? 0)) \(worst.rawValue)"
    }

    private var headline: String {
        let (down, degraded, unknown) = (counts[.down] ?? 0, counts[.degraded] ?? 0, counts[.unknown] ?? 0)
        if total == 0 { return "There are no targets" }
        if down > 0 { return "\(down) of \(counted(total, "target")) \(down == 1 ? "is" : "are") down" }
        if degraded > 0 {
            return "\(degraded) of \(counted(total, "target")) \(degraded == 1 ? "is" : "are") degraded, none is down"
        }
        if unknown > 0 {
            return "Nothing is known to be down, \(unknown) of \(counted(total, "target")) \(unknown == 1 ? "is" : "are") unknown"
        }
        return total == 1 ? "The target is up" : "All \(total) targets are up"
    }

    private func leads(_ frame: PageFrame) -> [[String: Any]] {
        let down = counts[.down] ?? 0
        guard down > 0 else { return [] }
        var leads: [[String: Any]] = []
        if let first = groups.first, let thing = first.thing, down > 1, first.mayBeOneCause {
            leads.append([
                "text": first.count == down
                    ? "All \(down) share \(thing.words)." : "\(first.count) of the \(down) share \(thing.words)."
            ])
        }
        // Whatever speaks for the daemon's own trouble has a banner.
        if frame.banners.isEmpty { leads.append(["text": "Nothing suggests that the daemon itself is to blame."]) }
        return leads
    }

    package func html(_ renderer: PageRenderer, _ frame: PageFrame) -> String {
        let tally = [Status.down, .degraded, .unknown, .up].map { status -> [String: Any] in
            let count = counts[status] ?? 0
            return [
                "status": status.rawValue, "count": ShownNumber.grouped(count),
                "mark": count == 0 ? "nil" : status == .up ? "plain" : status.rawValue,
                "wordMark": count == 0 ? "nil" : status.rawValue,
            ]
        }
        let tables = [
            table("By region", "Region", "region", regions, of: tallied.regions),
            table("By host", "Host", "host", hosts, of: tallied.hosts),
            table("By client", "Client", "client", clients, of: tallied.clients),
        ].compactMap(\.self)
        return renderer.html(
            "overview", frame,
            [
                "headline": headline, "leads": leads(frame), "tally": tally, "hasDown": !groups.isEmpty,
                "downCount": ShownNumber.grouped(counts[.down] ?? 0), "groups": groups.map { context($0, frame.asOf) },
                "lists": lists(frame.asOf), "counts": tables, "hasCounts": !tables.isEmpty,
                "hasTrouble": !groups.isEmpty || !degraded.isEmpty || unprobeable.count > 0,
            ])
    }

    private func lists(_ page: Timestamp) -> [[String: Any]] {
        let lists: [(title: String, link: String, count: Int, rows: [Row])] = [
            ("Degraded", "/targets?status=degraded", counts[.degraded] ?? 0, degraded),
            ("Can't be probed", "/targets?status=unknown", unprobeable.count, unprobeable.rows),
        ]
        return lists.filter { !$0.rows.isEmpty }.map { list in
            var context = brief(list.rows, list.title, page)
            (context["title"], context["link"], context["count"]) = (list.title, list.link, ShownNumber.grouped(list.count))
            return context
        }
    }

    private func context(_ group: Group, _ page: Timestamp) -> [String: Any] {
        let members = counted(group.count, "target")
        var context = brief(group.rows, "The targets of this group", page)
        context["count"] = ShownNumber.grouped(group.count)
        context["id"] = group.thing.map { elementID($0.words) } ?? "alone"
        context["heading"] =
            group.thing.map { "\(members) share \($0.words)" }
            ?? "\(members) \(group.count == 1 ? "is down by itself" : "are down, each by itself")"
        let saying = group.reason.map { reason in
            switch group.thing {
            // Says so already.
            case .reason, .regionAndReason: ""
            default: " Of each: \(reason.words)."
            }
        }
        context["why"] =
            (group.thing.map(\.sentence) ?? "No host, certificate, block of addresses or reason explains more than one of them.")
            + (saying ?? "")
            + (group.thing == nil || group.mayBeOneCause ? "" : " They began at different times, so it may be no one cause.")
            + (group.since.map { " The first went down at \(ShownTime($0, page: page).text)." } ?? "")
        if let link = group.thing?.link {
            context["link"] = link
            if group.count > group.rows.count { context["more"] = "\(ShownNumber.grouped(group.count - group.rows.count)) more" }
        }
        return context
    }

    private func brief(_ rows: [Row], _ caption: String, _ page: Timestamp) -> [String: Any] {
        [
            "caption": caption,
            "rows": rows.map { row -> [String: Any] in
                var context: [String: Any] = [
                    "id": elementID(of: row.identity.identity), "status": row.live.status.rawValue,
                    "word": row.live.status.rawValue,
                    "link": targetLink(row.identity.identity), "name": shownText(row.identity.name),
                    "said": shownText(row.said, limit: 200),
                ]
                if let since = row.live.since { context["since"] = ShownTime(since, page: page, zone: false).context }
                return context
            },
        ]
    }

    /// nil where there is only one, and it says nothing.
    private func table(_ title: String, _ column: String, _ field: String, _ tallies: [Tally], of count: Int) -> [String: Any]? {
        guard count > 1 else { return nil }
        var context: [String: Any] = [
            "title": title, "column": column,
            "rows": tallies.map { tally -> [String: Any] in
                var row: [String: Any] = [
                    "id": elementID("\(field)-\(tally.name)"), "name": tally.name.isEmpty ? "none" : shownText(tally.name),
                    "all": ShownNumber.grouped(tally.all),
                ]
                // What has none can't be asked for.
                if !tally.name.isEmpty { row["link"] = "/targets?\(field)=\(percentEncoded(tally.name))" }
                if tally.down > 0 { row["down"] = ShownNumber.grouped(tally.down) }
                if tally.degraded > 0 { row["degraded"] = ShownNumber.grouped(tally.degraded) }
                return row
            },
        ]
        if count > tallies.count { context["more"] = "and \(ShownNumber.grouped(count - tallies.count)) more" }
        return context
    }
}

extension Status {
    /// The worst of those that some target has; `unknown` without targets. Of what is unknown nobody can say that it is well.
    static func worst(_ counts: [Status: Int]) -> Status {
        [.down, .degraded, .unknown, .up].first { (counts[$0] ?? 0) > 0 } ?? .unknown
    }
}
