import Foundation
import Health
import Settings
import Testing

/// The rows of the keys, held against the readers, the example file and the documentation.
struct KeyTests {
    private static let repository = URL(filePath: #filePath).appending(path: "../../..").standardized

    private static func text(of path: String) throws -> String {
        try String(contentsOf: repository.appending(path: path), encoding: .utf8)
    }

    /// What the changed values below name.
    private static let machine = SettingsTests.machine(
        texts: ["/etc/rangefinder/web.yml": "", "/etc/rangefinder/ca.pem": "-----BEGIN CERTIFICATE-----\n"],
        environment: ["TOKEN": "t", "URL": "https://hook.example.com"])

    private static func settings(_ yaml: String) throws -> Settings {
        let reading = read(yaml, on: machine)
        return try #require(reading.settings, "\(yaml): \(lines(reading))")
    }

    /// As in `probe: {expect: {status: [200]}}` for `probe.expect.status`.
    private static func yaml(_ path: String, _ value: String, beside neighbour: String = "") -> String {
        let names = path.split(separator: ".")
        let opening = names.dropLast().map { "\($0): {" }.joined()
        return "\(opening)\(neighbour)\(names.last ?? ""): \(value)" + String(repeating: "}", count: names.count - 1)
    }

    @Test(arguments: Settings.keys.filter { $0.place == .key })
    func aDefaultThatIsWrittenOutChangesNothing(key: KeyFacts) throws {
        guard case .text(let text) = key.defaultValue else { return }
        #expect(try Self.settings(Self.yaml(key.path, text)) == Self.settings(""))
    }

    @Test(arguments: [
        ("targets_server", "token_env: TOKEN, "), ("alerting.heartbeat", "url_env: URL, "),
    ])
    func aDefaultWithinAMappingThatMayBeNullChangesNothing(mapping: String, needed: String) throws {
        let without = try Self.settings(Self.yaml(mapping, "{\(needed)}"))
        let keys = Settings.keys.filter { $0.path.hasPrefix(mapping + ".") && $0.path != "targets_server.tokens.client" }
        #expect(keys.count > 3)
        for key in keys where key.path.split(separator: ".").count == mapping.split(separator: ".").count + 1 {
            guard case .text(let text) = key.defaultValue else { continue }
            #expect(try Self.settings(Self.yaml(key.path, text, beside: needed)) == without, "\(key.path)")
        }
    }

    /// A value for each key that isn't its default.
    private static let otherValues = [
        "vantage.name": "moon", "vantage.canaries": "['https://a.example.com', 'https://b.example.com']",
        "vantage.hold_max": "6m",
        "listen": "127.0.0.1:1", "listen_names": "[status.example.com]", "external_url": "https://status.example.com",
        "pages": "open", "admin": "true", "web_config_file": "web.yml", "metrics.per_target": "none", "log.level": "debug",
        "log.format": "json",
        "core_dumps": "true", "targets_file": "targets.yaml", "targets_api.base_url": "https://targets.example.com",
        "targets_api.clients": "[{id: one, token_env: TOKEN}]", "targets_api.sync_interval": "61s", "targets_api.timeout": "11s",
        "targets_api.max_list": "1MiB", "targets_api.regions": "[us-east-1]", "targets_api.shard": "2/5",
        "targets_api.shrink_guard": "51%", "targets_server": "{token_env: TOKEN}", "probe.enabled": "false",
        "probe.interval": "31s", "probe.fast_interval": "6s", "probe.timeout": "11s", "probe.fall": "4", "probe.rise": "3",
        "probe.taint_after": "2s", "probe.method": "POST", "probe.headers": "{Accept: text/plain}", "probe.body": "text",
        "probe.user_agent": "me", "probe.expect.status": "[200]", "probe.expect.body_matches": "ok",
        "probe.expect.body_json": "{path: $.a, equals: 1}", "probe.expect.max_duration": "1s",
        "probe.expect.certificate_days": "15", "probe.evidence.body": "1KiB", "probe.evidence.headers": "false",
        "probe.connection": "reuse", "probe.http_version": "2",
        "probe.follow_redirects": "6", "probe.max_body": "2MiB", "probe.path_join": "append", "probe.ip": "v6",
        "probe.dns_cache": "auto", "probe.dns_search": "true", "probe.ca_file": "ca.pem", "probe.proxy": "http://proxy:3128",
        "limits.threads": "1", "limits.max_in_flight": "1", "limits.max_lookups": "1", "limits.fast_budget": "21%",
        "overrides": "[{match: {name: a}, probe: {interval: 1m}}]", "egress.allow": "[10.1.0.0/16]", "egress.deny": "[metadata]",
        "history.path": "other.db", "history.keep_raw": "8d", "history.keep_minutes": "46d", "history.keep_hours": "401d",
        "history.keep_days": "11y", "history.max_size": "10GiB", "alerting.alertmanagers": "['https://a.example.com']",
        "alerting.webhooks": "[{url: 'https://a.example.com'}]", "alerting.resend_interval": "2m", "alerting.group_window": "11s",
        "alerting.degraded": "true", "alerting.evidence": "true", "alerting.heartbeat": "{url_env: URL}",
        "maintenance": "[{match: {name: a}, cron: '0 2 * * 0', duration: 2h}]",
    ]

    /// They hold a secret, which only an override may have: see TransportTests.
    private static let onlyInOverrides: Set = ["probe.client_certificate_file", "probe.client_key_file"]

    @Test(arguments: Settings.keys.filter { $0.place == .key && !Self.onlyInOverrides.contains($0.path) })
    func aChangedValueIsInForceWhenItsRowSays(key: KeyFacts) throws {
        let value = try #require(Self.otherValues[key.path], "this test needs a value for \(key.path)")
        let (before, after) = (try Self.settings(""), try Self.settings(Self.yaml(key.path, value)))
        #expect(after != before)
        let names = after.keysForRestart(since: before)
        #expect(names.count == (key.inForce == .afterRestart ? 1 : 0))
        for name in names { #expect(key.path == name || key.path.hasPrefix(name + ".")) }
    }

    @Test func aRestartIsNamedOnceForEachSectionThatIsTakenWhole() throws {
        let changed = try Self.settings(
            "core_dumps: true\nlog: {format: json, level: debug}\nlimits: {max_lookups: 1, max_in_flight: 1}\nvantage: moon\n")
        #expect(changed.keysForRestart(since: try Self.settings("")) == ["vantage", "limits", "log.format", "core_dumps"])
    }

    @Test func theExampleFileHasEveryKeyWithItsDefault() throws {
        let example = try ExampleFile(Self.text(of: "config/rangefinder.yaml"))
        for key in Settings.keys where !key.path.hasSuffix("_env") {
            guard let found = example.keys[key.path] else {
                #expect(key.place == .partOfValue && example.mentions(key.path), "the example has no \(key.path)")
                continue
            }
            switch key.defaultValue {
            case .text(let text): #expect(found.value == text, "the example's \(key.path)")
            case .words, .needed: #expect(found.isComment, "\(key.path) has no default, and the example sets it")
            }
        }
    }

    @Test func theExampleFileHasNoKeyWithoutARow() throws {
        let example = try ExampleFile(Self.text(of: "config/rangefinder.yaml"))
        let rows = Settings.keys.map(\.path)
        for path in example.keys.keys {
            #expect(rows.contains { $0 == path || $0.hasPrefix(path + ".") }, "no row has the key \(path)")
        }
    }

    @Test func theDocumentationsTableIsMadeOfTheRows() throws {
        let rows = Settings.keys.map { key in
            let defaultText =
                switch key.defaultValue {
                case .text(let text): "`\(text)`"
                case .words(let words): words
                case .needed: "must be set"
                }
            return "| `\(key.path)` | \(defaultText) | \(key.inForce == .afterReload ? "reload" : "restart") |\n"
        }
        let table = "| Key | Default | Taken by |\n|---|---|---|\n" + rows.joined()
        let page = try Self.text(of: "docs/configuration.md")
        #expect(page.contains(table), "docs/configuration.md has to have this table:\n\(table)")
        #expect(page.count { $0 == "|" } == table.count { $0 == "|" }, "docs/configuration.md has more rows than this:\n\(table)")
    }
}
