import Health

/// The keys of an entry of `maintenance`: `{match: …, from: T, to: T}` or `{match: …, cron: "0 2 * * 0", duration: 2h}`.
struct MaintenanceKeys: SectionKeys {
    struct Entry: Equatable {
        var match: Match?
        var from: Timestamp?
        var to: Timestamp?
        var cron: String?
        var duration: Duration?
    }

    let context: ReadingContext

    var keys: [Key<Entry>] {
        let time = ValueParser<Timestamp>("a time such as 2026-01-31T22:00:00Z") { Timestamp($0) }
        let cron = ValueParser<String>("the five fields of cron, as in \"0 2 * * 0\"") { CronSchedule($0) == nil ? nil : $0 }
            .checked { fields in
                CronSchedule(fields)?.everComes == false
                    ? "never comes: none of its months has one of its days" : nil
            }
        return [
            MatchKeys().key(\.match),
            Key("from", \.from, asNullable: time),
            Key("to", \.to, asNullable: time),
            Key("cron", \.cron, asNullable: cron),
            Key("duration", \.duration, asNullable: .duration(.seconds(1) ... .seconds(31 * 86_400))),
        ]
    }

    func check(_ section: Section, _ entry: inout Entry) {
        let isOnce = section.has("from") || section.has("to")
        let needed = isOnce ? ["from", "to"] : ["cron", "duration"]
        if isOnce == (section.has("cron") || section.has("duration")) || !needed.allSatisfy(section.has) {
            section.diagnostics.error("needs either 'from' and 'to' or 'cron' and 'duration'", at: section.location)
        }
        if let from = entry.from, let to = entry.to, from >= to {
            section.diagnostics.error("'to' is not after 'from'", at: section.location(of: "to"))
        }
    }

    var parser: ValueParser<Settings.Maintenance> {
        let entry = ValueParser.mapping(self, over: Entry())
        return ValueParser { value, diagnostics in entry.read(value, diagnostics).flatMap(Self.maintenance) }
    }

    private static func maintenance(_ entry: Entry) -> Settings.Maintenance? {
        guard let match = entry.match else { return nil }
        if let from = entry.from, let to = entry.to {
            return Settings.Maintenance(match: match, when: .once(from: from, to: to))
        }
        guard let cron = entry.cron, let duration = entry.duration else { return nil }
        return Settings.Maintenance(match: match, when: .recurring(cron: cron, duration: duration))
    }
}
