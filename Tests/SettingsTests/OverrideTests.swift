import Health
import Settings
import Testing

struct OverrideTests {
    private static let stripe = MatchedURL(scheme: "https", host: "api.stripe.com", port: 443, path: "/v1/customers")

    @Test func theFirstMatchWins() throws {
        let yaml = """
            probe: {interval: 20s, fall: 7, expect: {certificate_days: 3}}
            overrides:
              - match: {name: "Stripe *", region: "us-*"}
                probe: {interval: 10s, expect: {status: [200, 401]}}
              - match: {name: "Stripe *"}
                probe: {interval: 11s}
              - match: {id: "tgt_?"}
            """
        let settings = try #require(read(yaml).settings)
        let policy = settings.policy(for: target(), url: Self.stripe)
        #expect(policy.interval == .seconds(10))
        #expect(policy.fall == 7)
        #expect(policy.certificateDays == 3)
        #expect(policy.expectedStatuses == [200...200, 401...401])
        #expect(settings.policy(for: target(region: "eu-west-1"), url: nil).interval == .seconds(11))
        #expect(settings.policy(for: target(name: "Other", id: "tgt_1"), url: nil) == settings.probe)
        #expect(settings.policy(for: target(name: "Other"), url: nil) == settings.probe)
    }

    @Test func allPatternsOfAMatchMustFit() {
        let match = Match(name: Glob("Stripe *"), id: Glob("tgt_1*"))
        #expect(!match.matches(target(), url: nil))
        #expect(match.matches(target(id: "tgt_12"), url: nil))
    }

    @Test func aURLPatternNeverMatchesATargetWithoutAURL() throws {
        let match = Match(url: try URLPattern("*://*"))
        #expect(!match.matches(target(), url: nil))
        #expect(match.matches(target(), url: MatchedURL(scheme: "http", host: "a", port: 80, path: "/")))
    }

    @Test(arguments: [
        ("*", "", true), ("a*c", "abbbc", true), ("a*c", "abbb", false), ("a?c", "abc", true), ("a?c", "ac", false),
        ("*b*", "abc", true), ("", "", true), ("", "a", false), ("*.a.*.b", "x.a.a.y.b", true), ("A", "a", false),
        ("?", "é", true), ("**", "anything", true),
    ])
    func globs(_ pattern: String, _ text: String, _ matches: Bool) {
        #expect(Glob(pattern).matches(text) == matches)
    }

    @Test func aHostilePatternTakesNoTimeToSpeakOf() {
        let pattern = String(repeating: "a*", count: 500) + "b"
        let clock = ContinuousClock()
        let taken = clock.measure { _ = Glob(pattern).matches(String(repeating: "a", count: 2000)) }
        #expect(taken < .seconds(5))
    }

    @Test(arguments: [
        ("https://*.stripe.com/*/*", true), ("https://*.stripe.com/*", false), ("https://*.stripe.com", true),
        ("https://api.stripe.com/v1/cust*", true), ("https://api.stripe.com/v1/customers/*", false),
        ("http://api.stripe.com", false), ("*://api.stripe.com", true), ("https://api.stripe.com:443/v1/*", true),
        ("https://api.stripe.com:8443/v1/*", false), ("https://api.stripe.com:*/v1/*", true),
        ("https://API.Stripe.COM/v1/*", true), ("https://api.stripe.com/V1/*", false), ("https://*.com", true),
        ("https://stripe.com", false), ("https://*/v1/customers", true), ("https://api*", true),
    ])
    func urlPatterns(_ pattern: String, _ matches: Bool) throws {
        #expect(try URLPattern(pattern).matches(Self.stripe) == matches)
    }

    @Test func aWildcardNeverReachesFromTheHostIntoThePath() throws {
        let evil = MatchedURL(scheme: "https", host: "evil.example", port: 443, path: "/.stripe.com/x")
        #expect(try !URLPattern("https://*.stripe.com/x").matches(evil))
        #expect(try !URLPattern("https://*.stripe.com").matches(evil))
    }

    @Test func anotherPortIsAnotherURL() throws {
        let other = MatchedURL(scheme: "https", host: "api.stripe.com", port: 8443, path: "/")
        #expect(try !URLPattern("https://api.stripe.com").matches(other))
    }

    @Test func anIPv6AddressMatchesWithoutItsBrackets() throws {
        let url = MatchedURL(scheme: "http", host: "::1", port: 8080, path: "/")
        #expect(try URLPattern("http://[::1]:8080/").matches(url))
    }
}
