import CCurl
import CHandshake
import TestSupport
import Testing

@testable import Curl

/// What stands between libcurl and OpenSSL, called as they call it. A turn is one thread's, so nothing here awaits.
@Suite struct InterpositionTests {
    private let handshakes: OpaquePointer
    private let authority: TestAuthority

    init() throws {
        handshakes = try #require(rf_handshakes_new())
        authority = try TestAuthority()
    }

    private func inTurn<Value>(sharing: Bool = true, _ body: () throws -> Value) rethrows -> Value {
        rf_handshakes_begin(handshakes, sharing ? 1 : 0)
        defer { rf_handshakes_end() }
        return try body()
    }

    /// The DER form of a new certificate.
    private func certificate(_ name: String) throws -> [UInt8] {
        let file = try authority.issue(name)
        let words = ["x509", "-in", "\(file).crt", "-outform", "DER", "-out", "der"]
        #expect(try ChildProcess.run("/usr/bin/openssl", words, in: authority.folder.path).status == 0)
        return try authority.folder.bytes(of: "der")
    }

    /// As libssl reads one. It is never freed, so that no other comes to stand where it stood.
    private func read(_ bytes: [UInt8], length: Int? = nil) -> (certificate: OpaquePointer?, count: Int) {
        bytes.withUnsafeBufferPointer { bytes in
            var certificate = X509_new()
            var next = bytes.baseAddress
            let answer = d2i_X509(&certificate, &next, length ?? bytes.count)
            return (answer, bytes.baseAddress.flatMap { first in next.map { $0 - first } } ?? 0)
        }
    }

    /// What an SSL of the context sends first.
    private func clientHello(of context: OpaquePointer) -> [UInt8] {
        let ssl = SSL_new(context)
        defer { SSL_free(ssl) }
        let output = BIO_new(BIO_s_mem())
        SSL_set_bio(ssl, BIO_new(BIO_s_mem()), output)
        SSL_set_connect_state(ssl)
        SSL_do_handshake(ssl)
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = BIO_read(output, &bytes, Int32(bytes.count))
        return Array(bytes.prefix(max(0, Int(count))))
    }

    @Test func inATurnAContextIsTheSameEachTime() throws {
        let method = TLS_client_method()
        let first = try #require(inTurn { SSL_CTX_new(method) })
        #expect(inTurn { SSL_CTX_new(method) } == first)
        let alone = [
            SSL_CTX_new(method), inTurn(sharing: false) { SSL_CTX_new(method) }, inTurn { SSL_CTX_new(TLS_server_method()) },
        ]
        #expect(Set(alone + [first]).count == 4 && !alone.contains(nil))
        #expect(rf_contexts_made(handshakes) == 3)
        rf_handshakes_free(handshakes)
        // Whoever has it keeps it.
        #expect(SSL_CTX_get_verify_mode(first) == SSL_VERIFY_NONE)
        for context in alone + [first, first] { SSL_CTX_free(context) }
    }

    @Test func aContextThatIsTakenAgainOffersNothingOfItsOwn() throws {
        let names: [UInt8] = [2, 0x68, 0x32]
        try inTurn {
            let context = try #require(SSL_CTX_new(TLS_client_method()))
            #expect(SSL_CTX_set_alpn_protos(context, names, 3) == 0)
            #expect(SSL_CTX_new(TLS_client_method()) == context)
            #expect(!clientHello(of: context).contains([0, 16, 0, 5, 0, 3] + names))
            #expect(SSL_CTX_set_alpn_protos(context, names, 3) == 0)
            #expect(clientHello(of: context).contains([0, 16, 0, 5, 0, 3] + names))
        }
    }

