import Health
import TestSupport
import Testing

@testable import Probing

/// What is kept of failing answers of real servers.
@Suite struct EvidenceTests {
    private func evidence(_ reply: LoopbackReply, _ adjust: (inout ProbePolicy) -> Void = { _ in }) async throws -> Evidence? {
        let server = try LoopbackServer { _ in reply }
        var bench = try Bench()
        adjust(&bench.policy)
        return await bench.probe(server.url).evidence
    }

    @Test func aFailingAnswerIsKeptWithItsHeadersAndTheBeginningOfItsBody() async throws {
        let page = String(repeating: "x", count: 600)
        let evidence = try #require(
            try await evidence(.http(503, headers: ["Content-Type: text/html", "X-Cache: miss"], body: page)))
        #expect(evidence.httpStatus == 503)
        #expect(evidence.headers?.hasPrefix("HTTP/1.1 503") == true)
        #expect(evidence.headers?.contains("\nX-Cache: miss\n") == true)
        #expect(evidence.contentType == "text/html")
        #expect(evidence.body.map { String(decoding: $0, as: UTF8.self) } == String(page.prefix(512)))
        #expect(evidence.bodyBytes == 600)
        #expect(evidence.address == "127.0.0.1")
        #expect(evidence.addresses == [.init(text: "127.0.0.1", state: .answered)])
        #expect(evidence.phases.processing != nil)
    }

    @Test func ofAGoodAnswerNothingIsKept() async throws {
        #expect(try await evidence(.http(200, body: "ok")) == nil)
    }

    @Test func aFailureWithoutAnAnswerHasItsAddressAlone() async throws {
        let evidence = try #require(try await evidence(.reset))
        #expect((evidence.httpStatus, evidence.headers, evidence.body, evidence.bodyBytes) == (nil, nil, nil, nil))
        #expect(evidence.addresses.map(\.text) == ["127.0.0.1"])
    }

    @Test func cookiesCredentialsAndConfiguredSecretsAreReplaced() async throws {
        let headers = [
            "Set-Cookie: session=abcdef", "AUTHORIZATION: Basic Zm9v", "X-Echo: Bearer tok-12345",
            "Location: https://a/?key=hidden&b=1",
            "X-Folded: a", "Proxy-Authorization: Basic", " continued-secret",
        ]
        let body = "your token tok-12345 is wrong, body-secret too, and Bearer tok-12345"
        let evidence = try #require(
            try await evidence(.http(401, headers: headers, body: body)) {
                $0.headers = [.init(name: "X-Api-Key", value: .secret(Secret("Bearer tok-12345")))]
                $0.method = "POST"
                $0.body = .secret(Secret("body-secret"))
                $0.expectedStatuses = [200...299]
            })
        let shown = try #require(evidence.headers) + String(decoding: try #require(evidence.body), as: UTF8.self)
        for secret in ["abcdef", "Zm9v", "tok-12345", "hidden", "body-secret", "continued-secret"] {
            #expect(!shown.contains(secret), "\(secret) is in \(shown)")
        }
        #expect(shown.contains("Set-Cookie: …\n") && shown.contains("X-Echo: …\n") && shown.contains("?key=…&b=…\n"))
        #expect(shown.contains("your token … is wrong, … too, and …"))
    }

    /// A server says it again as it reads it, and wherever it likes.
    @Test func aSecretIsReplacedInTheStatusLineInANameAndInItsOtherForms() async throws {
        let server = try LoopbackServer { _ in
            .raw(
                "HTTP/1.1 403 key s3cr3tvalue: denied\r\nX-s3cr3tvalue: 1\r\nContent-Length: 22\r\n\r\nno abc+def== or a b c.")
        }
        var bench = try Bench()
        bench.policy.headers = [.init(name: "X-Api-Key", value: .secret(Secret("s3cr3tvalue")))]
        let evidence = try #require(await bench.probe(server.url, "/?token=abc%2Bdef%3D%3D&word=a+b+c").evidence)
        #expect(evidence.headers == "HTTP/1.1 403 key …: denied\nX-…: 1\nContent-Length: 22\n")
        #expect(evidence.body.map { String(decoding: $0, as: UTF8.self) } == "no … or ….")
    }

    @Test func noNumberOfOtherSecretsPushesACredentialOut() {
        let others = (0..<1000).map { "cookie-\($0)-" + String(repeating: "x", count: 40) }
        let redaction = Redaction(["Bearer tok-12345"], besides: others)
        #expect(String(decoding: redaction.cleaned(Array("your tok-12345".utf8)), as: UTF8.self) == "your …")
    }

    /// A header that is no secret in the file is one to the server all the same.
    @Test func aPlainCredentialOfThePolicyIsReplacedToo() async throws {
        let evidence = try #require(
            try await evidence(.http(500, body: "you sent Basic dXNlcjpwYXNz")) {
                $0.headers = [.init(name: "Authorization", value: .plain("Basic dXNlcjpwYXNz"))]
            })
        #expect(evidence.body.map { String(decoding: $0, as: UTF8.self) } == "you sent …")
    }

    @Test func aSecretThroughWhichTheEndOfWhatIsKeptCutsIsNotShownInPart() async throws {
        let body = String(repeating: "x", count: 505) + "tok-1234567890"
        let evidence = try #require(
            try await evidence(.http(500, body: body)) {
                $0.headers = [.init(name: "X-Api-Key", value: .secret(Secret("tok-1234567890")))]
            })
        #expect(!String(decoding: try #require(evidence.body), as: UTF8.self).contains("tok"))
    }

    /// Each replacement makes the text shorter, and must not bring in what was cut.
    @Test func aSecretThatIsSaidTwiceIsShownNeitherTime() async throws {
        let token = "tok-" + String(repeating: "a1", count: 18)
        let body = token + String(repeating: "x", count: 485) + token
        let evidence = try #require(
            try await evidence(.http(500, headers: ["X-Echo: " + token], body: body)) {
                $0.headers = [.init(name: "X-Api-Key", value: .secret(Secret(token)))]
            })
        let shown = try #require(evidence.headers) + String(decoding: try #require(evidence.body), as: UTF8.self)
        #expect(!shown.contains("tok-") && shown.contains("…"))
    }

    @Test(arguments: [
        ("Bearer tok/en==12345", "tok\\/en==12345"), ("Bearer tok/en==12345", "tok%2Fen%3D%3D12345"),
        ("Bearer TOKen-98765", "token-98765"),
        ("session=abc12345; csrf=def45678", "no session abc12345"), ("Basic Ym9iOmh1bnRlcjI=", "wrong password hunter2"),
    ])
    func aSecretIsKnownInTheFormsThatServersSayItIn(_ secret: String, _ said: String) async throws {
        let evidence = try #require(
            try await evidence(.http(500, body: said)) { $0.headers = [.init(name: "Cookie", value: .secret(Secret(secret)))] })
        let body = String(decoding: try #require(evidence.body), as: UTF8.self)
        #expect(body.contains("…") && !["12345", "98765", "hunter2"].contains { body.contains($0) }, "\(body)")
    }

    /// What the answer sets or names, servers say again in its body.
    @Test func whatTheAnswersOwnHeadHasIsNotKept() async throws {
        let evidence = try #require(
            try await evidence(
                .http(
                    503,
                    headers: [
                        "Location: http://us:pass-123456@a.example/cb?k=place-23456,x;y=semi-34567#t=frag-45678",
                        "Set-Cookie: s=cookie-56789; Path=/", "Link: <https://b.example/?k=a,link-67890>; rel=next",
                        "WWW-Authenticate: Negotiate YIIf-789012", "X-Session-Id: sess-890123",
                    ], body: "place-23456 cookie-56789 frag-45678 sess-890123 stays"
                )
            ) { _ in })
        let all = (evidence.headers ?? "") + String(decoding: try #require(evidence.body), as: UTF8.self)
        let secrets = [
            "pass-123456", "place-23456", "semi-34567", "frag-45678", "cookie-56789", "link-67890", "YIIf-789012", "sess-890123",
        ]
        for secret in secrets { #expect(!all.contains(secret), "\(secret): \(all)") }
        #expect(
            all.contains("Location: http://…@a.example/cb?k=…") && all.contains("; rel=next") && all.contains(" stays"), "\(all)")
        #expect(all.contains("WWW-Authenticate: Negotiate …"), "\(all)")
    }

    @Test func aHeadThatIsNotKeptCleansTheBodyAllTheSame() async throws {
        let evidence = try #require(
            try await evidence(.http(503, headers: ["Set-Cookie: s=cookie-56789"], body: "cookie-56789 stays")) {
                $0.evidence.keepsHeaders = false
            })
        #expect(evidence.headers == nil && evidence.body.map { String(decoding: $0, as: UTF8.self) } == "… stays")
    }

    @Test func theSchemeOfCredentialsIsNoSecret() async throws {
        let evidence = try #require(
            try await evidence(.http(401, headers: ["WWW-Authenticate: Bearer error=\"invalid_token\""])) {
                $0.headers = [.init(name: "Authorization", value: .secret(Secret("Bearer tok-12345")))]
                $0.expectedStatuses = [200...299]
            })
        #expect(evidence.headers?.contains("Bearer error=\"invalid_token\"") == true)
    }

    @Test func whatTheProbedURLAsksForIsNotKept() async throws {
        let server = try LoopbackServer { request in .http(500, body: "Cannot GET \(request.path)") }
        let evidence = try #require(try await Bench().probe(server.url, "/health?api_key=abc98765&x=1").evidence)
        #expect(evidence.body.map { String(decoding: $0, as: UTF8.self) } == "Cannot GET /health?api_key=…&x=1")
    }

    @Test func ofABodyThatIsNotDecodedNothingIsSaid() async throws {
        let evidence = try #require(try await evidence(.http(500, headers: ["Content-Encoding: br"], body: "\u{1}\u{2}")))
        #expect(evidence.body == nil && evidence.bodyBytes == nil && evidence.httpStatus == 500)
    }

    @Test func thePolicySaysWhatIsKept() async throws {
        let evidence = try #require(
            try await evidence(.http(500, body: "why")) { ($0.evidence.bodyBytes, $0.evidence.keepsHeaders) = (0, false) })
        #expect((evidence.headers, evidence.body, evidence.bodyBytes) == (nil, nil, 3))
    }

    @Test(arguments: ["", "x"]) func moreHeadersThanThereIsRoomForAreCutAtACharacter(_ shift: String) async throws {
        let long = "X-Long\(shift): " + String(repeating: "é", count: 1000)
        let evidence = try #require(try await evidence(.http(500, headers: [long])))
        #expect(evidence.headers.map { (900...Evidence.headersMax).contains($0.utf8.count) } == true)
        #expect(evidence.headers?.contains("\u{FFFD}") == false && evidence.headers?.last == "…")
    }
}
