import Health

struct TargetsAPIKeys: SectionKeys {
    let context: ReadingContext

    var keys: [Key<Settings.TargetsAPI>] {
        let clients = ClientKeys(context: context)
        return [
            Key("base_url", default: "https://api.requestrocket.com", \.baseURL, as: .webURL),
            Key("clients", default: "[]", \.clients, as: clients.list, below: clients.facts),
            Key("sync_interval", default: "60s", \.syncInterval, as: .duration(.seconds(1) ... .seconds(86_400))),
            Key("timeout", default: "10s", \.timeout, as: .duration(.milliseconds(100) ... .seconds(3600))),
            Key("max_list", default: "256MiB", \.maxList, as: .size(1024...(4 << 30))),
            Key("regions", default: "[]", \.regions, as: .list(.text(limit: Target.regionLimit))),
            Key("shard", \.shard, asNullable: .shard),
            Key("shrink_guard", default: "50%", \.shrinkGuard, as: .percent),
        ]
    }

    func check(_ section: Section, _ api: inout Settings.TargetsAPI) {
        let url = SplitURL(api.baseURL)
        let staysHere = url.map { isLoopback(host: $0.host) } ?? true
        if url?.scheme == "http" && !staysHere {
            section.diagnostics.error(
                "a token is sent over http to this machine only; 'base_url' must be https", at: section.location(of: "base_url"))
        }
    }
}

/// The keys of an entry of `targets_api.clients`.
struct ClientKeys: SectionKeys {
    struct Entry: Equatable {
        var id: String?
        var idLocation = SourceLocation.start
        var token: Secret?
    }

    let context: ReadingContext

    var keys: [Key<Entry>] {
        [
            Key("id", default: .needed, \.id) { section, entry in
                section.read("id", into: &entry.id, asNullable: .text(limit: Target.keyLimit))
                entry.idLocation = section.location(of: "id")
                if !section.has("id") { section.diagnostics.error("'id' is missing", at: section.location) }
            },
            context.secretKey("token", \.token),
        ]
    }

    var list: ValueParser<[Settings.TargetsAPI.Client]> {
        let context = context
        return ValueParser.list(.mapping(self, over: Entry()), limit: 1000).map { entries in
            var firstLocations: [String: SourceLocation] = [:]
            for entry in entries {
                guard let id = entry.id else { continue }
                if let first = firstLocations[id] {
                    context.diagnostics.error("client \(shown(id)) is already on line \(first.line)", at: entry.idLocation)
                } else {
                    firstLocations[id] = entry.idLocation
                }
            }
            return entries.compactMap { entry in
                entry.id.flatMap { id in entry.token.map { Settings.TargetsAPI.Client(id: id, token: $0) } }
            }
        }
    }
}

extension Settings {
    /// Whether the Targets API that is read is the one that this configuration serves.
    package var readsItsOwnServer: Bool {
        guard let server = targetsServer, let url = SplitURL(targetsAPI.baseURL), url.port == "\(server.listen.port)" else {
            return false
        }
        return url.host == server.listen.host || isLoopback(host: url.host)
    }
}
