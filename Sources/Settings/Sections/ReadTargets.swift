import Health

extension ReadingContext {
    func readTargetsAPI(_ section: inout Section, into api: inout Settings.TargetsAPI) {
        section.read("base_url", into: &api.baseURL, as: .webURL)
        if let entry = section.entry("clients") { api.clients = readClients(entry.value) }
        section.read("sync_interval", into: &api.syncInterval, as: .duration(.seconds(1) ... .seconds(86_400)))
        section.read("timeout", into: &api.timeout, as: .duration(.milliseconds(100) ... .seconds(3600)))
        section.read("max_list", into: &api.maxList, as: .size(1024...(4 << 30)))
        section.read("regions", into: &api.regions, as: .list(.text(limit: Target.regionLimit)))
        section.read("shard", into: &api.shard, asNullable: .shard)
        section.read("shrink_guard", into: &api.shrinkGuard, as: .percent)
        let url = URLParts(api.baseURL)
        let staysHere = url.map { $0.host == "localhost" || $0.host == "::1" || $0.host.hasPrefix("127.") } ?? true
        if url?.scheme == "http" && !staysHere {
            findings.error(
                "a token is sent over http to this machine only; 'base_url' must be https", at: section.place(of: "base_url"))
        }
    }

    private func readClients(_ value: Value) -> [Settings.TargetsAPI.Client] {
        var firstPlaces: [String: Place] = [:]
        let client = Kind<Settings.TargetsAPI.Client> { value, findings in
            let client = Section.read(value, path: "targets_api.clients", findings: findings) { section in
                var id: String?
                section.read("id", into: &id, asNullable: .text(limit: Target.keyLimit))
                if let id, let first = firstPlaces[id] {
                    findings.error("client \(shown(id)) is already on line \(first.line)", at: section.place(of: "id"))
                } else if let id {
                    firstPlaces[id] = section.place(of: "id")
                } else if !section.has("id") {
                    findings.error("'id' is missing", at: section.place)
                }
                let token = secret("token", in: &section)
                return id.flatMap { id in token.map { Settings.TargetsAPI.Client(id: id, token: $0) } }
            }
            return client ?? nil
        }
        return Kind.list(client, limit: 1000).read(value, findings) ?? []
    }

    func readTargetsServer(_ value: Value) -> Settings.TargetsServer? {
        if value.isNull { return nil }
        let server = Section.read(value, path: "targets_server", findings: findings) { section -> Settings.TargetsServer? in
            var server = Settings.TargetsServer(token: Secret(""))
            section.read("listen", into: &server.listen, as: .address)
            section.read("database", into: &server.database, as: path)
            guard let token = secret("token", in: &section) else { return nil }
            server.token = token
            return server
        }
        return server ?? nil
    }

    func readOverrides(_ value: Value, defaults: ProbePolicy) -> [Override] {
        let override = Kind<Override> { value, findings in
            let override = Section.read(value, path: "overrides", findings: findings) { section -> Override? in
                var policy = defaults
                let match = readMatch(&section)
                if let entry = section.entry("probe") {
                    // Under the same path as the defaults, so that one table of later keys serves both. A wrong pattern is
                    // reported already; that its secrets have nowhere to go would be the same thing again.
                    let secretsMayGo = match.map { $0.url?.mayCarrySecrets ?? false } ?? true
                    _ = Section.read(entry.value, path: "probe", findings: findings) {
                        readProbe(&$0, into: &policy, secretsMayGo: secretsMayGo)
                    }
                }
                return match.map { Override(match: $0, policy: policy) }
            }
            return override ?? nil
        }
        return Kind.list(override, limit: 1000).read(value, findings) ?? []
    }

    /// The `match` that a block must have.
    func readMatch(_ section: inout Section) -> Match? {
        if let entry = section.entry("match") { return matchKind.read(entry.value, findings) }
        findings.error("'match' is missing: which targets is this for?", at: section.place)
        return nil
    }

    private var matchKind: Kind<Match> {
        let glob = Kind<String>.text().map { Glob($0) }
        let urlPattern = Kind<URLPattern> { value, findings in
            guard let text = Kind<String>.text().read(value, findings) else { return nil }
            do throws(URLPattern.Problem) {
                return try URLPattern(text)
            } catch {
                findings.error("\(value.label) \(error.sentence)", at: value.place)
                return nil
            }
        }
        return Kind { value, findings in
            let reported = findings.count
            let match = Section.read(value, path: "match", findings: findings) { section in
                var match = Match()
                section.read("name", into: &match.name, asNullable: glob)
                section.read("region", into: &match.region, asNullable: glob)
                section.read("id", into: &match.id, asNullable: glob)
                section.read("url", into: &match.url, asNullable: urlPattern)
                return match
            }
            guard let match, findings.count == reported else { return nil }
            guard match != Match() else {
                findings.error("\(value.label) needs at least one of name, region, id and url", at: value.place)
                return nil
            }
            return match
        }
    }
}
