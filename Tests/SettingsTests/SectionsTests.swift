import Foundation
import Health
import Settings
import Testing

struct SectionsTests {
    private func settings(_ yaml: String, on machine: ProcessEnvironment = machine()) throws -> Settings {
        let reading = read(yaml, on: machine)
        return try #require(reading.settings, "\(lines(reading))")
    }

    @Test func anEmptyFileMeansTheDefaults() throws {
        var defaults = Settings()
        defaults.vantage.name = "this-host"
        defaults.probe.userAgent = "rangefinder/1.2.3"
        #expect(try settings("") == defaults)
        #expect(lines(read("# nothing\n")) == ["1:1: warning: nothing to probe: set targets_file, or targets_api.clients"])
    }

    @Test(arguments: ["", "# nothing\n", "log: {level: debug}\n", "targets_api: {clients: []}\n"])
    func aFileWithNothingToWatchIsAMistakeToTheDaemon(text: String) {
        let path = "/etc/rangefinder/rangefinder.yaml"
        let reading = Settings.read(Array(text.utf8), path: path, surroundings: machine(), mustWatch: true)
        #expect(reading.settings == nil)
        #expect(reading.diagnostics.map(\.severity) == [.error])
        #expect(lines(reading).allSatisfy { $0.hasSuffix(": nothing to probe: set targets_file, or targets_api.clients") })
    }

    @Test func coreDumpsAreAllowedByTheirKeyOnly() throws {
        #expect(try !settings("").coreDumps)
        #expect(try settings("core_dumps: true").coreDumps)
    }

    @Test func theSampleFileLoadsAndIsTheDefaults() throws {
        let sample = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../config/rangefinder.yaml")
        let reading = Settings.load(path: sample.path, surroundings: .system(userAgent: "rangefinder/1.2.3"))
        #expect(reading.diagnostics.map(\.severity) == [.warning])
        var loaded = try #require(reading.settings)
        loaded.vantage.name = "this-host"
        #expect(try loaded == settings(""))
    }

    @Test func aVantageMayBeJustAName() throws {
        #expect(try settings("vantage: us-east-1-a").vantage.name == "us-east-1-a")
        #expect(try settings("vantage: {name: us-east-1-a}").vantage.name == "us-east-1-a")
    }

    @Test func readsTheListener() throws {
        let settings = try settings(
            "listen: '[::1]:0'\nlisten_names: [status.example.com]\nadmin: true\nmetrics: {per_target: essential}")
        #expect(settings.listen == ListenAddress(host: "::1", port: 0))
        #expect(settings.listen.description == "[::1]:0")
        #expect(settings.listenNames == ["status.example.com"])
        #expect(settings.admin)
        #expect(settings.metrics.perTarget == .essential)
    }

    @Test func readsTheTargetsAPI() throws {
        let yaml = """
            targets_api:
              base_url: https://targets.example.com/v2
              clients:
                - {id: 550e8400-e29b-41d4-a716-446655440000, token_file: token}
                - {id: 12, token_env: TOKEN}
              sync_interval: 2m
              timeout: 500ms
              max_list: 64KiB
              regions: [us-east-1, eu-west-1]
              shard: 2/5
              shrink_guard: 25%
            """
        let machine = machine(texts: ["/etc/rangefinder/token": "first\r\n"], environment: ["TOKEN": "second"])
        let api = try settings(yaml, on: machine).targetsAPI
        #expect(api.baseURL == "https://targets.example.com/v2")
        #expect(api.clients.map(\.id) == ["550e8400-e29b-41d4-a716-446655440000", "12"])
        #expect(api.clients.map { $0.token.reveal() } == ["first", "second"])
        #expect(api.syncInterval == .seconds(120))
        #expect(api.timeout == .milliseconds(500))
        #expect(api.maxList == 65_536)
        #expect(api.regions == ["us-east-1", "eu-west-1"])
        #expect(api.shard?.description == "2/5")
        #expect(api.shrinkGuard == 0.25)
    }

    @Test func readsTheEmbeddedServer() throws {
        let yaml = "targets_server: {listen: 127.0.0.1:0, database: targets.db, token_env: TOKEN}"
        let server = try #require(try settings(yaml, on: machine(environment: ["TOKEN": "t"])).targetsServer)
        #expect(server.listen == ListenAddress(host: "127.0.0.1", port: 0))
        #expect(server.database == "/etc/rangefinder/targets.db")
        #expect(server.tokens.map { $0.secret.reveal() } == ["t"])
        #expect(try settings("targets_server: null").targetsServer == nil)
    }

