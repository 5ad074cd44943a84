import Health

struct AlertingKeys: SectionKeys {
    let context: ReadingContext

    var keys: [Key<Settings.Alerting>] {
        let (webhooks, heartbeat) = (WebhookKeys(context: context), HeartbeatKeys(context: context))
        return [
            Key("alertmanagers", default: "[]", \.alertmanagers, as: .list(.webURL, limit: 16)),
            Key("webhooks", default: "[]", \.webhooks, as: .list(webhooks.parser, limit: 100), below: webhooks.facts),
            Key("resend_interval", default: "1m", \.resendInterval, as: .duration(.seconds(1) ... .seconds(3600))),
            Key("group_window", default: "10s", \.groupWindow, as: .duration(.zero ... .seconds(3600))),
            Key("degraded", default: "false", \.degraded, as: .truth),
            Key("evidence", default: "false", \.evidence, as: .truth),
            Key("heartbeat", \.heartbeat, asNullable: heartbeat.parser, below: heartbeat.facts),
        ]
    }

    func check(_ section: Section, _ alerting: inout Settings.Alerting) {
        section.refuseTwice(alerting.alertmanagers, of: "alertmanagers")
        // Without the secrets all hidden URLs are the same empty text.
        if context.surroundings.readsSecrets { section.refuseTwice(alerting.webhooks.map(\.url.revealed), of: "webhooks") }
    }
}

/// The keys of an entry of `alerting.webhooks`: `{url_file: NAME}` or `{url: …, secret_file: NAME}`.
struct WebhookKeys: SectionKeys {
    struct Entry: Equatable {
        var url: String?
        var hiddenURL: Secret?
        var secret: Secret?
    }

    let context: ReadingContext

    var keys: [Key<Entry>] {
        [
            Key("url", \.url, asNullable: .webURL),
            Key("url_file", "url_env", default: .words("none"), \.hiddenURL) { section, entry in
                entry.hiddenURL = context.secretURL(in: &section, isOptional: section.has("url"))
            },
            context.secretKey("secret", \.secret, isOptional: true),
        ]
    }

    var parser: ValueParser<Settings.Alerting.Webhook> {
        let entry = ValueParser.mapping(self, over: Entry())
        return ValueParser { value, diagnostics in
            entry.read(value, diagnostics).flatMap { entry in
                (entry.hiddenURL.map { .secret($0) } ?? entry.url.map { .plain($0) })
                    .map { Settings.Alerting.Webhook(url: $0, secret: entry.secret) }
            }
        }
    }
}

/// The keys of `alerting.heartbeat`.
struct HeartbeatKeys: SectionKeys {
    struct Entry: Equatable {
        var url: Secret?
        var heartbeat = Settings.Alerting.Heartbeat(url: Secret(""))
    }

    let context: ReadingContext

    var keys: [Key<Entry>] {
        let method = ValueParser<Bool>("GET or POST") { ["GET": false, "POST": true][$0] }
        return [
            Key("url_file", "url_env", default: .words("one of the two"), \.url) { section, entry in
                entry.url = context.secretURL(in: &section)
            },
            Key("interval", default: "1m", \.heartbeat.interval, as: .duration(.seconds(1) ... .seconds(86_400))),
            Key("method", default: "GET", \.heartbeat.posts, as: method),
            Key("failed_start", default: "false", \.heartbeat.tellsFailedStart, as: .truth),
        ]
    }

    var parser: ValueParser<Settings.Alerting.Heartbeat> {
        let entry = ValueParser.mapping(self, over: Entry())
        return ValueParser { value, diagnostics in
            entry.read(value, diagnostics).flatMap { entry in
                entry.url.map { url in
                    var heartbeat = entry.heartbeat
                    heartbeat.url = url
                    return heartbeat
                }
            }
        }
    }
}

extension ReadingContext {
    /// `url_file` or `url_env`: what it holds must be a URL that can be asked.
    fileprivate func secretURL(in section: inout Section, isOptional: Bool = false) -> Secret? {
        guard let url = secret("url", in: &section, isOptional: isOptional) else { return nil }
        guard surroundings.readsSecrets, let problem = webURLProblem(url.reveal(), mayHoldQuery: true) else { return url }
        let key = section.has("url_file") ? "url_file" : "url_env"
        diagnostics.error("'\(key)': what it holds \(problem)", at: section.location(of: key))
        return nil
    }
}
