import TestSupport
import Testing

/// What a daemon that runs keeps of a failing target, and how a person reads it.
@Suite(.timeLimit(.minutes(5))) struct IncidentsShowTests {
    private static let html = "<!doctype html>\r\n<title>Over capacity \u{202e}</title>\r\n<p>Try again, tok-1234567890."

    private func show(probe: String = "", _ reply: LoopbackReply) async throws -> (text: Program.Ended, site: Site) {
        let site = try Site(
            paths: ["bad"], probe: "{interval: 2s, fast_interval: 100ms, timeout: 2s, fall: 2\(probe)}",
            more: "alerting: {group_window: 0s}"
        ) { _ in reply }
        let (program, _) = try await site.start()
        #expect(try await program.errors.until("bad is down"))
        program.send(15)
        _ = await program.ended()
        return (try await Program.run(["incidents", "show", "1", "--database", site.database]), site)
    }

    @Test func anIncidentIsShownWithWhatTheServerSaid() async throws {
        let headers = ["Content-Type: text/html", "Set-Cookie: session=abcdef0123", "Retry-After: 30"]
        let (ended, _) = try await show(.http(503, headers: headers, body: Self.html))
        #expect(ended.code == 0, "\(ended.errors)")
        for words in [
            "bad (eu) has been down for ", ": status_unexpected: HTTP 503\n", "Incident 1, ", " failed probes\n", "first bad  20",
            "confirmed  20", " at most\n", "First bad probe, 20", "  HTTP/1.1 503", "  Retry-After: 30\n", "  Set-Cookie: …\n",
            "    <title>Over capacity \\u{202e}</title>\n", "  addresses: 127.0.0.1 answered\n", "Z: it said the same\n",
        ] {
            #expect(ended.output.contains(words), "\(words) isn't in \(ended.output)")
        }
        #expect(!ended.output.contains("abcdef0123"))
    }

    @Test func aBodyThatIsNoTextIsShownAsBytes() async throws {
        let (ended, site) = try await show(.http(500, headers: ["Content-Type: image/gif"], body: "GIF\u{0}\u{1}a"))
        #expect(ended.output.contains("  body, 6 bytes, image/gif:\n    47 49 46 00 01 61  |GIF..a|\n"), "\(ended.output)")
        let json = try await Program.run(["incidents", "show", "1", "--database", site.database, "--json"])
        #expect(json.output.contains("\"body\":null,\"body_base64\":\"R0lGAAFh\",\"body_bytes\":6"))
    }

    @Test func anIncidentThatIsNotThereIsSaidWithWhatToDo() async throws {
        let (_, site) = try await show(.http(500))
        let ended = try await Program.run(["incidents", "show", "7", "--database", site.database])
        #expect(ended.code == 2)
        #expect(ended.errors.contains("there is no incident 7; `rangefinder incidents --json` prints the numbers"))
    }
}
