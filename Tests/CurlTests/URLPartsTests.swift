import TestSupport
import Testing

@testable import Curl

@Suite struct URLPartsTests {
    @Test(arguments: [
        ("http://example.com", "http://example.com/"),
        ("HTTPS://Example.COM:443/a", "https://example.com/a"),
        ("http://example.com:8080/a?b=c#d", "http://example.com:8080/a?b=c"),
        ("http://user:secret@example.com/", "http://example.com/"),
        ("http://example.com/a/./b/../c", "http://example.com/a/c"),
        ("http://example.com/../../x", "http://example.com/x"),
        ("http://example.com?q", "http://example.com/?q"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("http://2130706433/", "http://127.0.0.1/"),
        ("http://0177.0.0.1/", "http://127.0.0.1/"),
        ("http://%30x7f.1/", "http://127.0.0.1/"),
        ("http://１２７.0.0.1/", "http://127.0.0.1/"),
        ("http://[::1]:81/", "http://[::1]:81/"),
        ("http://[0:0:0:0:0:0:0:1]/", "http://[::1]/"),
        ("http://[::FFFF:127.0.0.1]/", "http://[::ffff:127.0.0.1]/"),
        ("http://bücher.example/ü?ü", "http://xn--bcher-kva.example/%c3%bc?%c3%bc"),
        ("ftp://example.com/x", "ftp://example.com:21/x"),
        ("http://example.com/a%2Fb%20c", "http://example.com/a%2Fb%20c"),
    ]) func readsOneFormOutOfMany(_ text: String, _ expected: String) throws {
        #expect(URLParts(text)?.text == expected)
    }

    @Test(arguments: [
        "", "example.com", "//example.com/", "/path", "http:", "http://", "http:///example.com/", "http:/example.com",
        "http:example.com",
        "http://exa mple.com/", "http://example.com/a b", " http://example.com/", "http://example.com/\n",
        "http://example.com/\u{1b}[31m",
        "http://example.com/\0", "http://exam\u{7f}ple.com/", "http://example.com:99999/", "http://example.com:0/",
        "http://example.com:80x/",
        "http://[::1", "http://[::1]x/", "http://[fe80::1%25eth0]/", "nonsense://example.com/", "mailto:a@example.com",
        "file:///etc/passwd",
        "http://a|b/", "http://:80/", "http://user@/", "javascript:alert(1)",
    ]) func refuses(_ text: String) {
        #expect(URLParts(text) == nil)
    }

    @Test func refusesWhatIsPastItsBound() {
        #expect(URLParts("http://example.com/" + String(repeating: "a", count: 9000)) == nil)
    }

    /// libcurl 7.88.1 leaves a copy of such a host, and a server can have one in each of its redirects.
    @Test func aHostThatIsNoInternationalNameLeavesNoMemoryBehind() {
        let url = "http://\(String(repeating: "\u{fc}", count: 3900)).example/"
        // Other tests use memory meanwhile, but not each time.
        let isSteady = (0..<6).contains { _ in
            let before = residentKibibytes()
            for _ in 0..<3000 where URLParts(url) != nil { Issue.record("it is taken for a URL") }
            // All copies together are twice as much.
            return residentKibibytes() - before < 3000 * 7800 / 1024 / 2
        }
        #expect(isSteady)
    }

    @Test func showsItsParts() throws {
        let parts = try #require(URLParts("http://me@[2001:DB8::1]:8080/a/b?x=1&y=2"))
        #expect(parts.scheme == "http" && parts.host == "2001:db8::1" && parts.port == 8080)
        #expect(parts.path == "/a/b" && parts.query == "x=1&y=2" && parts.hasUserInfo)
        #expect(parts.origin == "http://[2001:db8::1]:8080")
        #expect(URLParts("https://example.com")?.origin == "https://example.com:443")
        #expect(URLParts("https://example.com")?.hasUserInfo == false)
    }

    /// RFC 3986 section 5.4, against its base; fragments are dropped.
    @Test(arguments: [
        ("g", "http://a/b/c/g"), ("./g", "http://a/b/c/g"), ("g/", "http://a/b/c/g/"), ("/g", "http://a/g"), ("//g", "http://g/"),
        ("?y", "http://a/b/c/d;p?y"), ("g?y", "http://a/b/c/g?y"), ("#s", "http://a/b/c/d;p?q"), ("g#s", "http://a/b/c/g"),
        (";x", "http://a/b/c/;x"), ("g;x=1/./y", "http://a/b/c/g;x=1/y"), ("", "http://a/b/c/d;p?q"), (".", "http://a/b/c/"),
        ("./", "http://a/b/c/"), ("..", "http://a/b/"), ("../", "http://a/b/"), ("../g", "http://a/b/g"), ("../..", "http://a/"),
        ("../../g", "http://a/g"), ("../../../g", "http://a/g"), ("/./g", "http://a/g"), ("/../g", "http://a/g"),
        ("g.", "http://a/b/c/g."),
        ("..g", "http://a/b/c/..g"), ("./../g", "http://a/b/g"), ("g/../h", "http://a/b/c/h"),
        ("g?y/./x", "http://a/b/c/g?y/./x"),
        ("https://other.example/x", "https://other.example/x"), ("x y", "http://a/b/c/x%20y"), ("//user@h/", "http://h/"),
    ]) func resolvesReferences(_ reference: String, _ expected: String) throws {
        let base = try #require(URLParts("http://a/b/c/d;p?q"))
        #expect(base.resolving(reference)?.text == expected)
    }

    @Test(arguments: ["http:", "file:///etc/passwd", "javascript:alert(1)", "//", "///etc", "g\r\nX: y", "http://", "//a b/"])
    func resolvesNothingOutOf(_ reference: String) throws {
        let base = try #require(URLParts("http://a/b/c/d"))
        #expect(base.resolving(reference) == nil)
    }

    @Test func keepsThePortOfItsBase() throws {
        let base = try #require(URLParts("http://a:81/b"))
        #expect(base.resolving("/c")?.text == "http://a:81/c" && base.resolving("//h/c")?.port == 80)
    }

    @Test func namesTheSchemeOfAReferenceThatIsNoURL() {
        #expect(URLParts.scheme(of: "FILE:///etc/passwd") == "file")
        #expect(URLParts.scheme(of: "a/b:c") == nil)
        #expect(URLParts.scheme(of: ":x") == nil)
    }
}

@Suite struct SocketAddressTests {
    @Test(arguments: ["127.0.0.1", "0.0.0.0", "255.255.255.255", "::", "::1", "2001:db8::ff00:42:8329", "::ffff:10.0.0.1"])
    func readsAndWritesTheSameText(_ text: String) throws {
        let parsed = try address(text)
        #expect(parsed.text == text)
        #expect(SocketAddress(bytes: parsed.bytes) == parsed)
        #expect(parsed.bytes.count == (parsed.isIPv4 ? 4 : 16))
    }

