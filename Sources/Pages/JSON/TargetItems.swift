import Health

/// A row of `/targets.json`.
struct TargetListItem: Encodable {
    var targetID: String
    var clientID: String
    var target: String
    var region: String
    @OrNull var host: String?
    var status: String
    @OrNull var since: String?
    @OrNull var reason: String?
    @OrNull var cause: String?
    @OrNull var httpStatus: Int?
    @OrNull var lastProbeAt: String?
    @OrNull var lastDurationUs: Int?
    @OrNull var p95Us: Int?
    var availability: AvailabilityItem
    /// The oldest first: `unknown`, `good`, `degraded` or `down`.
    var days: [String]

    init(_ row: TargetListPage.Row) {
        let (identity, live) = (row.identity, row.live)
        (targetID, clientID) = (identity.identity.key, identity.identity.clientID)
        (target, region, host) = (identity.name, identity.region, identity.host)
        status = live.status.rawValue
        since = live.since?.description
        (reason, cause) = (live.reason?.rawValue, live.cause?.rawValue)
        httpStatus = live.httpStatus == 0 ? nil : Int(live.httpStatus)
        lastProbeAt = live.lastAt?.description
        lastDurationUs = live.microseconds == 0 ? nil : Int(live.microseconds)
        p95Us = row.p95.map { Int($0) }
        availability = AvailabilityItem(row.sums, window: row.window)
        days = row.days.map(\.key)
    }
}

/// How the last ninety days were spent, up to the last hour that is over, in milliseconds: what `availability_history` has, summed.
struct AvailabilityItem: Encodable {
    var upMs: Int64
    var degradedMs: Int64
    var downMs: Int64
    var unknownMs: Int64
    var maintenanceMs: Int64

    init(_ sums: StateSums, window: Int64) {
        (upMs, degradedMs) = (sums.available - sums.degraded, sums.degraded)
        (downMs, maintenanceMs) = (sums.down, sums.maintenance)
        unknownMs = max(0, window - sums.known - sums.maintenance)
    }
}

/// `/index.json`: one item.
struct OverviewItem: Encodable {
    struct Group: Encodable {
        /// nil of the targets that share nothing.
        @OrNull var shared: String?
        @OrNull var value: String?
        var count: Int
        @OrNull var since: String?
        /// The first few.
        var targets: [Row]
    }

    struct Row: Encodable {
        var targetID: String
        var clientID: String
        var target: String
        var region: String
        var status: String
        @OrNull var since: String?
        @OrNull var reason: String?
        @OrNull var cause: String?
        var sentence: String
    }

    struct Tally: Encodable {
        var name: String
        var down: Int
        var degraded: Int
        var all: Int
    }

    struct Banner: Encodable {
        var kind: String
        var title: String
        var text: String
        @OrNull var command: String?
        @OrNull var link: String?
        @OrNull var linkText: String?
    }

    var banners: [Banner]
    var statuses: [String: Int]
    var down: [Group]
    var degraded: [Row]
    var regions: [Tally]
    var hosts: [Tally]
    var clients: [Tally]

    init(_ page: OverviewPage, _ banners: [Pages.Banner]) {
        self.banners = banners.map {
            Banner(
                kind: $0.kind.rawValue, title: $0.title, text: $0.text, command: $0.command, link: $0.link, linkText: $0.linkText)
        }
        statuses = Dictionary(uniqueKeysWithValues: Status.allCases.map { ($0.rawValue, page.counts[$0] ?? 0) })
        down = page.groups.map { group in
            Group(
                shared: group.thing?.kind, value: group.thing?.value, count: group.count, since: group.since?.description,
                targets: group.rows.map(Row.init))
        }
        degraded = page.degraded.map(Row.init)
        let tally = { (one: OverviewPage.Tally) in Tally(name: one.name, down: one.down, degraded: one.degraded, all: one.all) }
        (regions, hosts, clients) = (page.regions.map(tally), page.hosts.map(tally), page.clients.map(tally))
    }
}

extension OverviewItem.Row {
    init(_ row: OverviewPage.Row) {
        let (identity, live) = (row.identity, row.live)
        self.init(
            targetID: identity.identity.key, clientID: identity.identity.clientID, target: identity.name, region: identity.region,
            status: live.status.rawValue, since: live.since?.description, reason: live.reason?.rawValue,
            cause: live.cause?.rawValue,
            sentence: row.said)
    }
}

extension DayState {
    var key: String {
        switch self {
        case .unknown: "unknown"
        case .good: "good"
        case .degraded: "degraded"
        case .down: "down"
        }
    }
}

extension SharedThing {
    var kind: String {
        switch self {
        case .host: "host"
        case .certificate: "certificate"
        case .block: "block"
        case .regionAndReason: "region_and_reason"
        case .region: "region"
        case .reason: "reason"
        }
    }

    var value: String {
        switch self {
        case .host(let text), .certificate(let text), .block(let text), .region(let text): text
        case .regionAndReason(let region, let reason): "\(region) \(reason.rawValue)"
        case .reason(let reason): reason.rawValue
        }
    }
}

extension OverviewPage {
    package func document(_ renderer: PageRenderer, _ frame: PageFrame, isTwin: Bool) throws -> PageDocument {
        if isTwin {
            return PageDocument(twin: "overview", items: try encoded([OverviewItem(self, frame.banners)]), asOf: frame.asOf)
        }
        return PageDocument(html: html(renderer, frame), asOf: frame.asOf)
    }
}

extension TargetListPage {
    package func document(_ renderer: PageRenderer, _ frame: PageFrame, isTwin: Bool) throws -> PageDocument {
        if isTwin {
            var document = PageDocument(twin: "target_list", items: try encoded(rows.map(TargetListItem.init)), asOf: frame.asOf)
            if let next {
                var following = query
                following.after = next
                document.next = following.link.replacing("/targets?", with: "/targets.json?")
            }
            return document
        }
        return PageDocument(html: html(renderer, frame), asOf: frame.asOf)
    }
}
