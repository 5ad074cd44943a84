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
