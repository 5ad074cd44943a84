package import Health

/// `/wall`: large, for a screen on a wall.
package struct WallPage: Sendable {
    private static let itemsMax = 6
    let overview: OverviewPage

    package init(_ overview: OverviewPage) { self.overview = overview }

    package var worst: Status { overview.worst }
    package var title: String { overview.title }

    package func document(_ renderer: PageRenderer, _ frame: PageFrame, isTwin: Bool) throws -> PageDocument {
        if isTwin {
            return PageDocument(twin: "overview", items: try encoded([OverviewItem(overview, frame.banners)]), asOf: frame.asOf)
        }
        return PageDocument(html: renderer.html("wall", frame, context(frame.asOf)), asOf: frame.asOf)
    }

    private func context(_ page: Timestamp) -> [String: Any] {
        let counts = overview.counts
        let tally = [Status.down, .degraded, .unknown, .up].compactMap { status -> [String: Any]? in
            guard status != worst, let count = counts[status], count > 0 else { return nil }
            return ["status": status.rawValue, "word": "\(ShownNumber.grouped(count)) \(status.rawValue)"]
        }
        var items = overview.groups.flatMap { group in
            group.thing == nil ? group.rows.map { item($0, .down, page) } : [item(group, page)]
        }
        items += overview.degraded.map { item($0, .degraded, page) }
        let alone = overview.groups.filter { $0.thing == nil }.reduce(0) { $0 + $1.count - $1.rows.count }
        let hidden = alone + (counts[.degraded] ?? 0) - overview.degraded.count
        if items.count + hidden > Self.itemsMax {
            let more = items.count + hidden - Self.itemsMax + 1
            items = Array(items.prefix(Self.itemsMax - 1))
            items.append(["status": "unknown", "count": "", "name": "and \(more) more", "said": "", "since": false])
        }
        return ["headline": headline, "tally": tally, "hasItems": !items.isEmpty, "items": items]
    }

    private var headline: String {
        let count = overview.counts[worst] ?? 0
        return switch worst {
        case .down: "\(ShownNumber.grouped(count)) down"
        case .degraded: "\(ShownNumber.grouped(count)) degraded"
        case .up: "All well"
        case .unknown: overview.total == 0 ? "No targets" : "\(ShownNumber.grouped(count)) unknown"
        }
    }

    private func item(_ group: OverviewPage.Group, _ page: Timestamp) -> [String: Any] {
        let first = group.rows.first
        let name = group.thing?.value ?? ""
        let names = group.rows.map { shownText($0.identity.name, limit: 40) }.joined(separator: ", ")
        let reason = group.reason.map { "\($0.rawValue): " } ?? ""
        return [
            "status": Status.down.rawValue, "count": ShownNumber.grouped(group.count), "name": shownText(name, limit: 60),
            "said": group.count == 1 ? first?.live.reason?.rawValue ?? "" : reason + names,
            "since": orAbsent(group.since.map { ShownTime($0, page: page, seconds: false).context }),
        ]
    }

    private func item(_ row: OverviewPage.Row, _ status: Status, _ page: Timestamp) -> [String: Any] {
        [
            "status": status.rawValue, "count": "1", "name": shownText(row.identity.name, limit: 60),
            "said": shownText(row.said, limit: 120),
            "since": orAbsent(row.live.since.map { ShownTime($0, page: page, seconds: false).context }),
        ]
    }
}
