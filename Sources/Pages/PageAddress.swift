package import Health

/// Which page a path and its query name.
package enum PageAddress: Hashable, Sendable {
    case overview
    case targets(TargetQuery)
    case target(TargetIdentity, LatencyFacts.Window)
    case incidents(IncidentQuery)
    case incident(Int64)
    case certificates
    case daemon
    case wall
    case feed

    /// It shows what no result and no commit tells of: settings, a sync, a window that ends.
    package var changesByItself: Bool {
        switch self {
        case .daemon, .target, .incident: true
        case .overview, .targets, .incidents, .certificates, .wall, .feed: false
        }
    }

    /// Why a query names no page. Safe to show.
    package struct Mistake: Error, Hashable {
        package let sentence: String
        package init(_ sentence: String) { self.sentence = sentence }
    }

    /// nil of a path that names no page.
    ///
    /// - Parameters:
    ///   - path: percent-encoded, without the ending of a twin.
    ///   - fields: of the query, decoded.
    package init?(path: String, fields: [(name: String, value: String)]) throws(Mistake) {
        switch path {
        case "/targets": self = .targets(try TargetQuery(fields: fields))
        case "/incidents": self = .incidents(try IncidentQuery(fields: fields))
        default:
            if let target = Self.target(path) {
                self = .target(target, try Self.window(fields))
                return
            }
            guard let plain = Self.plain(path) else { return nil }
            try Self.refuseUnknown(fields, known: [])
            self = plain
        }
    }

    private static func plain(_ path: String) -> PageAddress? {
        switch path {
        case "/", "/index": return .overview
        case "/certificates": return .certificates
        case "/daemon": return .daemon
        case "/wall": return .wall
        case "/feed.atom": return .feed
        default:
            let parts = path.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 3, parts[1] == "incidents", let id = Int64(parts[2]), id > 0 else { return nil }
            return .incident(id)
        }
    }

    /// Of `/targets/{client}/{id}`: each part is percent-encoded.
    private static func target(_ path: String) -> TargetIdentity? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[1] == "targets", let client = percentDecoded(parts[2]), let key = percentDecoded(parts[3]),
            !client.isEmpty, !key.isEmpty
        else { return nil }
        return TargetIdentity(clientID: client, key: key)
    }

    private static func window(_ fields: [(name: String, value: String)]) throws(Mistake) -> LatencyFacts.Window {
        try refuseUnknown(fields, known: ["window"])
        guard let value = fields.last?.value, !value.isEmpty else { return .day }
        guard let window = LatencyFacts.Window(rawValue: value) else {
            let known = LatencyFacts.Window.allCases.map(\.rawValue).joined(separator: ", ")
            throw Mistake("window=\(displayText(value, limit: 40)) is not understood; there are \(known)")
        }
        return window
    }

    /// A name that is misspelled would be a filter that filters nothing.
    fileprivate static func refuseUnknown(_ fields: [(name: String, value: String)], known: Set<String>) throws(Mistake) {
        if let unknown = fields.first(where: { !known.contains($0.name) }) {
            let there = known.isEmpty ? "this page has none" : "there are \(known.sorted().joined(separator: ", "))"
            throw Mistake("unknown parameter \(displayText(unknown.name, limit: 40)); \(there)")
        }
    }
}

extension TargetQuery {
    private static let names: Set = ["status", "region", "host", "client", "reason", "q", "sort", "after", "limit"]

    /// An empty value is none, as a form without script sends it.
    init(fields: [(name: String, value: String)]) throws(PageAddress.Mistake) {
        self.init()
        try PageAddress.refuseUnknown(fields, known: Self.names)
        for (name, value) in fields where !value.isEmpty { try set(name, value) }
    }

    private mutating func set(_ name: String, _ value: String) throws(PageAddress.Mistake) {
        func mistake(_ wanted: String) -> PageAddress.Mistake {
            PageAddress.Mistake("\(name)=\(displayText(value, limit: 40)) is not understood; \(wanted)")
        }
        switch name {
        case "status":
            guard let status = Status(rawValue: value) else {
                throw mistake("there are \(Status.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            self.status = status
        case "region": region = value
        case "host": host = value
        case "client": client = value
        case "reason":
            guard Reason(rawValue: value) != nil || Cause(rawValue: value) != nil else {
                throw mistake("the reasons and causes are in the list of the page")
            }
            reason = value
        case "q": text = value
        case "sort":
            guard let order = Order(rawValue: value) else {
                throw mistake("there are \(Order.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            self.order = order
        case "limit":
            guard let limit = Int(value), (1...Self.rowsMax).contains(limit) else {
                throw mistake("it is from 1 to \(Self.rowsMax)")
            }
            self.limit = limit
        default:
            guard let cursor = Cursor(value) else { throw mistake("take the link of the page before") }
            after = cursor
        }
    }
}

extension IncidentQuery {
    private static let names: Set = ["state", "region", "reason", "client", "target", "q", "day", "before", "limit"]

    /// An empty value is none, as a form without script sends it.
    init(fields: [(name: String, value: String)]) throws(PageAddress.Mistake) {
        self.init()
        try PageAddress.refuseUnknown(fields, known: Self.names)
        var (client, key): (String?, String?)
        for (name, value) in fields where !value.isEmpty {
            switch name {
            case "client": client = value
            case "target": key = value
            default: try set(name, value)
            }
        }
        guard (client == nil) == (key == nil) else { throw PageAddress.Mistake("client and target go together") }
        if let client, let key { target = TargetIdentity(clientID: client, key: key) }
    }

    private mutating func set(_ name: String, _ value: String) throws(PageAddress.Mistake) {
        func mistake(_ wanted: String) -> PageAddress.Mistake {
            PageAddress.Mistake("\(name)=\(displayText(value, limit: 40)) is not understood; \(wanted)")
        }
        switch name {
        case "state":
            guard let state = State(rawValue: value) else {
                throw mistake("there are \(State.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            self.state = state
        case "region": region = value
        case "reason":
            guard let reason = Reason(rawValue: value) else { throw mistake("the reasons are in the list of the page") }
            self.reason = reason
        case "q": text = value
        case "day":
            guard let day = Self.day(value) else { throw mistake("it is a day in UTC, as in 2026-11-28") }
            self.day = day
        case "limit":
            guard let limit = Int(value), (1...Self.rowsMax).contains(limit) else {
                throw mistake("it is from 1 to \(Self.rowsMax)")
            }
            self.limit = limit
        default:
            guard let id = Int64(value) else { throw mistake("take the link of the page before") }
            before = id
        }
    }
}