    @Test(arguments: ["", "1.2.3", "01.2.3.4", "[::1]", "fe80::1%eth0", "localhost", "1.2.3.4 "])
    func refusesWhatIsNoLiteral(_ text: String) {
        #expect(SocketAddress(text) == nil)
    }
}

@Suite struct PlainURLTests {
    @Test(arguments: [
        "http://a.example", "https://a.example/", "http://a.example:8080/x", "http://127.0.0.1:1/t/1",
        "https://a-b.example/x?y=1&z",
        "http://a/b//c", "http://1a.example/", "https://a:443/", "http://a:80", "http://a/x.y/z.",
    ])
    func areReadAsLibcurlReadsThem(text: String) throws {
        let plain = URLParts(plain: text)
        #expect(plain != nil && plain == URLParts(parsed: text))
    }

    @Test(arguments: [
        "http://127.1/", "http://0x7f.1/", "http://1/", "http://127.0.0.01/", "http://A/", "HTTP://a/", "http://a:0/",
        "http://a:080/",
        "http://a:65536/", "http://u@a/", "http://a./", "http://.a/", "http://a/../b", "http://a/.x", "http://a/%41",
        "http://a/#b",
        "http://[::1]/", "ftp://a/", "http:///a", "http://", "http://a b/", "http://a/ b", "http://ä/", "http://a:/",
        "http://a:8x/",
        "http://a?b", "http://a\\b/", "http://a_b/", "http://a/b?c?d", "http://a.1b/",
    ])
    func whatIsNotPlainIsLeftToLibcurl(text: String) {
        #expect(URLParts(plain: text) == nil)
    }

    /// Whatever the quick reading takes, libcurl's takes, and makes the same of it.
    @Test func neverDifferFromLibcurlsReading() {
        var random = SeededGenerator(state: 20_261_124)
        let alphabet = Array("aZ09-._~:/?#[]@!$&'()*+,;=%x \u{e9}htp".unicodeScalars)
        for _ in 0..<20_000 {
            let tail = (0..<Int.random(in: 0...14, using: &random)).map { _ in
                alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
            }
            let text =
                (["http://", "https://", "http://a", "http://1.2"].randomElement(using: &random) ?? "")
                + String(String.UnicodeScalarView(tail))
            if let plain = URLParts(plain: text) { #expect(plain == URLParts(parsed: text), "\(text)") }
        }
    }

    @Test func plainPathsAreResolvedAsLibcurlResolvesThem() throws {
        let bases = try ["http://a.example/v1?q", "https://b.example:8443", "http://[::1]:80/x/", "http://127.0.0.1"].map {
            try #require(URLParts($0))
        }
        var random = SeededGenerator(state: 20_261_124)
        let alphabet = Array("aZ09-._~:/?#[]@!$&'()*+,;=%\\x \u{e9}htp".unicodeScalars)
        var taken = 0
        for _ in 0..<20_000 {
            let tail = (0..<Int.random(in: 0...8, using: &random)).map { _ in
                alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
            }
            let text = (["/", "/a", "", "?"].randomElement(using: &random) ?? "") + String(String.UnicodeScalarView(tail))
            for base in bases {
                guard let plain = base.resolving(plain: text) else { continue }
                #expect(plain == base.resolving(parsed: text), "\(text) at \(base.text)")
                taken += 1
            }
        }
        #expect(taken > 1000)
    }
}