    @Test func readsTheEmbeddedServersTokens() throws {
        let yaml = """
            targets_server:
              rate: 50
              tokens:
                - {name: ci, token_env: CI, client: one}
                - {name: eyes, token_env: EYES, access: read}
            """
        let variables = ["CI": "c", "EYES": "e"]
        let server = try #require(try settings(yaml, on: machine(environment: variables)).targetsServer)
        #expect(server.tokens.map(\.name) == ["ci", "eyes"] && server.rate == 50)
        #expect(server.tokens.map(\.client) == ["one", nil])
        #expect(server.tokens.map(\.access) == [.write, .read])
        for (wrong, message) in [
            (yaml.replacing("EYES", with: "CI"), "two of the tokens are the same"),
            (yaml.replacing("name: eyes", with: "name: ci"), "'ci' is already on line 4"),
            (yaml.replacing("access: read", with: "access: none"), "must be read or write"),
            (yaml.replacing("name: ci, ", with: ""), "'name' is missing"),
            ("targets_server: {tokens: []}", "there is no token"),
            ("targets_server: {rate: 0, token_env: CI}", "'rate'"),
            ("targets_server: {}", "'token_file' or 'token_env' is missing"),
        ] {
            let said = read(wrong, on: machine(environment: variables)).diagnostics.map(\.message)
            #expect(said.contains { $0.contains(message) }, "\(message): \(said)")
        }
    }

    @Test func readsAPolicyKeyByKey() throws {
        let yaml = """
            probe:
              enabled: false
              interval: 10s
              fast_interval: 2s
              timeout: 3s
              fall: 4
              rise: 5
              method: POST
              headers: {Accept: text/plain}
              body: "{}"
              user_agent: me
              expect: {status: [200, 300-310], max_duration: 1s, certificate_days: 7}
              connection: reuse
              http_version: 1.1
              follow_redirects: 0
              max_body: 2KiB
              path_join: append
              ip: v6
              dns_cache: 1m
              dns_search: true
              ca_file: ca.pem
              taint_after: 250ms
            """
        var expected = ProbePolicy(userAgent: "me")
        expected.isEnabled = false
        expected.interval = .seconds(10)
        expected.fastInterval = .seconds(2)
        expected.timeout = .seconds(3)
        expected.fall = 4
        expected.rise = 5
        expected.method = "POST"
        expected.headers = [ProbePolicy.Header(name: "Accept", value: .plain("text/plain"))]
        expected.body = .plain("{}")
        expected.expectedStatuses = [200...200, 300...310]
        expected.maxDuration = .seconds(1)
        expected.certificateDays = 7
        expected.connection = .reuse
        expected.httpVersion = .http1
        expected.followRedirects = 0
        expected.maxBody = 2048
        expected.pathJoin = .append
        expected.addressFamily = .v6
        expected.dnsCache = .atMost(.seconds(60))
        expected.dnsSearch = true
        expected.caFile = "/etc/rangefinder/ca.pem"
        expected.taintAfter = .milliseconds(250)
        let machine = machine(texts: ["/etc/rangefinder/ca.pem": "-----BEGIN CERTIFICATE-----\n"])
        #expect(try settings(yaml, on: machine).probe == expected)
    }

    @Test func readsLimitsEgressHistoryAndLog() throws {
        let yaml = """
            limits: {max_in_flight: 5, max_lookups: 6, fast_budget: 7%}
            egress: {allow: [10.1.0.0/16], deny: [metadata, "fe80::/10"]}
            history: {path: history.db, keep_raw: 2d, keep_minutes: 45d}
            log: {level: debug, format: json}
            """
        let settings = try settings(yaml)
        #expect(settings.limits.maxInFlight == 5)
        #expect(settings.limits.maxLookups == 6)
        #expect(settings.limits.fastBudget == 0.07)
        #expect(settings.egress.allow.map(\.description) == ["10.1.0.0/16"])
        #expect(settings.egress.deny == [.addressClass(.metadata), .block(try #require(CIDR("fe80::/10")))])
        #expect(settings.history.path == "/etc/rangefinder/history.db")
        #expect(settings.history.keepRaw == .seconds(2 * 86_400))
        #expect(settings.log.level == .debug)
        #expect(settings.log.format == .json)
    }

    @Test func aLaterKeyWithItsDefaultIsFine() throws {
        #expect(
            try settings("history: {keep_days: 3650d, max_size: null}\nalerting: {resend_interval: 60s}\nmaintenance: []")
                == settings(""))
    }

    @Test func anAgeThatIsNotSetIsKeptAsLongAsTheOneBefore() throws {
        let kept = try settings("history: {keep_raw: 60d, keep_hours: 500d}").history
        #expect(
            [kept.keepRaw, kept.keepMinutes, kept.keepHours, kept.keepDays].map { $0.components.seconds / 86_400 } == [
                60, 60, 500, 3650,
            ])
    }

    @Test func aShardHoldsEveryTargetExactlyOnce() throws {
        let shards = (1...5).compactMap { Shard(index: $0, count: 5) }
        for number in 0..<200 {
            let identity = TargetIdentity(clientID: "one", key: "tgt_\(number)")
            #expect(shards.count { $0.holds(identity) } == 1)
        }
    }

    @Test func anAmpersandThatIsNoAnchorStaysWhatItIs() throws {
        let settings = try settings("vantage: 'R&D &more'\nprobe: {user_agent: a &b}")
        #expect(settings.vantage.name == "R&D &more")
        #expect(settings.probe.userAgent == "a &b")
    }

    @Test func stopsCountingProblemsAtABound() {
        let yaml = (0..<500).map { "key\($0): 1\n" }.joined()
        #expect(read(yaml).diagnostics.count == 201)
    }
}
