import Exposition
import Foundation
import Health
import TestSupport
import Testing

@testable import Web

@Suite struct MetricsRouteTests {
    /// So many targets that a page has many chunks and doesn't fit the socket's buffers.
    private func series(_ count: Int) -> TargetSeries {
        let series = TargetSeries()
        let labels = (0..<count).map { number in
            SeriesLabels(
                identity: TargetIdentity(clientID: "c1", key: "t\(number)"), name: "Target \(number)",
                url: "https://h\(number).example/", region: number < 2 ? "eu" : "us")
        }
        series.replace(labels.map { SeriesTarget(labels: $0, policy: ProbePolicy()) })
        return series
    }

    @Test func servesTheFormatThatIsAskedFor() async throws {
        try await withServer(targets: series(1)) { port in
            let text = try await ask(port, "GET", "/metrics")
            #expect(text.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(text.headers["vary"] == "Accept, Accept-Encoding")
            #expect(text.text.contains("rangefinder_target_status_code{target_id=\"t0\""))
            let open = try await ask(port, "GET", "/metrics", ["Accept": "application/openmetrics-text;version=1.0.0"])
            #expect(open.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8")
            #expect(open.text.hasSuffix("\n# EOF\n"))
        }
    }

    @Test func whoSpeaksTheOldVersionHasThePageWithoutChunks() async throws {
        try await withServer(targets: series(2000)) { port in
            let old = try await exchange(port, "GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n")
            #expect(old.headers["transfer-encoding"] == nil && old.headers["connection"] == "close")
            #expect(old.text.hasPrefix("# HELP ") && old.text.hasSuffix("\n"))
            // Two pages differ only in figures of their own.
            #expect(
                old.text.split(separator: "\n").count
                    == (try await ask(port, "GET", "/metrics")).text.split(separator: "\n").count)
        }
    }

    /// Without chunks nothing else tells it from a whole one.
    @Test func halfAPageByTheOldVersionEndsInAReset() async throws {
        let (connections, keep) = AsyncStream.makeStream(of: Connection.self)
        try await withServer(targets: series(20_000)) { port in
            let connection = try await onThread {
                let connection = try Connection(port: port)
                connection.send("GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n")
                _ = connection.readBytes(atMost: 1)
                return connection
            }
            keep.yield(connection)
            // The server is told to end, and doesn't wait for ever.
        }
        let connection = try #require(await connections.first { _ in true })
        defer { connection.close() }
        #expect(try await onThread { connection.endsInReset() })
    }

    @Test func aCompressedPageIsTheSamePage() async throws {
        try await withServer(targets: series(2000)) { port in
            let plain = try await ask(port, "GET", "/metrics")
            let answer = try await ask(port, "GET", "/metrics", ["Accept-Encoding": "gzip"])
            #expect(answer.headers["content-encoding"] == "gzip")
            #expect(answer.body.count * 8 < plain.body.count)
            let unpacked = try await gunzip(answer.body)
            let targets = { (text: String) in text.split(separator: "\n").filter { $0.contains("target_id=") } }
            #expect(targets(unpacked).count == 2000 * 13)
            #expect(targets(unpacked) == targets(plain.text))
        }
    }

    @Test func selectsAndSaysWhatItCannot() async throws {
        try await withServer(targets: series(5)) { port in
            let selected = try await ask(port, "GET", "/metrics?region=eu")
            #expect(selected.text.split(separator: "\n").count { $0.hasPrefix("rangefinder_target_status_code{") } == 2)
            let mistaken = try await ask(port, "GET", "/metrics?shard=9/5")
            #expect(mistaken.status == 400)
            #expect(mistaken.text.hasPrefix("shard=9/5 is not i/n"))
        }
    }

    @Test func headHasTheHeadersAlone() async throws {
        try await withServer { port in
            let answer = try await ask(port, "HEAD", "/metrics", ["Accept-Encoding": "gzip"])
            #expect(answer.status == 200)
            #expect(answer.headers["content-encoding"] == "gzip")
            #expect(answer.body.isEmpty)
        }
    }

    @Test func clientsThatDoNotReadCostOthersNothing() async throws {
        try await withServer(targets: series(20_000)) { port in
            let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
            // The first bytes of an answer say that its page was begun; nobody reads on.
            let slow = try await onThread {
                try (0..<MetricsRoute.pagesAtOnceLimit).map { _ in
                    let connection = try Connection(port: port)
                    connection.send(request)
                    _ = connection.readBytes(atMost: 1)
                    return connection
                }
            }
            try await expect(200, of: ask(port, "GET", "/-/healthy"))
            // Again and again: a refusal gives back no place that it never had.
            for _ in 0..<4 { try await expect(503, of: ask(port, "GET", "/metrics")) }
            for connection in slow { connection.close() }
        }
    }

    private func gunzip(_ bytes: [UInt8]) async throws -> String {
        try await onThread { try ChildProcess.run("gzip", ["-dc"], input: bytes).output }
    }
}
