import Health

struct VantageKeys: SectionKeys {
    let context: ReadingContext

    var name: ValueParser<String> { .text(limit: 64) }

    var keys: [Key<Settings.Vantage>] {
        [
            Key("name", default: .words("the name of this machine"), \.name, as: name),
            Key("canaries", default: "[]", \.canaries, as: .list(.webURL, limit: 16)),
            Key("hold_max", default: "5m", \.holdMax, as: .duration(.zero ... .seconds(86_400))),
        ]
    }

    func check(_ section: Section, _ vantage: inout Settings.Vantage) {
        section.refuseTwice(vantage.canaries, of: "canaries")
        if vantage.canaries.count == 1 {
            section.diagnostics.error(
                "'canaries' needs at least two: one that fails proves nothing", at: section.location(of: "canaries"))
        }
    }
}

struct MetricsKeys: SectionKeys {
    var keys: [Key<Settings.Metrics>] {
        [Key("per_target", default: "full", \.perTarget, as: .word)]
    }
}

struct LogKeys: SectionKeys {
    var keys: [Key<Settings.Log>] {
        [
            Key("level", default: "info", \.level, as: .word),
            Key("format", default: "text", \.format, as: .word, .afterRestart),
        ]
    }
}

struct LimitsKeys: SectionKeys {
    var keys: [Key<Settings.Limits>] {
        [
            Key("threads", default: "auto", \.threads, as: .wholeOrAuto(1...16)),
            Key("max_in_flight", default: "10000", \.maxInFlight, as: .whole(1...100_000)),
            Key("max_lookups", default: "256", \.maxLookups, as: .whole(1...4096)),
            Key("fast_budget", default: "20%", \.fastBudget, as: .percent),
        ]
    }
}

struct EgressKeys: SectionKeys {
    var keys: [Key<EgressRule>] {
        [
            Key("allow", default: "[]", \.allow, as: .list(.block)),
            Key("deny", default: "[private, loopback, link-local, metadata]", \.deny, as: .list(.denyEntry)),
        ]
    }
}

struct HistoryKeys: SectionKeys {
    let context: ReadingContext

    var keys: [Key<Settings.History>] {
        let age = ValueParser.duration(.seconds(3600) ... .seconds(100 * 365 * 86_400))
        return [
            Key("path", default: "/var/lib/rangefinder/history.db", \.path, as: context.path),
            Key("keep_raw", default: "7d", \.keepRaw, as: age),
            Key("keep_minutes", default: "45d", \.keepMinutes, as: age),
            Key("keep_hours", default: "400d", \.keepHours, as: age),
            Key("keep_days", default: "10y", \.keepDays, as: age),
            Key("max_size", \.maxSize, asNullable: .size((1 << 20)...(1 << 50))),
        ]
    }

    /// Minutes are made of results, hours of minutes, and days of hours, and each is kept at least as long as what it is made of. An age that
    /// isn't set is raised. An age that is set too short is a mistake.
    func check(_ section: Section, _ history: inout Settings.History) {
        let ages: [(name: String, age: WritableKeyPath<Settings.History, Duration>)] = [
            ("keep_raw", \.keepRaw), ("keep_minutes", \.keepMinutes), ("keep_hours", \.keepHours), ("keep_days", \.keepDays),
        ]
        for (finer, coarser) in zip(ages, ages.dropFirst()) {
            let least = history[keyPath: finer.age]
            guard history[keyPath: coarser.age] < least else { continue }
            if section.has(coarser.name) {
                section.diagnostics.error(
                    "'\(coarser.name)' is shorter than '\(finer.name)', of which it is made: keep it at least as long",
                    at: section.location(of: coarser.name))
            } else {
                history[keyPath: coarser.age] = least
            }
        }
    }
}

extension Section {
    /// Refuses a URL that is listed twice. Its receiver would hear of everything once, and whoever listed the URL twice meant another one.
    func refuseTwice(_ urls: [String], of key: String) {
        var seen: Set<[UInt8]> = []
        guard let index = urls.indices.first(where: { !seen.insert(Array(urls[$0].utf8)).inserted }) else { return }
        diagnostics.error("'\(key)' has the same URL twice: entry \(index + 1) is there already", at: location(of: key))
    }
}
