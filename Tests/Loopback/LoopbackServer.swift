// Loopback: a small HTTP server for tests, over real sockets, that answers exactly what a test tells it to: also what no server should.
// One thread accepts, one thread a connection reads a request and writes the reply's bytes as they are. Not for production.

import Glibc
import Synchronization

/// One request as it came.
package struct LoopbackRequest: Sendable {
    package var method: String
    /// Path and query, as on the wire.
    package var path: String
    /// Names in lower case.
    package var headers: [String: String]
    package var body: String
}

/// What a connection gets.
package enum LoopbackReply: Sendable {
    /// A whole answer with a `Content-Length`, then the connection is closed.
    case http(Int, headers: [String] = [], body: String = "")
    /// These bytes and nothing else, then the connection is closed.
    case raw(String)
    /// These bytes again and again until the client is gone or so many were sent.
    case endless(head: String, chunk: String, bytesMax: Int)
    /// Nothing, until the client goes.
    case silence
    /// A TCP reset.
    case reset
}

package final class LoopbackServer: Sendable {
    package let port: Int
    private let listener: Int32
    private let seen = Mutex<[LoopbackRequest]>([])

    package var url: String { "http://127.0.0.1:\(port)" }
    /// All requests so far, in the order of their arrival.
    package var requests: [LoopbackRequest] { seen.withLock { $0 } }

    package enum Trouble: Error { case noSocket(Int32) }

    /// `respond` is called on the connection's thread.
    package init(_ respond: @escaping @Sendable (LoopbackRequest) -> LoopbackReply) throws {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw Trouble.noSocket(errno) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 && listen(socket, 128) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        guard isBound else {
            let number = errno
            close(socket)
            throw Trouble.noSocket(number)
        }
        listener = socket
        port = Int(UInt16(bigEndian: address.sin_port))
        Self.thread { [weak self] in
            while true {
                let connection = accept(socket, nil, nil)
                guard connection >= 0 else { return }
                Self.thread { [weak self] in
                    guard let request = Self.read(connection) else {
                        close(connection)
                        return
                    }
                    self?.seen.withLock { $0.append(request) }
                    Self.send(respond(request), over: connection)
                }
            }
        }
    }

    deinit {
        // Wakes the accepting thread, which ends.
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private static func thread(_ body: @escaping @Sendable () -> Void) {
        let box = Unmanaged.passRetained(Body(run: body))
        var thread = pthread_t()
        let status = pthread_create(
            &thread, nil,
            { argument in
                argument.map { Unmanaged<Body>.fromOpaque($0).takeRetainedValue().run() }
                return nil
            }, box.toOpaque())
        if status == 0 { pthread_detach(thread) } else { box.release() }
    }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private static func read(_ connection: Int32) -> LoopbackRequest? {
        var received: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let blank = Array("\r\n\r\n".utf8)
        while true {
            if let end = received.firstRange(of: blank) {
                let request = parse(String(decoding: received[..<end.lowerBound], as: UTF8.self))
                let length = Int(request.headers["content-length"] ?? "") ?? 0
                if received.count - end.upperBound >= length {
                    var whole = request
                    whole.body = String(decoding: received[end.upperBound...], as: UTF8.self)
                    return whole
                }
            }
            let count = recv(connection, &chunk, chunk.count, 0)
            guard count > 0 else { return nil }
            received += chunk[..<count]
        }
    }

    private static func parse(_ head: String) -> LoopbackRequest {
        let lines = head.split(separator: "\r\n")
        let first = (lines.first ?? "").split(separator: " ")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
        }
        return LoopbackRequest(
            method: String(first.first ?? ""), path: String(first.dropFirst().first ?? ""), headers: headers, body: "")
    }

    private static func send(_ reply: LoopbackReply, over connection: Int32) {
        switch reply {
        case .http(let status, let headers, let body):
            let lines = ["HTTP/1.1 \(status) x", "Content-Length: \(body.utf8.count)", "Connection: close"] + headers
            write(lines.joined(separator: "\r\n") + "\r\n\r\n" + body, connection)
        case .raw(let bytes): write(bytes, connection)
        case .endless(let head, let chunk, let bytesMax):
            var sent = 0
            guard write(head, connection) else { break }
            while sent < bytesMax, write(chunk, connection) { sent += chunk.utf8.count }
        case .silence:
            var byte: UInt8 = 0
            _ = recv(connection, &byte, 1, 0)
        case .reset:
            var linger = linger(l_onoff: 1, l_linger: 0)
            setsockopt(connection, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        }
        close(connection)
    }

    @discardableResult
    private static func write(_ text: String, _ connection: Int32) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
