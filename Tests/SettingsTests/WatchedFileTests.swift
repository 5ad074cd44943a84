import Health
import Testing

@testable import Settings

@Suite struct WatchedFileTests {
    private func read(_ text: String, base: ProbePolicy = ProbePolicy()) -> WatchedFile.Reading {
        Settings().watchedFile(Array(text.utf8)) { _ in base }
    }

    private func problems(_ text: String) -> [String] {
        read(text).diagnostics.map { "\($0.line):\($0.column): \($0.message)" }
    }

    @Test func aURLAloneIsATarget() throws {
        let file = try #require(
            read(
                """
                targets:
                  - https://example.com/health?full=1
                  - http://[::1]:8080
                  - https://example.org?x=1
                  - url: https://api.example.com/v1/status
                    name: API
                    region: eu
                """
            ).file)
        #expect(file.targets.map(\.name) == ["example.com/health?full", "[::1]:8080", "example.org?x", "API"])
        #expect(
            file.targets.map(\.baseURL) == [
                "https://example.com", "http://[::1]:8080", "https://example.org", "https://api.example.com",
            ])
        #expect(file.targets.map(\.testPath) == ["/health?full=1", "/", "/?x=1", "/v1/status"])
        #expect(file.targets.map(\.identity.key) == ["example.com/health?full", "[::1]:8080", "example.org?x", "eu/API"])
        #expect(file.targets.allSatisfy { $0.identity.clientID == "file" && $0.ruleEffect == .allow })
    }

    /// The history of a target survives another order of the file, and with an id another name.
    @Test func theIdentityIsTheIDOrRegionAndName() throws {
        let one = try #require(
            read("targets: [{url: 'https://a.example', name: A, id: a1}, {url: 'https://b.example', name: B}]").file)
        let other = try #require(
            read("targets: [{url: 'https://b2.example', name: B}, {url: 'https://a.example', name: New, id: a1}]").file)
        #expect(Set(one.targets.map(\.identity)) == Set(other.targets.map(\.identity)))
    }

    @Test func anExportIsReadAsItIs() throws {
        let target = Target(
            identity: TargetIdentity(clientID: "c", key: "tgt_1"), name: "Payments", baseURL: "https://p.example", testPath: "/h",
            region: "eu", ruleEffect: .deny)
        let file = try #require(read(TargetsFile.text(of: [target])).file)
        #expect(file.targets.map(\.name) == ["Payments"] && file.targets.first?.identity.key == "eu/Payments")
        #expect(file.targets.first?.ruleEffect == .deny)
        #expect(
            problems(String(TargetsFile.text(of: [target]).dropLast(20))).first?.contains("whose last line is missing") == true)
    }

    @Test func probeSettingsStandOnThoseOfTheConfiguration() throws {
        var base = ProbePolicy()
        (base.interval, base.fall) = (.seconds(60), 5)
        let file = try #require(
            read(
                """
                targets:
                  - https://plain.example
                  - url: https://own.example
                    probe:
                      interval: 10s
                      expect: {status: [401]}
                """, base: base
            ).file)
        let (plain, target) = (try #require(file.targets.first), try #require(file.targets.last))
        #expect(plain.probe == nil && target.probe == #"{"interval": 10s, "expect": {"status": [401]}}"#)
        var settings = Settings()
        settings.probe = base
        settings.probeWritten = Written(keys: [WrittenKey(path: "fall", value: "5", line: 3)])
        let own = settings.policy(for: target, url: nil)
        #expect(own.interval == .seconds(10) && own.fall == 5 && own.expectedStatuses == [401...401])
        #expect(settings.policy(for: plain, url: nil).interval == .seconds(60))
        let keys = settings.keysInForce(override: nil, of: target)
        #expect(keys.map(\.key.path) == ["fall", "interval", "expect.status"])
        #expect(
            keys.map(\.origin) == ["probe, line 3"] + Array(repeating: "beside the target, in targets_file", count: 2))
    }

    @Test(
        arguments: [
            ("targets: [example.com]", "1:11: "), ("targets: [ftp://example.com]", "such as https://example.com/health"),
            ("targets: [{url: 'https://a', base_url: 'https://b'}]", "beside it 'base_url' has no place"),
            ("targets: [{name: a}]", "'url' is missing"), ("targets: [{ulr: 'https://a'}]", "did you mean 'url'?"),
            ("targets: [{base_url: 'https://a', name: a}]", "'test_path' is missing"),
            (
                "targets: [https://a.example, https://a.example]",
                "is already on line 1; give one of them another 'name', or an 'id'"
            ),
            ("targets: [{url: 'https://a', id: x}, {url: 'https://b', id: x}]", "the id 'x' is that of the target on line 1"),
            (
                "targets: [{url: 'https://a', name: b/c}, {url: 'https://b', region: b, name: c}]",
                "the id 'b/c' is that of the target on line 1; give one of them an 'id'"
            ),
            ("targets: [{url: 'https://a', probe: {intervall: 1s}}]", "did you mean 'interval'?"),
            ("targets: [{url: 'https://a', probe: {interval: soon}}]", "'interval' must be"),
            ("targets: [{url: 'https://a', pobe: {}}]", "did you mean 'probe'?"),
            ("targets: [{base_url: 'https://u:p@a', test_path: /, name: a}]", "1:12: 'base_url' holds a user or a password"),
        ])
    func mistakesAreToldWithTheirPlace(_ text: String, _ words: String) {
        let found = problems(text)
        #expect(found.count <= 2 && found.contains { $0.contains(words) }, "\(found)")
    }

    @Test(arguments: ["http://u:pw-12345%40a.example/", "http:/u:pw-12345@a/", "https://u:pw-12345@a/"])
    func aPasswordIsNotShown(_ url: String) {
        #expect(problems("tok-12345").first == "1:1: the file must be a mapping of keys to values, not a text")
        let found = problems("targets: ['\(url)']")
        #expect(found.count == 1 && !found.contains { $0.contains("pw-12345") }, "\(found)")
    }

    /// The API has no place for what only a daemon can do.
    @Test func applyRefusesWhatOnlyADaemonTakes() {
        let text = "targets: [{url: 'https://a', name: a, region: '', id: x, probe: {interval: 1s}}]"
        let reading = TargetsFile.read(Array(text.utf8))
        #expect(reading.diagnostics.count == 2 && reading.diagnostics.allSatisfy { $0.message.contains("targets_file") })
    }

    @Test(
        arguments: [
            ("targets_file: t.yaml\ntargets_api: {clients: []}", "2:15: the targets come from 'targets_file' (line 1)"),
            ("targets_file: t.yaml\ntargets_api: {base_url: 'https://a.example'}", "keep one of them"),
            (
                "targets_file: t.yaml\ntargets_server: {listen: '127.0.0.1:1', database: d}",
                "nobody would read those of 'targets_server'"
            ),
        ])
    func theTargetsComeFromOnePlace(_ text: String, _ words: String) {
        let reading = Settings.read(Array(text.utf8), path: "/x/r.yaml", surroundings: .system().withoutSecrets)
        #expect(
            reading.diagnostics.contains { "\($0.line):\($0.column): \($0.message)".contains(words) }, "\(reading.diagnostics)")
    }

    @Test func aFileIsReadFromTheConfigurationsFolderAndItsClientIsFile() throws {
        let text = "targets_file: t.yaml\ntargets_api: {sync_interval: 5s, shrink_guard: 20%}"
        let settings = try #require(
            Settings.read(Array(text.utf8), path: "/x/r.yaml", surroundings: .system().withoutSecrets).settings)
        #expect(settings.targetsFile == "/x/t.yaml" && settings.clientIDs == ["file"] && !settings.watchesNothing)
    }
}
