import Foundation
import Glibc
import TestSupport
import Testing

private let chromium = ProcessInfo.processInfo.environment["RANGEFINDER_BROWSER"]

/// The pages in Debian's Chromium. scripts/test installs the browser, and a Python that drives it.
@Suite(
    .enabled(if: chromium != nil && python != nil, "RANGEFINDER_BROWSER is not set; scripts/test sets it"),
    .timeLimit(.minutes(15)))
struct BrowserTests {
    private static let hostile =
        "<script>alert(1)</script> <b class=hostile>\" ' \u{202e} \(String(repeating: "x", count: 10_000))"

    @Test func everyPageIsForEverybody() async throws {
        let reply = Self.hostile
        let site = try Site(
            paths: ["good", "bad"], probe: "{interval: 2s, fast_interval: 100ms, timeout: 2s, fall: 2}", more: "admin: true"
        ) { request in
            request.path == "/bad"
                ? .http(503, headers: ["X-Said: <img src=x onerror=alert(1)> \(reply.prefix(300))"], body: reply) : .http(200)
        }
        let (program, port) = try await site.start()
        #expect(try await program.errors.until("bad is down"))
        while !(try await get(port, "/incidents/1.json")).body.contains("\"last_bad\"") {}
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Browser/browse.py").path
        let paths = [
            "/", "/targets", "/targets/\(documentedClient)/tgt_bad", "/incidents", "/incidents/1", "/certificates", "/daemon",
            "/wall",
        ]
        let looked = try ChildProcess.run(
            try #require(python), [script, try #require(chromium), "http://127.0.0.1:\(port)"] + paths)
        #expect(looked.output == "[]\n", "\(looked.output) \(looked.errors)")
        program.send(SIGTERM)
        _ = await program.ended()
    }
}
