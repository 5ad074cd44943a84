import Glibc
import TestSupport
import Testing

/// The pages of a daemon that runs, asked for over a socket.
@Suite(.timeLimit(.minutes(5))) struct PagesTests {
    private static let hostile = "<script>alert(1)</script> \"quoted\" 'too' \u{202e}"

    /// A daemon with a target that is up and one that is down, whose incident is in the database.
    private func withPages(_ body: (Int) async throws -> Void) async throws {
        let reply = Self.hostile
        let site = try Site(
            paths: ["good", "bad"], probe: "{interval: 2s, fast_interval: 100ms, timeout: 2s, fall: 2}"
        ) { request in
            request.path == "/bad" ? .http(503, headers: ["X-Said: <b>bold</b>"], body: reply) : .http(200)
        }
        let (program, port) = try await site.start()
        #expect(try await program.errors.until("bad is down"))
        #expect(try await program.errors.until("good is up"))
        // A commit is due every half second.
        while !(try await get(port, "/incidents/1.json")).body.contains("\"last_bad\"") {}
        try await body(port)
        program.send(SIGTERM)
        _ = await program.ended()
    }

    private static let target = "/targets/\(documentedClient)/tgt_bad"

    @Test func everyPageSaysWhatIsWrongAndEscapesWhatTheTargetSaid() async throws {
        try await withPages { port in
            for path in ["/", "/targets", Self.target, "/incidents", "/incidents/1", "/wall", "/feed.atom"] {
                let answer = try await get(port, path)
                let page = answer.body
                #expect(answer.status == 200 && page.contains("bad"), "\(path): \(page.prefix(400))")
                #expect(!page.contains("<script>alert") && !page.contains("\u{202e}") && !page.contains("{{"), "\(path)")
            }
            for path in [Self.target, "/incidents/1"] {
                let page = try await get(port, path).body
                #expect(page.contains("HTTP/1.1 503") && page.contains("X-Said: &lt;b&gt;bold&lt;/b&gt;"), "\(path)")
                #expect(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && page.contains("\\u{202e}"), "\(path)")
            }
            // On a machine with much to do it may have a caveat.
            #expect(try await get(port, "/daemon").body.contains("<span>You can trust this"))
            #expect(try await get(port, "/certificates").body.contains("No certificate has been seen yet"))
        }
    }

    @Test(.enabled(if: python != nil, "RANGEFINDER_PYTHON is not set; scripts/test sets it"))
    func everyPageOfARunningDaemonIsMadeAndItsTwinFitsItsSchema() async throws {
        try await withPages { port in
            let twins = [
                ("/index", "overview"), ("/targets", "target_list"), (Self.target, "target"), ("/incidents", "incidents"),
                ("/incidents/1", "incident_page"), ("/certificates", "certificates"), ("/daemon", "daemon"),
                ("/wall", "overview"),
                ("/feed.atom", "feed"),
            ]
            for (path, schema) in twins {
                let answer = try await get(port, path + ".json")
                #expect(answer.status == 200, "\(path)")
                #expect(try problems(of: answer.body, against: schema) == "read\n", "\(path)")
            }
        }
    }

    @Test func filtersHoldWhatTheySay() async throws {
        try await withPages { port in
            #expect(try await get(port, "/incidents?state=open&q=BAD").body.contains("1 incident is open"))
            #expect(try await get(port, "/incidents?state=over").body.contains("No incident is like that"))
            #expect(try await get(port, "/targets?status=down&reason=status_unexpected").body.contains("1 of 2 targets"))
            let gone = try await get(port, "/targets/\(documentedClient)/nobody")
            #expect(gone.status == 404 && gone.body.contains("<a href=\"/targets\">"))
            let first = try await get(port, "/targets.json?limit=1&sort=name")
            let next = try #require(first.headers.firstMatch(of: /(?i)link: <([^>]+)>; rel="next"/)).1
            #expect(try await get(port, String(next)).body.contains("\"target\":\"good\""))
        }
    }
}