    @Test func anotherListOfCiphersIsSetAndTheSameOneIsNot() throws {
        try inTurn {
            let context = try #require(SSL_CTX_new(TLS_client_method()))
            func names() -> Set<String> {
                let list = SSL_CTX_get_ciphers(context)
                return Set(
                    (0..<OPENSSL_sk_num(list)).compactMap { index in
                        OPENSSL_sk_value(list, index).flatMap { SSL_CIPHER_get_name(OpaquePointer($0)) }.map {
                            String(cString: $0)
                        }
                    }.filter { !$0.hasPrefix("TLS_") })
            }
            for list in ["ECDHE-RSA-AES128-GCM-SHA256", "AES256-SHA256", "AES256-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"] {
                #expect(SSL_CTX_set_cipher_list(context, list) == 1)
                #expect(names() == [list])
            }
            #expect(SSL_CTX_set_cipher_list(context, "NONE-OF-THESE") == 0)
            #expect(SSL_CTX_set_cipher_list(context, "ECDHE-RSA-AES128-GCM-SHA256") == 1)
            #expect(names() == ["ECDHE-RSA-AES128-GCM-SHA256"])
        }
    }

    @Test func bytesThatWereSeenAreTheCertificateThatWasRead() throws {
        let (first, second) = (try certificate("first"), try certificate("second"))
        inTurn {
            let read = [first, second, first, second].map { self.read($0) }
            #expect(read[0].certificate == read[2].certificate && read[1].certificate == read[3].certificate)
            #expect(read[0].certificate != read[1].certificate && read[0].certificate != nil)
            #expect(read.map(\.count) == [first.count, second.count, first.count, second.count])
        }
        #expect(rf_certificates_read(handshakes) == 2)
        #expect(self.read(first).certificate != inTurn { self.read(first).certificate })
        #expect(rf_certificates_read(handshakes) == 2)
    }

    /// The place is by the end of the bytes, the certificate by all of them.
    @Test func oneBitMakesAnotherCertificate() throws {
        let bytes = try certificate("first")
        let known = inTurn { read(bytes).certificate }
        for position in stride(from: 0, to: bytes.count, by: 7) {
            var other = bytes
            other[position] ^= 1
            #expect(inTurn { read(other).certificate } != known)
        }
    }

    @Test func whatIsNoCertificateIsRefusedEachTime() throws {
        let bytes = try certificate("first")
        inTurn {
            #expect(read(bytes).certificate != nil)
            for _ in 0..<2 {
                #expect(read(Array(bytes.dropLast())).certificate == nil)
                #expect(read([]).certificate == nil)
                // What comes behind a certificate is left for whoever reads on.
                #expect(read(bytes + [0, 0, 0]).count == bytes.count)
            }
        }
        ERR_clear_error()
    }

    @Test func anObserverBelongsToOneConnectionAndEndsWithIt() throws {
        let bundle = try #require(ParsedBundle(authority.bundle))
        try inTurn {
            let context = try #require(SSL_CTX_new(TLS_client_method()))
            weak var watching: HandshakeObserver?
            let connection = try watched(context, bundle) { watching = $0 }
            #expect(watching != nil && HandshakeObserver.of(connection) === watching)
            let other = try #require(SSL_new(context))
            #expect(HandshakeObserver.of(other) == nil)
            SSL_free(other)
            SSL_free(connection)
            #expect(watching == nil)
        }
    }

    private func watched(_ context: OpaquePointer, _ bundle: ParsedBundle, _ show: (HandshakeObserver) -> Void) throws
        -> OpaquePointer
    {
        let observer = HandshakeObserver(KnownCertificates())
        show(observer)
        #expect(observer.watch(context, trusting: bundle, refuses: true))
        return try #require(SSL_new(context))
    }

    @Test func anObserverIsTakenOnce() throws {
        let place = UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1)
        defer { place.deallocate() }
        rf_offer_observer(place)
        #expect(rf_take_observer() == place && rf_take_observer() == nil)
        // Its SSL was never made.
        inTurn { rf_offer_observer(place) }
        #expect(rf_take_observer() == nil)
    }
}
