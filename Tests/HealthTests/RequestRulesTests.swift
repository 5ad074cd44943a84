import Testing

import Health

@Suite struct RequestRulesTests {
    private let rules = RequestRules(names: ["Monitor-1", "monitor.example."])

    private func refusal(
        _ method: String = "GET", host: String? = "localhost:10115", origin: String? = nil, site: String? = nil
    ) -> RequestRules.Refusal? {
        rules.refusal(method: method, host: host, origin: origin, secFetchSite: site)
    }

    @Test(
        arguments: [
            "localhost", "LOCALHOST:1", "localhost.", "127.0.0.1", "127.0.0.1:10115", "192.0.2.7:80", "[::1]", "[::1]:10115",
            "[2001:db8::7]:443", "monitor-1:10115", "MONITOR.example", "monitor.example.:80",
        ])
    func knowsItsNames(_ host: String) { #expect(refusal(host: host) == nil) }

    @Test(
        arguments: [
            "evil.example", "evil.example:10115", "localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.1:80@evil.example",
            "[::1].evil.example", "[evil.example]", "[::1", "127.1", "0x7f.1", "localhost:port", ":10115",
        ])
    func refusesOtherNames(_ host: String) {
        #expect(refusal(host: host) == .hostUnknown(host))
        #expect(refusal(host: host)?.status == 421)
    }

    @Test(arguments: [nil, ""])
    func wantsAHost(_ host: String?) { #expect(refusal(host: host)?.status == 400) }

    @Test(
        arguments: [
            ("http://evil.example", nil), ("null", nil), ("http://localhost", nil), ("http://localhost:10116", nil),
            ("http://localhost:10115.evil.example", nil), (nil, "cross-site"), (nil, "same-site"), (nil, ""),
            ("http://localhost:10115", "cross-site"),
        ] as [(String?, String?)])
    func refusesChangesFromElsewhere(_ origin: String?, _ site: String?) {
        #expect(refusal("POST", origin: origin, site: site)?.status == 403)
        #expect(refusal("DELETE", origin: origin, site: site)?.status == 403)
        #expect(refusal("GET", origin: origin, site: site) == nil)
    }

    @Test(
        arguments: [
            (nil, nil), ("http://localhost:10115", nil), ("https://LOCALHOST:10115", "same-origin"), (nil, "none"),
        ] as [(String?, String?)])
    func takesChangesFromItsOwnPages(_ origin: String?, _ site: String?) {
        #expect(refusal("POST", origin: origin, site: site) == nil)
    }

    @Test func showsAStrangersNameSafely() {
        #expect(refusal(host: "a\u{1b}[31m")?.sentence.contains("\\u{1b}") == true)
    }
}
