import Health

extension ReadingContext {
    func readAlerting(_ section: inout Section, into alerting: inout Settings.Alerting) {
        section.read("alertmanagers", into: &alerting.alertmanagers, as: .list(.webURL, limit: 16))
        refuseTwice(alerting.alertmanagers, of: "alertmanagers", in: section)
        section.read("webhooks", into: &alerting.webhooks, as: .list(webhookKind, limit: 100))
        refuseTwice(alerting.webhooks.map(\.url.revealed), of: "webhooks", in: section)
        section.read("resend_interval", into: &alerting.resendInterval, as: .duration(.seconds(1) ... .seconds(3600)))
        section.read("group_window", into: &alerting.groupWindow, as: .duration(.zero ... .seconds(3600)))
        section.read("degraded", into: &alerting.degraded, as: .truth)
        section.read("heartbeat", into: &alerting.heartbeat, asNullable: heartbeatKind)
    }

    /// One that is named twice would hear of everything once: whoever wrote that meant another.
    func refuseTwice(_ urls: [String], of key: String, in section: Section) {
        var seen: Set<[UInt8]> = []
        guard let location = urls.indices.first(where: { !seen.insert(Array(urls[$0].utf8)).inserted }) else { return }
        diagnostics.error(
            "'\(key)' has the same URL twice: entry \(location + 1) is there already", at: section.location(of: key))
    }

    /// `url_file` or `url_env`: what it holds must be a URL that can be asked.
    private func secretURL(in section: inout Section, isOptional: Bool = false) -> Secret? {
        guard let url = secret("url", in: &section, isOptional: isOptional) else { return nil }
        guard let problem = webURLProblem(url.reveal(), mayHoldQuery: true) else { return url }
        let key = section.has("url_file") ? "url_file" : "url_env"
        diagnostics.error("'\(key)': what it holds \(problem)", at: section.location(of: key))
        return nil
    }

    /// `{url_file: NAME}` or `{url: …, secret_file: NAME}`.
    private var webhookKind: ValueParser<Settings.Alerting.Webhook> {
        ValueParser { value, diagnostics in
            let webhook = Section.read(value, path: "webhooks", diagnostics: diagnostics) {
                section -> Settings.Alerting.Webhook? in
                var url: String?
                section.read("url", into: &url, asNullable: .webURL)
                let hidden = secretURL(in: &section, isOptional: section.has("url"))
                let signing = secret("secret", in: &section, isOptional: true)
                return (hidden.map { .secret($0) } ?? url.map { .plain($0) })
                    .map { Settings.Alerting.Webhook(url: $0, secret: signing) }
            }
            return webhook ?? nil
        }
    }

    private var heartbeatKind: ValueParser<Settings.Alerting.Heartbeat> {
        ValueParser { value, diagnostics in
            let heartbeat = Section.read(value, path: "heartbeat", diagnostics: diagnostics) { section in
                let url = secretURL(in: &section)
                var interval: Duration = .seconds(60)
                section.read("interval", into: &interval, as: .duration(.seconds(1) ... .seconds(86_400)))
                var posts = false
                section.read(
                    "method", into: &posts, as: ValueParser("GET or POST") { ["GET": false, "POST": true][$0] })
                var tellsFailedStart = false
                section.read("failed_start", into: &tellsFailedStart, as: .truth)
                return url.map {
                    Settings.Alerting.Heartbeat(url: $0, interval: interval, posts: posts, tellsFailedStart: tellsFailedStart)
                }
            }
            return heartbeat ?? nil
        }
    }

    /// `{match: …, from: T, to: T}` or `{match: …, cron: "0 2 * * 0", duration: 2h}`.
    var maintenanceKind: ValueParser<Settings.Maintenance> {
        let time = ValueParser<Timestamp>("a time such as 2026-01-31T22:00:00Z") { Timestamp($0) }
        let cron = ValueParser<String>("the five fields of cron, as in \"0 2 * * 0\"") { CronSchedule($0) == nil ? nil : $0 }
            .checked { fields in
                CronSchedule(fields)?.everComes == false
                    ? "never comes: none of its months has one of its days" : nil
            }
        return ValueParser { value, diagnostics in
            let maintenance = Section.read(value, path: "maintenances", diagnostics: diagnostics) {
                section -> Settings.Maintenance? in
                let match = readMatch(&section)
                var (from, to): (Timestamp?, Timestamp?)
                var (fields, duration): (String?, Duration?)
                section.read("from", into: &from, asNullable: time)
                section.read("to", into: &to, asNullable: time)
                section.read("cron", into: &fields, asNullable: cron)
                section.read("duration", into: &duration, asNullable: .duration(.seconds(1) ... .seconds(31 * 86_400)))
                let isOnce = section.has("from") || section.has("to")
                let keys = isOnce ? ["from", "to"] : ["cron", "duration"]
                if isOnce == (section.has("cron") || section.has("duration")) || !keys.allSatisfy(section.has) {
                    diagnostics.error("needs either 'from' and 'to' or 'cron' and 'duration'", at: section.location)
                }
                if let from, let to, from >= to { diagnostics.error("'to' is not after 'from'", at: section.location(of: "to")) }
                guard let match else { return nil }
                if let from, let to { return Settings.Maintenance(match: match, when: .once(from: from, to: to)) }
                guard let fields, let duration else { return nil }
                return Settings.Maintenance(match: match, when: .recurring(cron: fields, duration: duration))
            }
            return maintenance ?? nil
        }
    }
}
