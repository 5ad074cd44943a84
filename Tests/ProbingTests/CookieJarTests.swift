import Health
import Testing

@testable import Curl
@testable import Probing

/// RFC 6265, rule by rule.
@Suite struct CookieJarTests {
    private let now = Timestamp(milliseconds: 1_700_000_000_000)

    /// What a request for `url` carries of what an answer at `origin` has set.
    private func sent(
        _ cookies: [String], from origin: String = "https://a.example.com/", to url: String = "https://a.example.com/",
        after wait: Duration = .zero, besides configured: [String] = []
    ) throws -> String? {
        var jar = CookieJar()
        jar.store(cookies.map { Array($0.utf8) }, from: try #require(URLParts(origin)), at: now)
        let header = jar.header(for: try #require(URLParts(url)), at: now + wait, besides: configured)
        return header.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func aCookieIsSentBackWhereItCameFrom() throws {
        #expect(try sent(["sid=1"]) == "sid=1")
        #expect(try sent([" sid = 1 ; HttpOnly; SameSite=Lax; Unknown=x"]) == "sid=1")
        #expect(try sent([#"a="1; b"#, "c=x=y", "d="]) == #"a="1; c=x=y; d="#)
    }

    @Test(arguments: ["", "sid", "=1", ";a=1", "a=\u{1}", "a=1\u{7f}"]) func whatIsNoCookieIsIgnored(text: String) throws {
        #expect(try sent([text]) == nil)
    }

    // MARK: Domain

    @Test func withoutADomainOnlyItsHostGetsIt() throws {
        #expect(try sent(["a=1"], to: "https://b.a.example.com/") == nil)
        #expect(try sent(["a=1"], to: "https://example.com/") == nil)
        #expect(try sent(["a=1; Domain="], to: "https://b.a.example.com/") == nil)
        #expect(try sent(["a=1"], to: "https://a.example.com:8443/") == "a=1")
    }

    @Test(arguments: ["example.com", ".example.com", "EXAMPLE.com"]) func withADomainAllBelowItGetIt(domain: String) throws {
        #expect(try sent(["a=1; Domain=\(domain)"], to: "https://b.example.com/") == "a=1")
        #expect(try sent(["a=1; Domain=\(domain)"], to: "https://example.com/") == "a=1")
        #expect(try sent(["a=1; Domain=\(domain)"], to: "https://notexample.com/") == nil)
        #expect(try sent(["a=1; Domain=\(domain)"], to: "https://example.com.evil.net/") == nil)
    }

    @Test(arguments: ["com", ".com", "b.example.com", "evil.net", "x.a.example.com", "ample.com", "."])
    func aDomainThatIsNotTheServersCostsTheCookie(domain: String) throws {
        #expect(try sent(["a=1; Domain=\(domain)"]) == (domain == "." ? "a=1" : nil))
        #expect(try sent(["a=1; Domain=\(domain)"], to: "https://b.example.com/") == nil)
    }

    @Test func anAddressAndASingleLabelAreHostsAlone() throws {
        for host in ["127.0.0.1", "localhost", "[::1]"] {
            let url = "http://\(host)/"
            #expect(try sent(["a=1"], from: url, to: url) == "a=1")
            #expect(try sent(["a=1; Domain=\(host.trimming("[]"))"], from: url, to: url) == "a=1")
        }
        #expect(try sent(["a=1; Domain=0.0.1"], from: "http://127.0.0.1/", to: "http://127.0.0.1/") == nil)
        #expect(try sent(["a=1; Domain=localhost"], from: "http://localhost/", to: "http://b.localhost/") == nil)
    }

    // MARK: Path

    @Test(arguments: [
        ("https://a.example.com/x/y", "/x/z", true), ("https://a.example.com/x/y", "/x", true),
        ("https://a.example.com/x/y", "/xx", false), ("https://a.example.com/x/y", "/", false),
        ("https://a.example.com/x", "/y", true), ("https://a.example.com", "/y", true),
    ])
    func withoutAPathItIsThatOfTheFolder(origin: String, path: String, isSent: Bool) throws {
        #expect(try sent(["a=1"], from: origin, to: "https://a.example.com\(path)") == (isSent ? "a=1" : nil))
        #expect(try sent(["a=1; Path=relative"], from: origin, to: "https://a.example.com\(path)") == (isSent ? "a=1" : nil))
    }

    @Test func aPathOfItsOwnHoldsInstead() throws {
        #expect(try sent(["a=1; Path=/app"], to: "https://a.example.com/app/x?q") == "a=1")
        #expect(try sent(["a=1; Path=/app/"], to: "https://a.example.com/app") == nil)
        #expect(try sent(["a=1; Path=/app"], to: "https://a.example.com/apple") == nil)
        #expect(try sent(["a=1; Path=/x; Path=/"], to: "https://a.example.com/") == "a=1")
    }

    @Test func theLongerPathComesFirst() throws {
        #expect(
            try sent(["a=1; Path=/", "b=2; Path=/x/y", "c=3; Path=/x", "d=4; Path=/"], to: "https://a.example.com/x/y")
                == "b=2; c=3; a=1; d=4")
    }

    // MARK: Secure

    @Test func aSecureOneIsNotSentInTheClear() throws {
        #expect(try sent(["a=1; secure"], to: "http://a.example.com/") == nil)
        #expect(try sent(["a=1; secure"]) == "a=1")
        #expect(try sent(["a=1"], to: "http://a.example.com/") == "a=1")
    }

    @Test func nobodySetsASecureOneInTheClear() throws {
        #expect(try sent(["a=1; Secure"], from: "http://a.example.com/") == nil)
    }

    // MARK: Time

    @Test(arguments: [
        "Max-Age=0", "Max-Age=-1", "Expires=Thu, 01 Jan 1970 00:00:00 GMT", "Max-Age=0; Expires=Fri, 01 Jan 2100 00:00:00 GMT",
    ])
    func oneWhoseTimeIsOverIsForgotten(attributes: String) throws {
        #expect(try sent(["a=1; \(attributes)"]) == nil)
        #expect(try sent(["a=1", "b=2", "a=; \(attributes)"]) == "b=2")
    }

    @Test func itEndsInItsTime() throws {
        #expect(try sent(["a=1; Max-Age=2"], after: .seconds(1)) == "a=1")
        #expect(try sent(["a=1; Max-Age=2"], after: .seconds(2)) == nil)
        #expect(try sent(["a=1; Max-Age=99999999999999999999"], after: .seconds(3600)) == "a=1")
        for odd in ["Max-Age=soon", "Max-Age=", "Expires=soon", "Max-Age=+1"] {
            #expect(try sent(["a=1; \(odd)"], after: .seconds(3600)) == "a=1")
        }
    }

    // MARK: Several, and bounds

    @Test func theLastOfOneNameStandsInTheFirstsPlace() throws {
        #expect(try sent(["a=1", "b=2", "a=3"]) == "a=3; b=2")
        #expect(try sent(["a=1; Path=/", "a=2; Path=/x"], to: "https://a.example.com/x") == "a=2; a=1")
    }

    @Test func moreThanItsBoundsIsNotKept() throws {
        #expect(try sent(["a=" + String(repeating: "x", count: 4095)])?.utf8.count == 4097)
        #expect(try sent(["a=" + String(repeating: "x", count: 4096)]) == nil)
        #expect(try sent((0..<200).map { "c\($0)=1" })?.split(separator: "; ").count == CookieJar.cookiesMax)
        let large = (0..<9).map { "c\($0)=" + String(repeating: "x", count: 4000) }
        #expect(try sent(large)?.split(separator: "; ").count == 4)
        // One that takes another's place isn't one more.
        #expect(try sent(large + ["c0=new"])?.hasPrefix("c0=new; c1=") == true)
    }

    @Test func aCookiesBytesStayAsTheyAre() throws {
        var jar = CookieJar()
        let url = try #require(URLParts("http://a.example.com/"))
        jar.store([Array("a=".utf8) + [0xfc, 0xff]], from: url, at: now)
        #expect(jar.header(for: url, at: now, besides: []) == Array("a=".utf8) + [0xfc, 0xff])
    }

    // MARK: What was configured

    @Test func whatWasConfiguredIsSentBesideWhatWasSet() throws {
        #expect(try sent(["sid=1"], besides: ["key=k; lang=de"]) == "key=k; lang=de; sid=1")
        #expect(try sent(["sid=1"], besides: ["sid=0; lang=de"]) == "lang=de; sid=1")
        #expect(try sent(["sid=1; Path=/x"], besides: ["key=k"]) == nil)
    }
}

extension String {
    fileprivate func trimming(_ characters: String) -> String { filter { !characters.contains($0) } }
}
