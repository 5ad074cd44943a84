import Health
import Settings
import Testing

@Suite struct WebConfigurationTests {
    private static let hash = "$2y$10$nOHU/baGaxAWpZpnr3RriOZQVQ8KpbV4I5pnhN3ID71suCwBmh.W."
    private static let certificate = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"
    private static let key = "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n"

    private func load(_ text: String, pairProblem: PairProblem? = nil) -> WebConfiguration.Reading {
        var machine = SettingsTests.machine(
            files: [
                "/etc/web.yml": Array(text.utf8), "/etc/tls/cert.pem": Array(Self.certificate.utf8),
                "/etc/tls/key.pem": Array(Self.key.utf8),
            ], environment: [:])
        machine.pairProblem = { _, _ in pairProblem }
        return WebConfiguration.load(path: "/etc/web.yml", surroundings: machine)
    }

    private func problems(_ text: String, pairProblem: PairProblem? = nil) -> [String] {
        load(text, pairProblem: pairProblem).diagnostics.map { "\($0.line):\($0.column): \($0.message)" }
    }

    @Test func theExampleOfItsDocumentIsTaken() throws {
        let web = try #require(
            load(
                """
                tls_server_config:
                  cert_file: tls/cert.pem
                  key_file: tls/key.pem
                  client_auth_type: RequireAndVerifyClientCert
                  client_ca_file: tls/cert.pem
                  min_version: TLS12
                  max_version: TLS13
                  prefer_server_cipher_suites: true
                  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]
                  curve_preferences: [X25519, CurveP256]
                http_server_config:
                  http2: true
                  headers: {Strict-Transport-Security: max-age=1}
                basic_auth_users:
                  prometheus: \(Self.hash)
                """
            ).configuration)
        #expect(web.tls?.clients == .requireAndVerify)
        #expect(web.tls?.cipherSuites.map(\.number) == [0xC030])
        #expect(web.tls?.curves.map(\.number) == [29, 23])
        #expect(web.headers == ["Strict-Transport-Security": "max-age=1"])
        #expect(web.users == ["prometheus": Self.hash])
        #expect(load("").configuration?.tls == nil)
    }

    @Test(
        arguments: [
            ("tls_server_config: {}", "'cert_file' is missing"),
            ("tls_server_config: {cert_file: no.pem, key_file: tls/key.pem}", "which can't be read: there is no such file"),
            ("tls_server_config: {cert_file: tls/key.pem, key_file: tls/key.pem}", "which holds no PEM of a CERTIFICATE"),
            ("tls_server_config: {cert_file: tls/cert.pem, key_file: tls/key.pem, min_version: TLS10}", "must be TLS12 or TLS13"),
            (
                "tls_server_config: {cert_file: tls/cert.pem, key_file: tls/key.pem, client_auth_type: RequestClientCert}",
                "must be NoClientCert"
            ),
            ("tls_server_config: {cert_file: tls/cert.pem, key_file: tls/key.pem, client_allowed_sans: [x]}", "is not supported"),
            (
                "tls_server_config: {cert_file: tls/cert.pem, key_file: tls/key.pem, cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]}",
                "an entry of 'cipher_suites' must be"
            ),
            (
                "tls_server_config: {cert_file: tls/cert.pem, key_file: tls/key.pem, min_version: TLS13, max_version: TLS12}",
                "is above 'max_version'"
            ),
            ("basic_auth_users: {a: secret}", "the hash of 'a' must be made by bcrypt"),
            ("basic_auth_users: {a: $2y$31$nOHU/baGaxAWpZpnr3RriOZQVQ8KpbV4I5pnhN3ID71suCwBmh.W.}", "has a cost of 31"),
            ("basic_auth_users: [a]", "must be a mapping"),
            ("basic_auth_user: {a: b}", "did you mean 'basic_auth_users'?"),
            ("http_server_config: {headers: {Server: x}}", "unknown key 'Server'"),
        ])
    func whatIsWrongIsSaidWithItsPlace(text: String, message: String) {
        let found = problems(text)
        #expect(found.contains { $0.contains(message) }, "\(found)")
        #expect(load(text).configuration == nil)
        #expect(!found.joined().contains("nOHU"))
    }

    @Test func aKeyOfAnotherCertificateIsNoPair() {
        let text = "tls_server_config: {cert_file: tls/cert.pem, key_file: tls/key.pem}"
        #expect(problems(text, pairProblem: .keyOfAnother).first?.contains("no pair") == true)
    }

    @Test func theConfigurationSaysWhatIsWrongInTheFileThatItNames() {
        let machine = SettingsTests.machine(files: ["/etc/web.yml": Array("users: {}\n".utf8)], environment: [:])
        let reading = Settings.read(
            Array("web_config_file: web.yml\n".utf8), path: "/etc/rangefinder.yaml", surroundings: machine)
        #expect(reading.settings == nil)
        #expect(reading.diagnostics.first?.message.contains("/etc/web.yml:1:1: unknown key 'users'") == true)
    }
}
