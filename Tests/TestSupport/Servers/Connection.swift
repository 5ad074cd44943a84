import Glibc
import Synchronization

/// What went wrong in a test's own machinery.
package struct SupportError: Error {
    package let what: String

    package init(_ what: String) { self.what = what }

    /// With the number of the system's last error.
    package static func system(_ what: String) -> SupportError { SupportError("\(what): errno \(errno)") }
}

/// One end of a TCP connection, with calls that block: 30 seconds at most when nothing moves. Whoever made it closes it.
package struct Connection: Sendable {
    package let descriptor: Int32

    package init(descriptor: Int32) {
        self.descriptor = descriptor
        var patience = timeval(tv_sec: 30, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    /// The client's end of a new connection to loopback.
    ///
    /// - Parameters:
    ///   - address: of loopback, from which it comes: several stand for several peers. nil for the system's choice.
    ///   - receives: bytes that the system may hold for it; nil for as many as the system likes.
    package init(port: Int, from address: String? = nil, receives: Int32? = nil) throws {
        self.init(descriptor: try address.map { try boundSocket($0).descriptor } ?? tcpSocket())
        if var receives {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receives, socklen_t(MemoryLayout<Int32>.size))
        }
        guard withAddress("127.0.0.1", port: port, { connect(descriptor, $0, $1) == 0 }) != nil else {
            defer { close() }
            throw SupportError.system("connect")
        }
    }

    package func close() { Glibc.close(descriptor) }

    /// None when the other end is done, or gone.
    package func readBytes(atMost count: Int = 65_536) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: count)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer[..<count]) : nil
    }

    /// All that comes until the other end is done, or gone.
    ///
    /// - Throws: when it is neither, and silent.
    package func readToEnd() throws -> [UInt8] {
        var received: [UInt8] = []
        while true {
            errno = 0
            if let more = readBytes() {
                received += more
            } else if errno == EAGAIN {
                throw SupportError.system("recv")
            } else {
                return received
            }
        }
    }

    package func readSome() -> String? { readBytes().map { String(decoding: $0, as: UTF8.self) } }

    /// nil when fewer come.
    package func readExactly(_ count: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < count {
            guard let more = readBytes(atMost: count - bytes.count) else { return nil }
            bytes += more
        }
        return bytes
    }

    /// Throws away what comes until the other end is done (false) or gone in the middle of it (true).
    package func endsInReset() -> Bool {
        errno = 0
        waitForClose()
        return errno == ECONNRESET
    }

    package func waitForClose() {
        while readBytes() != nil {}
    }

    /// True once the other end is done, or gone; false when that took longer. What arrives meanwhile is thrown away.
    package func waitForClose(atMost patience: Duration) -> Bool {
        let end = ContinuousClock.now + patience
        while true {
            let left = ContinuousClock.now.duration(to: end).components
            var interest = pollfd(descriptor: descriptor)
            let count = poll(&interest, 1, Int32(max(0, left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000)))
            if count == 0 { return false }
            if count > 0, readBytes() == nil { return true }
        }
    }

    /// The other end reads on to here and no further; what it sends still arrives. Unlike a close, it never turns into a reset.
    package func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Sends the same bytes again and again until the other end is gone; `hearing` takes up what it answers.
    package func sendForEver(_ bytes: [UInt8], hearing: Bool = false) {
        var heard = [UInt8](repeating: 0, count: hearing ? 65_536 : 0)
        while send(bytes) {
            while hearing, recv(descriptor, &heard, heard.count, Int32(MSG_DONTWAIT)) > 0 {}
        }
    }

    package func sendForEver(_ text: String) { sendForEver(Array(text.utf8)) }

    /// Sends the same text again and again, with a pause after each, until the other end is gone.
    package func drip(_ text: String, every pause: Duration) {
        while send(text), !waitForClose(atMost: pause) {}
    }

    /// False when the other end is gone.
    @discardableResult
    package func send(_ bytes: [UInt8]) -> Bool {
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
    package func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// What the client sent up to the empty line, and whatever came with it.
    @discardableResult
    package func readRequest() -> String {
        var text = ""
        while !text.contains("\r\n\r\n"), let more = readSome() { text += more }
        return text
    }

    /// Reads a request and answers it.
    package func answer(_ body: String = "ok", status: String = "200 OK", headers: String = "") {
        readRequest()
        send("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
    }

    /// Makes the close that follows a reset instead of an orderly end.
    package func reset() {
        var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    }
}

extension pollfd {
    fileprivate init(descriptor: Int32) { self.init(fd: descriptor, events: Int16(POLLIN), revents: 0) }
}

/// A socket that has its port but doesn't listen; whoever asked for it closes it.
package func boundSocket(_ address: String, port: Int = 0) throws -> (descriptor: Int32, port: Int) {
    let descriptor = try tcpSocket()
    // With the option the kernel may choose a port for this one that it has given to another that doesn't listen yet.
    var mayShare: Int32 = port == 0 ? 0 : 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &mayShare, socklen_t(MemoryLayout<Int32>.size))
    let bound = withAddress(address, port: port) { bind(descriptor, $0, $1) == 0 && getsockname(descriptor, $0, &$1) == 0 }
    guard let bound else {
        defer { close(descriptor) }
        throw SupportError.system("bind")
    }
    return (descriptor, bound)
}

/// A port for a program that can't choose its own: free a moment ago, and below those that the kernel hands out, so that no test
/// which runs beside this one is given it. None is given twice.
package func freePort() throws -> Int {
    for _ in 0..<100 {
        guard let bound = try? boundSocket("127.0.0.1", port: .random(in: 15_000..<32_000)) else { continue }
        close(bound.descriptor)
        if portsGiven.withLock({ $0.insert(bound.port).inserted }) { return bound.port }
    }
    throw SupportError.system("bind")
}

private let portsGiven = Mutex<Set<Int>>([])

private func tcpSocket() throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw SupportError.system("socket") }
    return descriptor
}

/// Lends `call` an address in the system's form, and answers the port that is in it afterwards; none when the call failed.
private func withAddress(
    _ address: String, port: Int, _ call: (UnsafeMutablePointer<sockaddr>, inout socklen_t) -> Bool
) -> Int? {
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_port = in_port_t(port).bigEndian
    inet_pton(AF_INET, address, &place.sin_addr)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isDone = withUnsafeMutablePointer(to: &place) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { call($0, &length) }
    }
    return isDone ? Int(in_port_t(bigEndian: place.sin_port)) : nil
}
