import Foundation
import Glibc
import Synchronization

/// A TCP server on loopback whose every connection does what a script says, on a thread of its own.
final class LoopbackServer: Sendable {
    let port: Int
    private let descriptor: Int32
    private let accepted = Counter()

    /// How many connections came so far.
    var connections: Int { accepted.value }

    /// `isInline` runs the script on the accepting thread, so the connections come one after another.
    init(address: String = "127.0.0.1", port: Int = 0, isInline: Bool = false, _ script: @escaping @Sendable (Connection) -> Void)
        throws
    {
        let bound = try boundSocket(address, port: port)
        descriptor = bound.descriptor
        self.port = bound.port
        listen(descriptor, 4096)
        Thread.detachNewThread { [descriptor, accepted] in
            while true {
                let client = accept(descriptor, nil, nil)
                guard client >= 0 else { return }
                accepted.next()
                let connection = Connection(descriptor: client)
                let serve = { @Sendable in
                    script(connection)
                    connection.close()
                }
                if isInline { serve() } else { Thread.detachNewThread(serve) }
            }
        }
    }

    deinit {
        shutdown(descriptor, Int32(SHUT_RDWR))
        Glibc.close(descriptor)
    }

    func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }
}

final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .acquiring) }

    @discardableResult
    func next() -> Int { count.add(1, ordering: .acquiringAndReleasing).newValue }
}

struct SystemError: Error { let what: String, number: Int32 }

func boundSocket(_ address: String, port: Int = 0) throws -> (descriptor: Int32, port: Int) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw SystemError(what: "socket", number: errno) }
    var yes: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, 4)
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_port = in_port_t(port).bigEndian
    inet_pton(AF_INET, address, &place.sin_addr)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafeMutablePointer(to: &place) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, length) + getsockname(descriptor, $0, &length)
        }
    }
    guard code == 0 else { throw SystemError(what: "bind", number: errno) }
    return (descriptor, Int(in_port_t(bigEndian: place.sin_port)))
}

/// The server's end of one connection. Reads wait at most 30 seconds.
struct Connection: Sendable {
    let descriptor: Int32

    init(descriptor: Int32) {
        self.descriptor = descriptor
        var patience = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    /// What the client sent up to the empty line, and whatever came with it.
    @discardableResult
    func readRequest() -> String {
        var text = ""
        while !text.contains("\r\n\r\n"), let more = readSome() { text += more }
        return text
    }

    func readSome() -> String? {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }

    /// False when the client is gone.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// Reads a request and answers it.
    func answer(_ body: String = "ok", status: String = "200 OK", headers: String = "") {
        readRequest()
        send("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
    }

    func waitForClose() {
        while readSome() != nil {}
    }

    /// Closes with a reset instead of an orderly end.
    func reset() {
        var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    }

    fileprivate func close() { Glibc.close(descriptor) }
}
