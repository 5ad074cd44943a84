import Glibc
import Health
import Settings
import TestSupport
import Testing

struct SecretTests {
    private static let yaml = """
        targets_api:
          clients: [{id: one, token_file: token}]
        targets_server: {token_env: TOKEN}
        overrides:
          - match: {url: "https://*.stripe.com"}
            probe:
              headers: {Authorization: {file: header}}
              body: {env: BODY}
        """
    private static let secrets = ["hidden-token", "hidden-server", "hidden-header", "hidden-body"]

    private static func load() -> Reading {
        read(
            yaml,
            on: machine(
                texts: ["/etc/rangefinder/token": "hidden-token\n", "/etc/rangefinder/header": "hidden-header"],
                environment: ["TOKEN": "hidden-server", "BODY": "hidden-body\nsecond line\n"]))
    }

    @Test func secretsReachTheSettings() throws {
        let settings = try #require(Self.load().settings)
        #expect(settings.targetsAPI.clients.first?.token.reveal() == "hidden-token")
        #expect(settings.targetsServer?.tokens.first?.secret.reveal() == "hidden-server")
        let policy = try #require(settings.overrides.first).policy
        #expect(policy.headers == [ProbePolicy.Header(name: "Authorization", value: .secret(Secret("hidden-header")))])
        #expect(policy.body?.revealed == "hidden-body\nsecond line")
    }

