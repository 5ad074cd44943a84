package import Health

/// What surrounds every page.
package struct PageFrame: Sendable {
    package enum Section: String, CaseIterable, Sendable {
        case now = "/", targets = "/targets", incidents = "/incidents", certificates = "/certificates", daemon = "/daemon"

        var name: String {
            switch self {
            case .now: "Now"
            case .targets: "Targets"
            case .incidents: "Incidents"
            case .certificates: "Certificates"
            case .daemon: "Daemon"
            }
        }
    }

    package var section: Section?
    /// Of the whole daemon: for the icon, and the mark beside headlines.
    package var worst: Status
    package var banners: [Banner]
    package var vantage: String
    package var version: String
    /// When the page was made.
    package var asOf: Timestamp
    /// Of the page itself, with its query.
    package var path: String
    package var query: String
    /// The browser asks again so often by itself.
    package var refreshSeconds: Int?
    /// Before the program's name, as in `17 down`.
    package var title: String
    /// What a form sends back; nil where there are no forms.
    package var formToken: String?
    /// The history before the daemon's start is made up.
    package var isSample: Bool

    package init(
        section: Section?, title: String, worst: Status, banners: [Banner], vantage: String, version: String, asOf: Timestamp,
        path: String, query: String, refreshSeconds: Int?, formToken: String? = nil, isSample: Bool = false
    ) {
        (self.formToken, self.isSample) = (formToken, isSample)
        (self.section, self.title, self.worst, self.banners) = (section, title, worst, banners)
        (self.vantage, self.version, self.asOf) = (vantage, version, asOf)
        (self.path, self.query, self.refreshSeconds) = (path, query, refreshSeconds)
    }

    func context(_ assets: Assets) -> [String: Any] {
        var context: [String: Any] = [
            "title": "\(shownText(title)) · Rangefinder", "icon": assets.icon(of: worst), "stylesheet": assets.stylesheet,
            "script": assets.script, "sprite": Self.sprite, "worst": worst.rawValue, "vantage": shownText(vantage),
            "version": version, "hasSearch": path != "/targets", "hasBanners": !banners.isEmpty,
            "banners": banners.map(\.context),
            "asOf": ["machine": PageDocument.machineTime, "text": PageDocument.shownTime],
            "sections": Section.allCases.map {
                ["path": $0.rawValue, "name": $0.name, "isCurrent": $0 == section] as [String: Any]
            },
            "refreshLink": refreshSeconds == nil
                ? "?" + ([query].filter { !$0.isEmpty } + ["refresh=30"]).joined(separator: "&")
                : path + (query.isEmpty ? "" : "?" + query),
            "refreshWords": refreshSeconds.map { "Refreshed every \($0) s: end that" } ?? "Refresh every 30 s without script",
            "jsonLink": (path == "/" ? "/index" : path) + ".json" + (query.isEmpty ? "" : "?" + query),
        ]
        if let refreshSeconds { context["refresh"] = "\(refreshSeconds)" }
        context["sample"] = isSample
        if let formToken { context["form"] = ["token": formToken, "back": path + (query.isEmpty ? "" : "?" + query)] }
        return context
    }

    /// The shapes of the statuses: each page has them once, and refers to them.
    private static let sprite = """
        <svg class="sr" aria-hidden="true" width="0" height="0">
        <symbol id="up" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7"/></symbol>
        <symbol id="degraded" viewBox="0 0 16 16"><path d="M8 .5 16 15.5H0z"/></symbol>
        <symbol id="down" viewBox="0 0 16 16"><path fill-rule="evenodd" d="M1 1h14v14H1zM4.8 3.4 3.4 4.8 6.6 8l-3.2 3.2 1.4 1.4L8 9.4l3.2 \
        3.2 1.4-1.4L9.4 8l3.2-3.2-1.4-1.4L8 6.6z"/></symbol>
        <symbol id="unknown" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="2.4"/></symbol>
        </svg>
        """
}

/// One thing that is wrong with the daemon itself, as long as it is: is it us?
package struct Banner: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case doubt, stopped, notReady = "not_ready", listHeld = "list_held", listNotRead = "list_not_read"
        case historyDropping = "history_dropping", overload
    }

    package var kind: Kind
    package var title: String
    package var text: String
    /// What to type.
    package var command: String?
    package var link: String?
    package var linkText: String?

    package init(_ kind: Kind, title: String, text: String, command: String? = nil, link: String? = nil, linkText: String? = nil)
    {
        (self.kind, self.title, self.text, self.command) = (kind, title, text, command)
        (self.link, self.linkText) = (link, linkText)
    }

    private var status: Status {
        switch kind {
        case .doubt, .stopped: .down
        case .notReady: .unknown
        case .listHeld, .listNotRead, .historyDropping, .overload: .degraded
        }
    }

    fileprivate var context: [String: Any] {
        var context: [String: Any] = ["status": status.rawValue, "title": title, "text": text]
        if let command { context["command"] = command }
        if let link { (context["link"], context["linkText"]) = (link, linkText ?? link) }
        return context
    }
}

extension ShownTime {
    var context: [String: Any] { ["machine": machine, "text": text] }
}
