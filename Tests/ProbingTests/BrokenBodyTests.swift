import Health
import Probing
import TestSupport
import Testing

/// An answer whose status says enough, and whose body is broken besides.
@Suite struct BrokenBodyTests {
    private static let broken = [
        "Content-Length: 100\r\n\r\nhalf",
        "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
    ]

    @Test(arguments: broken.dropLast()) func aStatusThatWasNotExpectedIsTheReasonAndBothAreSaid(_ rest: String) async throws {
        let server = try LoopbackServer { _ in .raw("HTTP/1.1 503 X\r\n\(rest)") }
        let result = try await Bench().probe(server.url).result
        #expect(result.outcome == .bad(.statusUnexpected) && result.void == nil)
        #expect(result.facts.httpStatus == 503)
        #expect(result.sentence.hasPrefix("HTTP 503, but 200-399 was expected; besides, "), "\(result.sentence)")
        #expect(result.sentence.contains("does not speak HTTP as it should"))
    }

    @Test func aBodyThatIsTooLargeIsSaidBesideTheStatus() async throws {
        let body = String(repeating: "x", count: 2 << 20)
        let server = try LoopbackServer { _ in .raw("HTTP/1.1 503 X\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)") }
        let result = try await Bench().probe(server.url).result
        #expect(result.outcome == .bad(.statusUnexpected) && result.facts.httpStatus == 503)
        #expect(result.sentence.hasPrefix("HTTP 503, but 200-399 was expected; besides, "), "\(result.sentence)")
        #expect(result.sentence.contains("max_body"), "\(result.sentence)")
    }

    @Test func aBodyThatCantBeDecodedIsSaidBesideTheStatus() async throws {
        let server = try LoopbackServer { _ in .raw("HTTP/1.1 503 X\r\n\(Self.broken[3])") }
        let result = try await Bench().probe(server.url).result
        #expect(result.outcome == .bad(.statusUnexpected))
        #expect(result.sentence == "HTTP 503, but 200-399 was expected; besides, its body can't be decoded")
    }

    @Test(arguments: broken) func aStatusThatWasExpectedIsAProtocolError(_ rest: String) async throws {
        let server = try LoopbackServer { _ in .raw("HTTP/1.1 200 X\r\n\(rest)") }
        #expect(try await Bench().probe(server.url).result.outcome == .bad(.protocolError))
    }

    @Test func credentialsThatAreWantedAreSaidThoughTheBodyIsShort() async throws {
        let server = try LoopbackServer { _ in .raw("HTTP/1.1 401 X\r\nContent-Length: 100\r\n\r\nhalf") }
        let result = try await Bench().probe(server.url).result
        #expect(result.outcome == .bad(.statusUnexpected) && result.sentence.contains("wants credentials"))
    }
}