    @Test func noPrintedFormOfTheSettingsHoldsASecret() throws {
        let settings = try #require(Self.load().settings)
        var dumped = ""
        dump(settings, to: &dumped)
        for text in [String(describing: settings), String(reflecting: settings), dumped] {
            for secret in Self.secrets { #expect(!text.contains(secret)) }
        }
    }

    @Test func noMessageHoldsASecretThatStandsInTheFile() {
        let reading = read("targets_api:\n  clients: [{id: one, token: hidden-token}]\nprobe: {headers: {Cookie: hidden-header}}")
        #expect(!reading.diagnostics.isEmpty)
        for secret in Self.secrets { #expect(!lines(reading).joined().contains(secret)) }
    }

    @Test func aNameWithoutASlashIsLookedForAmongTheCredentials() throws {
        let machine = machine(
            texts: [
                "/run/credentials/r/token": "credential", "/etc/rangefinder/token": "beside",
                "/etc/rangefinder/a/token": "inside",
            ],
            environment: ["CREDENTIALS_DIRECTORY": "/run/credentials/r"])
        let yaml = "targets_api: {clients: [{id: one, token_file: token}, {id: two, token_file: a/token}]}"
        let settings = try #require(read(yaml, on: machine).settings)
        #expect(settings.targetsAPI.clients.map { $0.token.reveal() } == ["credential", "inside"])
    }

    @Test func aSecretMayGoToALoopbackWithoutTLS() {
        for url in [
            "http://localhost:8080/", "http://127.0.0.1/*", "http://[::1]:1/", "https://localhost", "https://a.b.example.com",
        ] {
            let yaml = "overrides: [{match: {url: '\(url)'}, probe: {body: {env: BODY}}}]"
            #expect(read(yaml, on: machine(environment: ["BODY": "b"])).settings != nil, "\(url)")
        }
    }

    @Test(arguments: ["\u{FEFF}tok-en\r\n", "\u{200B}\u{A0}tok-en\u{A0}\n", "  tok-en\t\n\n", "tok-en"])
    func aByteOrderMarkAndBlanksAroundATokenAreNoPartOfIt(_ text: String) throws {
        let yaml = "targets_api: {clients: [{id: one, token_file: token}, {id: two, token_env: TOKEN}]}"
        let machine = machine(texts: ["/etc/rangefinder/token": text], environment: ["TOKEN": text])
        let settings = try #require(read(yaml, on: machine).settings)
        #expect(settings.targetsAPI.clients.map { $0.token.reveal() } == ["tok-en", "tok-en"])
    }

    @Test func aFileOfBlanksIsEmpty() {
        let reading = read(
            "targets_api: {clients: [{id: one, token_file: token}]}",
            on: machine(texts: ["/etc/rangefinder/token": "\u{FEFF} \t\n"]))
        #expect(lines(reading) == ["1:47: 'token_file': '/etc/rangefinder/token' is empty; put the secret into it"])
    }

    @Test func aBodyKeepsItsBlanks() throws {
        let yaml = "overrides: [{match: {url: 'https://a.example.com'}, probe: {body: {env: BODY}}}]"
        let settings = try #require(read(yaml, on: machine(environment: ["BODY": " a b \n"])).settings)
        #expect(settings.overrides.first?.policy.body?.revealed == " a b ")
    }

    @Test func whoeverNeedsNoSecretNeedsNoneOfTheirFiles() throws {
        let more = "web_config_file: web.yaml\nprobe: {ca_file: ca.pem}\n"
        #expect(read(Self.yaml + "\n" + more).settings == nil)
        let reading = read(Self.yaml + "\n" + more, on: machine().withoutSecrets)
        #expect(lines(reading) == [])
        #expect(reading.settings?.overrides.first?.match.matches(target(), url: nil) == false)
        // What is wrong with the file itself is still said.
        #expect(read("targets_api: {clients: [{id: one}]}", on: machine().withoutSecrets).settings == nil)
    }

    @Test func secretsThatAreNotReadAreTakenAsDifferentAndWell() {
        let yaml = """
            targets_api: {clients: [{id: one, token_file: token}]}
            targets_server: {tokens: [{name: a, token_file: a}, {name: b, token_file: b}]}
            alerting: {heartbeat: {url_file: h}, webhooks: [{url_file: a}, {url_file: b}]}
            """
        #expect(lines(read(yaml, on: machine().withoutSecrets)) == [])
    }

    @Test func aSecretThatEveryUserMayReadIsWarnedOf() throws {
        let folder = try TemporaryFolder()
        let token = try folder.write("from-a-file\n", to: "token")
        let configuration = try folder.write("targets_api: {clients: [{id: one, token_file: token}]}", to: "rangefinder.yaml")
        func warnings() -> [String] { Settings.load(path: configuration, surroundings: .system()).diagnostics.map(\.message) }
        #expect(chmod(token, 0o644) == 0)
        #expect(warnings() == ["'token_file': every user of this machine may read '\(token)'; take that away: chmod o-r"])
        #expect(chmod(token, 0o640) == 0)
        #expect(warnings() == [])
        // A folder that others can't enter keeps what is in it.
        #expect(chmod(token, 0o644) == 0 && chmod(folder.path, 0o700) == 0)
        #expect(warnings() == [])
    }

    @Test func readsSecretsFromRealFiles() throws {
        let folder = try TemporaryFolder()
        try folder.write("from-a-file\n", to: "token")
        let configuration = try folder.write("targets_api: {clients: [{id: one, token_file: token}]}", to: "rangefinder.yaml")
        let reading = Settings.load(path: configuration, surroundings: .system())
        #expect(reading.settings?.targetsAPI.clients.first?.token.reveal() == "from-a-file")
    }

    @Test(arguments: [
        ("/nowhere/rangefinder.yaml", "the file can't be read: there is no such file"),
        ("/", "the file can't be read: it is not a regular file"),
        ("/dev/zero", "the file can't be read: it is not a regular file"),
    ])
    func aFileThatCannotBeReadIsReported(_ path: String, _ message: String) {
        let reading = Settings.load(path: path)
        #expect(reading.settings == nil)
        #expect(lines(reading) == ["1:1: \(message)"])
    }

    @Test func aFileOfMoreThanAMebibyteIsRefused() {
        let long = [UInt8](repeating: 35, count: Settings.fileLimit + 1)
        #expect(
            Settings.load(path: "/long", surroundings: machine(files: ["/long": long])).diagnostics.map(\.message) == [
                "the file is longer than 1MiB"
            ])
        #expect(
            Settings.read(long, path: "/long", surroundings: machine()).diagnostics.map(\.message) == [
                "the file is longer than 1MiB"
            ])
    }
}
