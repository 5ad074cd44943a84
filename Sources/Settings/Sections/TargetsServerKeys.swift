import Health

struct TargetsServerKeys: SectionKeys {
    let context: ReadingContext

    var keys: [Key<Settings.TargetsServer>] {
        let tokens = TokenKeys(context: context)
        return [
            Key("listen", default: "127.0.0.1:10116", \.listen, as: .address),
            Key("database", default: "/var/lib/rangefinder/targets.db", \.database, as: context.path),
            Key("rate", default: "2000", \.rate, as: .whole(1...1_000_000)),
            Key("token_file", "token_env", default: .words("one of the two, or tokens"), \.tokens) { section, server in
                guard let token = context.secret("token", in: &section, isOptional: section.has("tokens")) else { return }
                server.tokens = [Settings.TargetsServer.Token(name: "token", secret: token)]
            },
            Key("tokens", default: .words("none"), \.tokens, below: tokens.facts) { section, server in
                var further: [Settings.TargetsServer.Token] = []
                section.read("tokens", into: &further, as: tokens.list)
                server.tokens += further
            },
        ]
    }

    var parser: ValueParser<Settings.TargetsServer> { .mapping(self, over: Settings.TargetsServer(tokens: [])) }

    func check(_ section: Section, _ server: inout Settings.TargetsServer) {
        guard let location = section.value(of: "tokens")?.location else { return }
        if Set(server.tokens.map(\.name)).count < server.tokens.count {
            section.diagnostics.error(
                "'token' is the name of the one that 'token_file' or 'token_env' gives", at: location)
        }
        if context.surroundings.readsSecrets, Set(server.tokens.map { $0.secret.reveal() }).count < server.tokens.count {
            section.diagnostics.error("two of the tokens are the same: which rights are meant can't be known", at: location)
        }
        if server.tokens.isEmpty, !section.diagnostics.hasErrors {
            section.diagnostics.error("there is no token: nobody could ask", at: location)
        }
    }
}

/// The keys of an entry of `targets_server.tokens`: tokens with less than all rights.
struct TokenKeys: SectionKeys {
    struct Entry: Equatable {
        var name: String?
        var nameLocation = SourceLocation.start
        var secret: Secret?
        var token = Settings.TargetsServer.Token(name: "", secret: Secret(""))
    }

    let context: ReadingContext

    var keys: [Key<Entry>] {
        [
            Key("name", default: .needed, \.name, asNullable: .text(limit: 64)),
            context.secretKey("token", \.secret),
            Key("client", \.token.client, asNullable: .text(limit: Target.keyLimit)),
            Key("access", default: "write", \.token.access, as: .word),
        ]
    }

    func check(_ section: Section, _ entry: inout Entry) {
        entry.nameLocation = section.location(of: "name")
        guard !section.has("name") else { return }
        section.diagnostics.error("'name' is missing: the audit names who changed a target", at: section.location)
    }

    var list: ValueParser<[Settings.TargetsServer.Token]> {
        let context = context
        return ValueParser.list(.mapping(self, over: Entry()), limit: 1000).map { entries in
            var lines: [String: Int] = [:]
            return entries.compactMap { entry in
                guard let name = entry.name else { return nil }
                if let line = lines[name] {
                    context.diagnostics.error("\(shown(name)) is already on line \(line)", at: entry.nameLocation)
                } else {
                    lines[name] = entry.nameLocation.line
                }
                guard let secret = entry.secret else { return nil }
                var token = entry.token
                (token.name, token.secret) = (name, secret)
                return token
            }
        }
    }
}
