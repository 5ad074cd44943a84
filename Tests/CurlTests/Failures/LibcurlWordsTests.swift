import CCurl
import Glibc
import TestSupport
import Testing

@testable import Curl

/// How the library itself says a failure: by a code wherever it has one, and in words where it has none.
@Suite(.timeLimit(.minutes(5))) struct LibcurlWordsTests {
    private let engine: TransferEngine
    init() throws { engine = try TransferEngine() }

    private func failure(_ url: String, _ change: (inout TransferRequest) -> Void = { _ in }) async throws -> TransferFailure {
        // What may change something is sent once.
        let wanted = try request(url) {
            $0.method = "POST"
            change(&$0)
        }
        return try #require(await engine.transfer(wanted).failure)
    }

    @Test func theEndOfAConnectionInAHandshakeIsSaidInWords() async throws {
        let server = try ConnectionServer { _ = $0.readSome() }
        let failure = try await failure("https://127.0.0.1:\(server.port)/")
        #expect(failure.code == .connectionClosed)
        let words = LibcurlWords(text: failure.detail)
        #expect(words.contain(.endInHandshake) && words.openSSLError == nil && failure.systemError == nil, "\(words.text)")
    }

    @Test func anAlertIsACodeOfOpenSSL() async throws {
        let server = try ConnectionServer {
            _ = $0.readSome()
            $0.send([21, 3, 3, 0, 2, 2, 40])  // TLS 1.2: fatal, handshake_failure
            $0.waitForClose()
        }
        let failure = try await failure("https://127.0.0.1:\(server.port)/")
        #expect(failure.code == .tlsFailed)
        #expect(LibcurlWords(text: failure.detail).openSSLError?.isAlert == true, "\(failure.detail)")
    }

    @Test(arguments: [true, false]) func aResetUnderTLSHasItsErrno(isInHandshake: Bool) async throws {
        let authority = try TestAuthority()
        let certificate = try authority.issue("leaf")
        let server = try ConnectionServer { connection in
            if isInHandshake {
                _ = connection.readSome()
            } else {
                guard let tls = try? TLSConnection(connection, authority, certificate: certificate) else { return }
                _ = tls.readBytes()
            }
            connection.reset()
        }
        let failure = try await failure("https://127.0.0.1:\(server.port)/") { $0.caFile = authority.bundle }
        #expect(failure.code == .connectReset && failure.systemError == ECONNRESET, "\(failure)")
    }

    @Test func theEndOfAnHTTP2ConnectionIsACodeOfItsOwn() async throws {
        let server = try HTTP2Server { _, _, _ in nil }
        let overTLS = try await failure(server.url()) { $0.caFile = server.authority.bundle }
        #expect(overTLS.code == .connectionClosed, "\(overTLS)")
        let plain = try ConnectionServer { _ = $0.readBytes() }
        let withoutTLS = try await failure(plain.url()) { $0.httpVersion = .http2 }
        #expect(withoutTLS.code == .connectionClosed, "\(withoutTLS)")
    }

    @Test func whatIsNotHTTP2IsACodeOfItsOwn() async throws {
        let server = try ConnectionServer {
            _ = $0.readBytes()
            $0.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            $0.waitForClose()
        }
        let failure = try await failure(server.url()) { $0.httpVersion = .http2 }
        #expect(failure.code == .protocolError && failure.detail == "what it sent is not HTTP/2")
    }

    @Test(arguments: ["", "error:", "error:zz:", "Couldn't connect to server", "OpenSSL SSL_connect: SSL_ERROR_SYSCALL"])
    func wordsThatQuoteNoErrorHaveNone(_ text: String) {
        #expect(LibcurlWords(text: text).openSSLError == nil)
    }

    @Test func anErrorIsFoundBehindOtherWords() {
        let words = LibcurlWords(text: "TLS connect error: error:0A000126:SSL routines::unexpected eof while reading")
        #expect(words.openSSLError?.isEndOfConnection == true && words.openSSLError?.isAlert == false)
    }

    @Test(arguments: [("0A000410", true), ("0A00045C", true), ("0A0000CD", true), ("0A00010B", false), ("02000410", false)])
    func alertsAreKnownByTheirNumber(_ number: String, isAlert: Bool) {
        #expect(LibcurlWords(text: "error:\(number):x").openSSLError?.isAlert == isAlert)
    }

    /// The words can hold a peer's bytes.
    @Test(arguments: FailureReading.Connection.allCases) func noWordsMakeAFailureOurTrouble(
        _ connection: FailureReading.Connection
    ) {
        let texts =
            LibcurlWords.Phrase.allCases.map(\.rawValue) + ["error:0A000126:", "error:0A000410:", systemErrorText(ENOMEM)]
        for result in [CURLE_SSL_CONNECT_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE] {
            for text in texts {
                var reading = FailureReading(result: result, words: LibcurlWords(text: text))
                reading.connection = connection
                #expect(reading.code != .localFault && reading.code != nil, "\(text)")
            }
        }
    }
}
