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
            diagnostics.error(
                "a token is sent over http to this machine only; 'base_url' must be https", at: section.location(of: "base_url"))
        }
    }

    private func readClients(_ value: Value) -> [Settings.TargetsAPI.Client] {
        var firstLocations: [String: SourceLocation] = [:]
        let client = ValueParser<Settings.TargetsAPI.Client> { value, diagnostics in
            let client = Section.read(value, path: "targets_api.clients", diagnostics: diagnostics) { section in
                var id: String?
                section.read("id", into: &id, asNullable: .text(limit: Target.keyLimit))
                if let id, let first = firstLocations[id] {
                    diagnostics.error("client \(shown(id)) is already on line \(first.line)", at: section.location(of: "id"))
                } else if let id {
                    firstLocations[id] = section.location(of: "id")
                } else if !section.has("id") {
                    diagnostics.error("'id' is missing", at: section.location)
                }
                let token = secret("token", in: &section)
                return id.flatMap { id in token.map { Settings.TargetsAPI.Client(id: id, token: $0) } }
            }
            return client ?? nil
        }
        return ValueParser.list(client, limit: 1000).read(value, diagnostics) ?? []
    }

    func readTargetsServer(_ value: Value) -> Settings.TargetsServer? {
        if value.isNull { return nil }
        let server = Section.read(value, path: "targets_server", diagnostics: diagnostics) { section -> Settings.TargetsServer? in
            var server = Settings.TargetsServer(tokens: [])
            section.read("listen", into: &server.listen, as: .address)
            section.read("database", into: &server.database, as: path)
            section.read("rate", into: &server.rate, as: .whole(1...1_000_000))
            let further = section.entry("tokens")
            if let token = secret("token", in: &section, isOptional: further != nil) {
                server.tokens = [Settings.TargetsServer.Token(name: "token", secret: token)]
            }
            if let further { server.tokens += readTokens(further.value) }
            if let further, Set(server.tokens.map(\.name)).count < server.tokens.count {
                diagnostics.error(
                    "'token' is the name of the one that 'token_file' or 'token_env' gives", at: further.value.location)
            }
            if let further, Set(server.tokens.map { $0.secret.reveal() }).count < server.tokens.count {
                diagnostics.error(
                    "two of the tokens are the same: which rights are meant can't be known", at: further.value.location)
            }
            if server.tokens.isEmpty, let further, !diagnostics.hasErrors {
                diagnostics.error("there is no token: nobody could ask", at: further.value.location)
            }
            return server
        }
        return server ?? nil
    }

    /// Tokens with less than all rights.
    private func readTokens(_ value: Value) -> [Settings.TargetsServer.Token] {
        var lines: [String: Int] = [:]
        let kind = ValueParser<Settings.TargetsServer.Token> { value, diagnostics in
            let token = Section.read(value, path: "targets_server.tokens", diagnostics: diagnostics) { section in
                var name: String?
                section.read("name", into: &name, asNullable: .text(limit: 64))
                let secret = secret("token", in: &section)
                var token = Settings.TargetsServer.Token(name: name ?? "", secret: secret ?? Secret(""))
                section.read("client", into: &token.client, asNullable: .text(limit: Target.keyLimit))
                section.read("access", into: &token.access, as: .word)
                if let name, let line = lines[name] {
                    diagnostics.error("\(shown(name)) is already on line \(line)", at: section.location(of: "name"))
                } else if let name {
                    lines[name] = section.location(of: "name").line
                } else if !section.has("name") {
                    diagnostics.error("'name' is missing: the audit names who changed a target", at: section.location)
                }
                return secret == nil || name == nil ? nil : token
            }
            return token ?? nil
        }
        return ValueParser.list(kind, limit: 1000).read(value, diagnostics) ?? []
    }

    func readOverrides(_ value: Value, defaults: ProbePolicy) -> [Override] {
        let override = ValueParser<Override> { value, diagnostics in
            let override = Section.read(value, path: "overrides", diagnostics: diagnostics) { section -> Override? in
                var policy = defaults
                let match = readMatch(&section)
                if let entry = section.entry("probe") {
                    // Under the same path as the defaults, so that one table of later keys serves both. A wrong pattern is
                    // reported already; that its secrets have nowhere to go would be the same thing again.
                    let secretsMayGo = match.map { $0.url?.mayCarrySecrets ?? false } ?? true
                    _ = Section.read(entry.value, path: "probe", diagnostics: diagnostics) {
                        readProbe(&$0, into: &policy, secretsMayGo: secretsMayGo)
                    }
                }
                return match.map { Override(match: $0, policy: policy) }
            }
            return override ?? nil
        }
        return ValueParser.list(override, limit: 1000).read(value, diagnostics) ?? []
    }

    /// The `match` that a block must have.
    func readMatch(_ section: inout Section) -> Match? {
        if let entry = section.entry("match") { return matchKind.read(entry.value, diagnostics) }
        diagnostics.error("'match' is missing: which targets is this for?", at: section.location)
        return nil
    }

    private var matchKind: ValueParser<Match> {
        let glob = ValueParser<String>.text().map { Glob($0) }
        let urlPattern = ValueParser<URLPattern> { value, diagnostics in
            guard let text = ValueParser<String>.text().read(value, diagnostics) else { return nil }
            do throws(URLPattern.Problem) {
                return try URLPattern(text)
            } catch {
                diagnostics.error("\(value.label) \(error.sentence)", at: value.location)
                return nil
            }
        }
        return ValueParser { value, diagnostics in
            let reported = diagnostics.count
            let match = Section.read(value, path: "match", diagnostics: diagnostics) { section in
                var match = Match()
                section.read("name", into: &match.name, asNullable: glob)
                section.read("region", into: &match.region, asNullable: glob)
                section.read("id", into: &match.id, asNullable: glob)
                section.read("url", into: &match.url, asNullable: urlPattern)
                return match
            }
            guard let match, diagnostics.count == reported else { return nil }
            guard match != Match() else {
                diagnostics.error("\(value.label) needs at least one of name, region, id and url", at: value.location)
                return nil
            }
            return match
        }
    }
}

extension Settings {
    /// Whether the Targets API that is read is the one that this configuration serves.
    package var readsItsOwnServer: Bool {
        guard let server = targetsServer, let url = URLParts(targetsAPI.baseURL), url.port == "\(server.listen.port)" else {
            return false
        }
        return url.host == server.listen.host || url.host == "localhost" || (IPAddress(url.host)?.isLoopback ?? false)
    }
}
