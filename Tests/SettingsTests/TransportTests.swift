import Health
import Settings
import Testing

@Suite struct TransportTests {
    private static let certificate = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"
    private static let key = "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----"

    @Test func readsWhatABodyMustSay() throws {
        let settings = try #require(
            read(
                """
                probe:
                  expect: {body_matches: "^ok", body_json: {path: "$.a[0].b", equals: "true"}}
                overrides:
                  - {match: {name: a}, probe: {expect: {body_json: {path: "$.up", equals: true}}}}
                  - {match: {name: b}, probe: {expect: {body_json: {path: "$.up", equals: null}}}}
                  - {match: {name: c}, probe: {expect: {body_json: {path: "$.up", equals: 1.5}}}}
                  - {match: {name: d}, probe: {expect: {body_json: {path: "$.up", equals: fine}, body_matches: null}}}
                """
            ).settings)
        #expect(settings.probe.bodyMatches == "^ok")
        #expect(settings.probe.bodyJSON?.path.steps == [.member("a"), .index(0), .member("b")])
        #expect(settings.probe.bodyJSON?.equals == .text("true"))
        #expect(settings.overrides.map { $0.policy.bodyJSON?.equals } == [.boolean(true), .null, .number(1.5), .text("fine")])
        #expect(settings.overrides.map(\.policy.bodyMatches) == ["^ok", "^ok", "^ok", nil])
    }

    @Test(arguments: ["1e400", "-1e400", "9007199254740992", String(repeating: "9", count: 400)])
    func aNumberThatReadersDoNotAgreeOnIsAMistake(number: String) throws {
        let reading = read("probe: {expect: {body_json: {path: $.a, equals: \(number)}}}")
        #expect(reading.settings == nil)
        #expect(lines(reading).first?.hasPrefix("1:49: 'equals' is a number past 9007199254740991") == true)
        let quoted = read("probe: {expect: {body_json: {path: $.a, equals: \"\(number)\"}}}")
        #expect(quoted.settings?.probe.bodyJSON?.equals == .text(number))
    }

    @Test func readsAClientCertificateAndAProxy() throws {
        let files = ["/etc/rangefinder/me.pem": Self.certificate, "/run/credentials/me.key": Self.key]
        let settings = try #require(
            read(
                """
                probe: {proxy: "http://proxy.example.com:3128"}
                overrides:
                  - match: {url: "https://api.example.com"}
                    probe: {client_certificate_file: me.pem, client_key_file: me.key, proxy: null}
                  - {match: {name: b}, probe: {proxy: "http://[::1]"}}
                """, on: machine(texts: files, environment: ["CREDENTIALS_DIRECTORY": "/run/credentials"])
            ).settings)
        #expect(settings.probe.proxy == .init(host: "proxy.example.com", port: 3128))
        let policy = settings.overrides[0].policy
        #expect(policy.clientCertificate == ClientCertificate(chain: Self.certificate, key: Secret(Self.key)))
        #expect(policy.proxy == nil)
        #expect(settings.overrides[1].policy.proxy == .init(host: "::1", port: 80))
        #expect(!"\(settings)".contains("PRIVATE KEY"))
    }

    @Test(arguments: [
        (PairProblem.keyOfAnother, "3:62: 'client_key_file' holds the key of another certificate; name the key that"),
        (.keyUnreadable, "3:62: 'client_key_file' holds a key that can't be read; write it as PEM again"),
        (.certificateUnreadable, "3:38: 'client_certificate_file' names a file whose first certificate can't be read;"),
        (.refused("ee key too small"), "3:38: 'client_certificate_file' names a certificate that OpenSSL shows to no server (ee"),
    ])
    func whatMakesNoPairIsSaidWhereItStands(problem: PairProblem, wanted: String) throws {
        var machine = machine(texts: ["/etc/rangefinder/a.pem": Self.certificate, "/etc/rangefinder/key.pem": Self.key])
        machine.pairProblem = { chain, key in (chain, key) == (Self.certificate, Self.key) ? problem : nil }
        let reading = read(
            """
            overrides:
              - match: {url: "https://api.example.com"}
                probe: {client_certificate_file: a.pem, client_key_file: key.pem}
            """, on: machine)
        #expect(reading.settings == nil)
        #expect(lines(reading).count == 1 && lines(reading).first?.hasPrefix(wanted) == true, "\(lines(reading))")
    }
}
