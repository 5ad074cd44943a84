import TestSupport
import Testing

@testable import Curl

/// Lines of an answer that are no headers. libcurl answers them with codes that read like faults of ours, and with a use after free where a
/// handle is used again.
@Suite struct MalformedLineTests {
    struct Answer: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let bytes: String
        init(_ description: String, _ bytes: String) { (testDescription, self.bytes) = (description, bytes) }
    }

    private static let chunks = "Transfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n"
    static let answers = [
        Answer("a trailer without a colon", "HTTP/1.1 500 X\r\n\(chunks)X\r\n\r\n"),
        Answer("a second answer as a trailer", "HTTP/1.1 500 X\r\n\(chunks)HTTP/1.1 200 OK\r\n\r\n"),
        Answer("a first header that begins with a blank", "HTTP/1.1 500 X\r\n X: a\r\nContent-Length: 0\r\n\r\n"),
        Answer("a CR in a header's name", "HTTP/1.1 500 X\r\nConnect\rion: close\r\nContent-Length: 0\r\n\r\n"),
        Answer("a first header that begins with a tab", "HTTP/1.1 500 X\r\n\tX: a\r\nContent-Length: 0\r\n\r\n"),
        Answer("a first trailer that begins with a blank", "HTTP/1.1 500 X\r\n\(chunks) X\r\n\r\n"),
        Answer("a header without a colon", "HTTP/1.1 500 X\r\nX\r\nContent-Length: 0\r\n\r\n"),
        Answer("a header without a name", "HTTP/1.1 500 X\r\n: a\r\nContent-Length: 0\r\n\r\n"),
        Answer(
            "a blank header behind an interim answer", "HTTP/1.1 103 E\r\n\r\nHTTP/1.1 500 X\r\n : a\r\nContent-Length: 0\r\n\r\n"
        ),
        Answer("a header line of 150 KB", "HTTP/1.1 500 X\r\nX: \(String(repeating: "a", count: 150_000))\r\n\r\n"),
        Answer("a trailer line of 150 KB", "HTTP/1.1 500 X\r\n\(chunks)X: \(String(repeating: "a", count: 150_000))\r\n\r\n"),
        Answer("a NUL in a trailer", "HTTP/1.1 500 X\r\n\(chunks)X: a\0b\r\n\r\n"),
    ]

    /// What is no fault of the peer's may not come of its bytes.
    private static let own: Set<TransferFailure.Code> = [.localFault, .caFileUnreadable, .clientCertificateUnusable]

    @Test(arguments: answers.prefix(4)) func isAProtocolErrorOnAFreshConnection(_ answer: Answer) async throws {
        let server = try ConnectionServer {
            $0.readRequest()
            $0.send(answer.bytes)
            $0.waitForClose()
        }
        let report = await (try TransferEngine()).transfer(try request(server.url()))
        #expect(report.code == .protocolError, "\(report.failure as Any)")
        #expect(report.failure?.detail.isEmpty == false)
    }

    @Test(arguments: answers.prefix(4)) func isAProtocolErrorOnAKeptConnection(_ answer: Answer) async throws {
        let server = try ConnectionServer {
            $0.answer()
            $0.readRequest()
            $0.send(answer.bytes)
            $0.waitForClose()
        }
        let engine = try TransferEngine()
        let reusing = try request(server.url()) { $0.connection = .reuse }
        #expect(await engine.transfer(reusing).status == 200)
        let report = await engine.transfer(reusing)
        #expect(report.code == .protocolError, "\(report.failure as Any)")
        #expect(server.connections == 1)
    }

    @Test(arguments: answers) func isNeverOurOwnTrouble(_ answer: Answer) async throws {
        let server = try ConnectionServer {
            $0.answer()
            $0.readRequest()
            $0.send(answer.bytes)
            $0.finishSending()
            $0.waitForClose()
        }
        let engine = try TransferEngine()
        let reusing = try request(server.url()) { $0.connection = .reuse }
        #expect(await engine.transfer(reusing).status == 200)
        let report = await engine.transfer(reusing)
        #expect(report.code.map { !Self.own.contains($0) } ?? true, "\(report.failure as Any)")
    }

    /// libcurl 7.88.1 keeps a pointer to the last header of the answer before, where a handle is used again.
    @Test func aHeaderThatBeginsWithABlankBehindARedirectKillsNobody() async throws {
        let server = try LoopbackServer {
            $0.path == "/x"
                ? .raw("HTTP/1.1 200 OK\r\n X: a\r\nContent-Length: 0\r\n\r\n")
                : .raw("HTTP/1.1 302 F\r\nLocation: /x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        let engine = try TransferEngine()
        for _ in 0..<20 {
            #expect(await engine.transfer(try request(server.url + "/")).status == 302)
            #expect(await engine.transfer(try request(server.url + "/x")).code == .protocolError)
        }
    }
}
