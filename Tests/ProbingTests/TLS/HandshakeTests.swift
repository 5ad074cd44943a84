import Foundation
import Health
import TestSupport
import Testing

@testable import Curl
@testable import Probing

/// What ends a handshake, and what is said of it.
@Suite(.timeLimit(.minutes(5))) struct HandshakeTests {
    /// What stands on the wire (RFC 8446 section 6).
    static let alerts: [(number: UInt8, words: String)] = [
        (10, "unexpected_message"), (20, "decrypt_error"), (40, "refused it without saying why"), (42, "refused a certificate"),
        (43, "refused a certificate"), (44, "refused a certificate"), (45, "refused a certificate"),
        (46, "refused a certificate"),
        (47, "illegal_parameter"), (48, "refused a certificate"), (49, "access_denied"), (50, "decode_error"),
        (51, "decrypt_error"),
        (70, "none of the protocol versions"), (71, "insufficient_security"), (80, "internal_error"),
        (86, "ended it by an alert"),
        (112, "knows no host of this name"), (116, "asks for a client certificate and was shown none"),
        (120, "neither HTTP/2 nor HTTP/1.1"),
    ]

    @Test(arguments: alerts) func anAlertOfTheServerIsSaidInWords(number: UInt8, words: String) async throws {
        let result = try await probe(answering: [0x15, 3, 3, 0, 2, 2, number])
        #expect(result.outcome == .bad(.tlsHandshakeFailed), "\(result.sentence)")
        #expect(result.sentence.contains(words), "\(result.sentence)")
    }

    /// A ServerHello with a version and a cipher, without extensions.
    private static func hello(version: UInt8, cipher: (UInt8, UInt8)) -> [UInt8] {
        let body: [UInt8] = [3, version] + [UInt8](repeating: 7, count: 32) + [0, cipher.0, cipher.1, 0]
        let message: [UInt8] = [2, 0, 0, UInt8(body.count)] + body
        return [0x16, 3, 3, 0, UInt8(message.count)] + message
    }

    @Test func aServerOfAnOldVersionIsSaidSo() async throws {
        let result = try await probe(answering: Self.hello(version: 1, cipher: (0xc0, 0x13)))
        #expect(result.outcome == .bad(.tlsHandshakeFailed))
        #expect(result.sentence.contains("only protocol versions before TLS 1.2"), "\(result.sentence)")
    }

    @Test func aCipherThatWasNotOfferedIsSaidSo() async throws {
        let result = try await probe(answering: Self.hello(version: 3, cipher: (0, 4)))
        #expect(result.outcome == .bad(.tlsHandshakeFailed))
        #expect(result.sentence.contains("chose a cipher or a signature that was not offered"), "\(result.sentence)")
    }

    @Test func aServerWithoutSafeRenegotiationIsSaidSo() async throws {
        let result = try await probe(answering: Self.hello(version: 3, cipher: (0xc0, 0x2f)))
        #expect(result.outcome == .bad(.tlsHandshakeFailed))
        #expect(result.sentence.contains("does not know safe renegotiation"), "\(result.sentence)")
    }

    @Test func plainHTTPIsSaidSo() async throws {
        let result = try await probe(answering: Array("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".utf8))
        #expect(result.outcome == .bad(.tlsHandshakeFailed))
        #expect(result.sentence.contains("did not answer with TLS; it may be a port for plain HTTP"), "\(result.sentence)")
    }

    private func probe(answering bytes: [UInt8]) async throws -> ProbeResult {
        let server = try ConnectionServer {
            _ = $0.readSome()
            $0.send(bytes)
            $0.waitForClose()
        }
        return try await Bench().probe("https://127.0.0.1:\(server.port)").result
    }

    // MARK: Certificates of ours

    private static let versions = ["-tls1_2", "-tls1_3"]
    private static let asks = "-www -Verify 1 -verify_return_error -CAfile ca.crt"

    /// TLS 1.3 tells of it after the handshake, and the reset that follows may overtake the alert: so it is tried often.
    @Test(arguments: versions) func aMissingClientCertificateIsAlwaysAFailedHandshake(version: String) async throws {
        let authority = try TestAuthority()
        let server = try TLSServer(authority, certificate: authority.issue("leaf"), options: "\(Self.asks) \(version)")
        var bench = try Bench()
        bench.policy.caFile = authority.bundle
        for _ in 0..<30 {
            let result = await bench.probe("https://127.0.0.1:\(server.port)").result
            #expect(result.outcome == .bad(.tlsHandshakeFailed), "\(result.sentence)")
            #expect(
                result.sentence.hasSuffix(
                    "asks for a client certificate and was shown none; set client_certificate_file and client_key_file in an override "
                        + "with match.url"), "\(result.sentence)")
        }
    }

    /// It hangs up without a word, once it has seen that there is none.
    @Test func aServerThatAskedForACertificateAndResetsIsUnderstood() async throws {
        let authority = try TestAuthority()
        let leaf = try authority.issue("leaf")
        let server = try Resetting(authority, leaf)
        var bench = try Bench()
        bench.policy.caFile = authority.bundle
        let result = await bench.probe("https://127.0.0.1:\(server.port)").result
        #expect(result.outcome == .bad(.tlsHandshakeFailed), "\(result.sentence)")
        #expect(result.sentence.contains("asks for a client certificate and was shown none"), "\(result.sentence)")
    }

    @Test(arguments: versions) func aClientCertificateThatIsRefusedIsSaidSo(version: String) async throws {
        let (authority, stranger) = (try TestAuthority(), try TestAuthority())
        let server = try TLSServer(authority, certificate: authority.issue("leaf"), options: "\(Self.asks) \(version)")
        let file = try stranger.issue("stranger")
        var bench = try Bench()
        bench.policy.caFile = authority.bundle
        bench.policy.clientCertificate = ClientCertificate(
            chain: try stranger.folder.read("\(file).crt"), key: Secret(try stranger.folder.read("\(file).key")))
        for _ in 0..<10 {
            let result = await bench.probe("https://127.0.0.1:\(server.port)").result
            #expect(result.outcome == .bad(.tlsHandshakeFailed), "\(result.sentence)")
            #expect(result.sentence.contains("did not accept the client certificate"), "\(result.sentence)")
        }
    }

    @Test func aCertificateThatIsWantedButNotNeededIsNoFailure() async throws {
        let authority = try TestAuthority()
        let server = try TLSServer(authority, certificate: authority.issue("leaf"), options: "-www -verify 1")
        var bench = try Bench()
        bench.policy.caFile = authority.bundle
        #expect(await bench.probe("https://127.0.0.1:\(server.port)").result.outcome == .good)
    }

    // MARK: Sentences

    @Test func everyFaultHasASentenceOfItsOwn() {
        let plain = TLSFault.allCases.filter { ![.expired, .notYetValid, .nameMismatch].contains($0) }
        let sentences = plain.compactMap { TLSSentence.words($0).map { "\($0.what); \($0.advice)" } }
        #expect(sentences.count == plain.count && Set(sentences).count == plain.count)
    }
}

/// Asks for a certificate in a handshake of TLS 1.3 and resets the connection when the request comes.
private final class Resetting: Sendable {
    let port: Int
    private let process: ChildProcess

    init(_ authority: TestAuthority, _ leaf: String) throws {
        let script = """
            import socket, ssl, struct, sys
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain("\(leaf).crt", "\(leaf).key")
            context.load_verify_locations("ca.crt")
            context.verify_mode = ssl.CERT_OPTIONAL
            listener = socket.socket()
            listener.bind(("127.0.0.1", 0))
            listener.listen(16)
            print(listener.getsockname()[1], flush=True)
            while True:
                connection = context.wrap_socket(listener.accept()[0], server_side=True)
                connection.recv(1)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()
            """
        let process = try ChildProcess("/usr/bin/env", ["python3", "-c", script], in: authority.folder.path)
        self.process = process
        var text = ""
        while !text.contains("\n") {
            guard let more = process.readOutput() else { throw SupportError("python3: \(text)") }
            text += String(decoding: more, as: UTF8.self)
        }
        port = Int(text.prefix { $0.isNumber }) ?? 0
    }

    deinit { process.end() }
}
