import Health

/// The keys at the top of the file.
struct SettingsKeys: SectionKeys {
    let context: ReadingContext

    var keys: [Key<Settings>] {
        [
            Key(section: "vantage", \.vantage, VantageKeys(context: context), .afterRestart, read: vantage),
            Key("listen", default: "127.0.0.1:10115", \.listen, as: .address, .afterRestart),
            Key("listen_names", default: "[]", \.listenNames, as: .list(.text(limit: 253), limit: 100), .afterRestart),
            Key("external_url", \.externalURL, asNullable: .webURL),
            Key("pages", default: "auto", \.pages, as: .word, .afterRestart),
            Key("admin", default: "false", \.admin, as: .truth, .afterRestart),
            Key("web_config_file", \.webConfigFile, asNullable: context.webConfigFile),
            Key(section: "metrics", \.metrics, MetricsKeys()),
            Key("targets_file", \.targetsFile, asNullable: context.path),
            Key(section: "targets_api", \.targetsAPI, TargetsAPIKeys(context: context)),
            targetsServer,
            Key(section: "probe", \.probe, ProbeKeys(context: context, secretRefusal: ProbeKeys.needsOverride)),
            Key(section: "limits", \.limits, LimitsKeys(), .afterRestart),
            // `overrides` stands below `probe`, because every override starts from the values of `probe`.
            overrides,
            Key(section: "egress", \.egress, EgressKeys()),
            Key(section: "history", \.history, HistoryKeys(context: context), .afterRestart),
            Key(section: "alerting", \.alerting, AlertingKeys(context: context)),
            Key(
                "maintenance", default: "[]", \.maintenance, as: .list(MaintenanceKeys(context: context).parser, limit: 1000),
                below: MaintenanceKeys(context: context).facts),
            Key(section: "log", \.log, LogKeys()),
            Key("core_dumps", default: "false", \.coreDumps, as: .truth, .afterRestart),
        ]
    }

    private var targetsServer: Key<Settings> {
        let keys = TargetsServerKeys(context: context)
        return Key(
            "targets_server", default: .words("off"), \.targetsServer, asNullable: keys.parser, .afterRestart, below: keys.facts)
    }

    private var overrides: Key<Settings> {
        Key("overrides", default: "[]", \.overrides, below: OverrideKeys(context: context, defaults: ProbePolicy()).facts) {
            section, settings in
            let keys = OverrideKeys(context: context, defaults: settings.probe)
            section.read("overrides", into: &settings.overrides, as: .list(keys.parser, limit: 1000))
        }
    }

    /// `vantage` is a mapping, or just the name.
    private func vantage(_ value: Value, into vantage: inout Settings.Vantage) {
        let keys = VantageKeys(context: context)
        if value.text != nil {
            vantage.name = keys.name.read(value, context.diagnostics) ?? vantage.name
        } else {
            vantage = ValueParser.mapping(keys, over: vantage).read(value, context.diagnostics) ?? vantage
        }
    }

    /// The targets come from one place.
    private func checkSource(_ section: Section, _ settings: Settings) {
        guard settings.targetsFile != nil else { return }
        let location = section.location(of: "targets_file")
        if let api = section.value(of: "targets_api"), case .mapping(let entries) = api.content,
            let other = entries.first(where: { ["base_url", "clients"].contains($0.name) })
        {
            context.diagnostics.error(
                "the targets come from 'targets_file' (line \(location.line)) or from the API of 'targets_api.\(other.name)'; keep one of them",
                at: other.location)
        }
        if section.value(of: "targets_server").map({ !$0.isNull }) ?? false {
            context.diagnostics.error(
                "the targets come from 'targets_file' (line \(location.line)), and nobody would read those of 'targets_server'; keep one of them",
                at: section.location(of: "targets_server"))
        }
    }

    func check(_ section: Section, _ settings: inout Settings) {
        let diagnostics = context.diagnostics
        checkSource(section, settings)
        settings.probeWritten.keys = section.value(of: "probe")?.writtenKeys() ?? []
        if let server = settings.targetsServer {
            let location = section.location(of: "targets_server")
            if server.listen == settings.listen && server.listen.port != 0 {
                diagnostics.error("'targets_server' listens on \(server.listen), as 'listen' does", at: location)
            }
            if server.database == settings.history.path {
                diagnostics.error("'targets_server.database' is the file of 'history.path'; each needs its own", at: location)
            }
        }
        // Next to an error the empty list of clients may be only a consequence of the error.
        if settings.watchesNothing && !diagnostics.hasErrors {
            let (sentence, location) = (
                "nothing to probe: set targets_file, or targets_api.clients", section.location(of: "targets_api")
            )
            if context.mustWatch {
                diagnostics.error(sentence, at: location)
            } else {
                diagnostics.warning(sentence, at: location)
            }
        }
    }
}

extension Settings {
    /// Reads the whole document; what is wrong is in the context's diagnostics, and then this isn't to be used.
    init(_ document: Value, context: ReadingContext) {
        var settings = Settings()
        settings.vantage.name = context.surroundings.hostName
        settings.probe.userAgent = context.surroundings.userAgent
        self = ValueParser.mapping(SettingsKeys(context: context), over: settings).read(document, context.diagnostics) ?? settings
    }
}
