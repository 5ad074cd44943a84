import Health

extension Settings {
    /// Reads the whole document; what is wrong is in the context's diagnostics, and then this isn't to be used.
    init(_ document: Value, context: ReadingContext) {
        var settings = Settings()
        settings.vantage.name = context.surroundings.hostName
        settings.probe.userAgent = context.surroundings.userAgent
        _ = Section.read(document, path: "", diagnostics: context.diagnostics) { section in
            context.readDaemon(&section, into: &settings)
            context.readProbing(&section, into: &settings)
            context.readRecords(&section, into: &settings)
            context.checkTogether(section, settings)
        }
        self = settings
    }
}

extension ReadingContext {
    func readDaemon(_ section: inout Section, into settings: inout Settings) {
        if let entry = section.entry("vantage") { readVantage(entry.value, into: &settings.vantage) }
        section.read("listen", into: &settings.listen, as: .address)
        section.read("listen_names", into: &settings.listenNames, as: .list(.text(limit: 253), limit: 100))
        section.read("external_url", into: &settings.externalURL, asNullable: .webURL)
        section.read("admin", into: &settings.admin, as: .truth)
        section.read("core_dumps", into: &settings.coreDumps, as: .truth)
        section.read("web_config_file", into: &settings.webConfigFile, asNullable: webConfigFile)
        section.section("metrics") { $0.read("per_target", into: &settings.metrics.perTarget, as: .word) }
        section.section("log") { log in
            log.read("level", into: &settings.log.level, as: .word)
            log.read("format", into: &settings.log.format, as: .word)
        }
    }

    /// A mapping, or just the name.
    private func readVantage(_ value: Value, into vantage: inout Settings.Vantage) {
        let name = ValueParser<String>.text(limit: 64)
        if value.text != nil {
            vantage.name = name.read(value, diagnostics) ?? vantage.name
            return
        }
        _ = Section.read(value, path: "vantage", diagnostics: diagnostics) { section in
            section.read("name", into: &vantage.name, as: name)
            section.read("canaries", into: &vantage.canaries, as: .list(.webURL, limit: 16))
            refuseTwice(vantage.canaries, of: "canaries", in: section)
            if vantage.canaries.count == 1 {
                diagnostics.error(
                    "'canaries' needs at least two: one that fails proves nothing", at: section.location(of: "canaries"))
            }
            section.read("hold_max", into: &vantage.holdMax, as: .duration(.zero ... .seconds(86_400)))
        }
    }

    func readProbing(_ section: inout Section, into settings: inout Settings) {
        section.section("targets_api") { readTargetsAPI(&$0, into: &settings.targetsAPI) }
        if let entry = section.entry("targets_server") { settings.targetsServer = readTargetsServer(entry.value) }
        section.section("probe") { readProbe(&$0, into: &settings.probe, secretsMayGo: false) }
        section.section("limits") { limits in
            limits.read("max_in_flight", into: &settings.limits.maxInFlight, as: .whole(1...100_000))
            limits.read("max_lookups", into: &settings.limits.maxLookups, as: .whole(1...4096))
            limits.read("fast_budget", into: &settings.limits.fastBudget, as: .percent)
        }
        if let entry = section.entry("overrides") {
            settings.overrides = readOverrides(entry.value, defaults: settings.probe)
        }
        section.section("egress") { egress in
            egress.read("allow", into: &settings.egress.allow, as: .list(.block))
            egress.read("deny", into: &settings.egress.deny, as: .list(.denyEntry))
        }
    }

    func readRecords(_ section: inout Section, into settings: inout Settings) {
        section.section("history") { history in
            let keep = ValueParser.duration(.seconds(3600) ... .seconds(100 * 365 * 86_400))
            history.read("path", into: &settings.history.path, as: path)
            history.read("keep_raw", into: &settings.history.keepRaw, as: keep)
            history.read("keep_minutes", into: &settings.history.keepMinutes, as: keep)
            history.read("keep_hours", into: &settings.history.keepHours, as: keep)
            history.read("keep_days", into: &settings.history.keepDays, as: keep)
            checkAges(history, &settings)
            history.read("max_size", into: &settings.history.maxSize, asNullable: .size((1 << 20)...(1 << 50)))
        }
        section.section("alerting") { readAlerting(&$0, into: &settings.alerting) }
        section.read("maintenance", into: &settings.maintenance, as: .list(maintenanceKind, limit: 1000))
    }

    /// Each age is made of the one before, and is kept at least as long: one that isn't set follows, one that is and can't is a mistake.
    private func checkAges(_ history: Section, _ settings: inout Settings) {
        let ages: [(name: String, age: WritableKeyPath<Settings.History, Duration>)] = [
            ("keep_raw", \.keepRaw), ("keep_minutes", \.keepMinutes), ("keep_hours", \.keepHours), ("keep_days", \.keepDays),
        ]
        for (finer, coarser) in zip(ages, ages.dropFirst()) {
            let least = settings.history[keyPath: finer.age]
            guard settings.history[keyPath: coarser.age] < least else { continue }
            if history.has(coarser.name) {
                diagnostics.error(
                    "'\(coarser.name)' is shorter than '\(finer.name)', of which it is made: keep it at least as long",
                    at: history.location(of: coarser.name))
            } else {
                settings.history[keyPath: coarser.age] = least
            }
        }
    }

    /// What is wrong only between two sections.
    func checkTogether(_ section: Section, _ settings: Settings) {
        if let server = settings.targetsServer {
            let location = section.location(of: "targets_server")
            if server.listen == settings.listen && server.listen.port != 0 {
                diagnostics.error("'targets_server' listens on \(server.listen), as 'listen' does", at: location)
            }
            if server.database == settings.history.path {
                diagnostics.error("'targets_server.database' is the file of 'history.path'; each needs its own", at: location)
            }
        }
        // Beside an error this may be only its consequence.
        if settings.watchesNothing && !diagnostics.hasErrors {
            let (sentence, location) = ("nothing to probe: set targets_api.clients", section.location(of: "targets_api"))
            if mustWatch { diagnostics.error(sentence, at: location) } else { diagnostics.warning(sentence, at: location) }
        }
    }
}
