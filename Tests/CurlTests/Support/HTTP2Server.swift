import CCurl
import Dispatch
import Glibc
import TestSupport

/// One end of a TLS connection on a socket that a test's server accepted.
final class TLSConnection {
    private let context: OpaquePointer
    private let ssl: OpaquePointer

    /// Makes the handshake. `certificate` as the authority's ``TestAuthority/issue(_:subjectAlternativeName:from:to:)`` answers it.
    init(
        _ connection: Connection, _ authority: TestAuthority, certificate: String, isTLS12: Bool = false, offersHTTP2: Bool = true
    ) throws {
        // OpenSSL writes to a client that is gone.
        var broken = sigset_t()
        sigaddset(&broken, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &broken, nil)
        guard let context = SSL_CTX_new(TLS_server_method()) else { throw SupportError("SSL_CTX_new") }
        SSL_CTX_use_certificate_file(context, authority.folder.file(certificate + ".crt"), SSL_FILETYPE_PEM)
        SSL_CTX_use_PrivateKey_file(context, authority.folder.file(certificate + ".key"), SSL_FILETYPE_PEM)
        if offersHTTP2 { SSL_CTX_set_alpn_select_cb(context, { _, chosen, length, _, _, _ in chooseHTTP2(chosen, length) }, nil) }
        if isTLS12 { SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(TLS1_2_VERSION), nil) }
        guard let ssl = SSL_new(context) else {
            SSL_CTX_free(context)
            throw SupportError("SSL_new")
        }
        (self.context, self.ssl) = (context, ssl)
        SSL_set_fd(ssl, connection.descriptor)
        guard SSL_accept(ssl) == 1 else { throw SupportError("SSL_accept") }
    }

    deinit {
        SSL_free(ssl)
        SSL_CTX_free(context)
    }

    /// None when the other end is done, or gone.
    func readBytes() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = SSL_read(ssl, &buffer, Int32(buffer.count))
        return count > 0 ? Array(buffer[..<Int(count)]) : nil
    }

    func send(_ bytes: [UInt8]) { SSL_write(ssl, bytes, Int32(bytes.count)) }
}

private func chooseHTTP2(_ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, _ length: UnsafeMutablePointer<UInt8>?) -> Int32
{
    let name: StaticString = "h2"
    chosen?.pointee = name.utf8Start
    length?.pointee = 2
    return SSL_TLSEXT_ERR_OK
}

/// Frames of HTTP/2 as bytes (RFC 9113 section 4).
enum HTTP2 {
    static let settings = frame(4, 0, 0)
    static let noError: UInt32 = 0
    static let refusedStream: UInt32 = 7

    static func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt32, _ payload: [UInt8] = []) -> [UInt8] {
        [0, UInt8(payload.count >> 8), UInt8(payload.count & 0xff), type, flags] + bytes(stream) + payload
    }

    /// The status 200, in HPACK's static table.
    static func head(_ stream: UInt32) -> [UInt8] { frame(1, 4, stream, [0x88]) }

    static func data(_ stream: UInt32, _ text: String, isLast: Bool) -> [UInt8] {
        frame(0, isLast ? 1 : 0, stream, Array(text.utf8))
    }

    static func reset(_ stream: UInt32, _ error: UInt32) -> [UInt8] { frame(3, 0, stream, bytes(error)) }

    static func goAway(last: UInt32) -> [UInt8] { frame(7, 0, 0, bytes(last) + bytes(noError)) }

    private static func bytes(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) } }
}

/// A server of HTTP/2 over TLS that answers each request as a script says.
final class HTTP2Server: Sendable {
    let authority: TestAuthority
    private let server: ConnectionServer

    var connections: Int { server.connections }
    func url() -> String { "https://127.0.0.1:\(server.port)/" }

    /// - Parameter script: what to send for a request, by its connection and its place there, both from 1, and its stream; none to close the
    ///   connection.
    init(_ script: @escaping @Sendable (_ connection: Int, _ request: Int, _ stream: UInt32) -> [UInt8]?) throws {
        let authority = try TestAuthority()
        let certificate = try authority.issue("h2")
        let numbers = Counter()
        self.authority = authority
        server = try ConnectionServer { connection in
            let number = numbers.next()
            guard let tls = try? TLSConnection(connection, authority, certificate: certificate) else { return }
            tls.send(HTTP2.settings)
            var (received, requests) = ([UInt8](), 0)
            var isPrefaceOver = false
            while let more = tls.readBytes() {
                received += more
                if !isPrefaceOver, received.count >= 24 {
                    received.removeFirst(24)
                    isPrefaceOver = true
                }
                while isPrefaceOver, let frame = received.takeFrame() {
                    if frame.type == 4, frame.flags & 1 == 0 { tls.send(HTTP2.frame(4, 1, 0)) }
                    guard frame.type == 1 else { continue }
                    requests += 1
                    guard let answer = script(number, requests, frame.stream) else {
                        // What the client still sends must not make a reset of the end.
                        connection.finishSending()
                        return connection.waitForClose()
                    }
                    tls.send(answer)
                }
            }
        }
    }
}

extension [UInt8] {
    fileprivate mutating func takeFrame() -> (type: UInt8, flags: UInt8, stream: UInt32)? {
        guard count >= 9 else { return nil }
        let length = Int(self[0]) << 16 | Int(self[1]) << 8 | Int(self[2])
        guard count >= 9 + length else { return nil }
        defer { removeFirst(9 + length) }
        return (self[3], self[4], self[5..<9].reduce(0) { $0 << 8 | UInt32($1) })
    }
}
