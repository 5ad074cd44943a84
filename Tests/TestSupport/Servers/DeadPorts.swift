import Glibc

/// A port where nothing listens, and nothing else will as long as this lives.
package final class ClosedPort: Sendable {
    package let port: Int
    private let descriptor: Int32

    package init() throws { (descriptor, port) = try boundSocket("127.0.0.1") }

    deinit { close(descriptor) }
}

/// A listener whose queue is full and that accepts nobody: the next connection gets no answer at all.
package final class FullBacklog: Sendable {
    package let port: Int
    private let descriptors: [Int32]

    package init() throws {
        let (listener, port) = try boundSocket("127.0.0.1")
        self.port = port
        listen(listener, 0)
        // Linux takes one more than the backlog; the others are there in case it takes more.
        descriptors = [listener] + (0..<4).map { _ in beginConnecting(to: port) }
    }

    deinit { descriptors.forEach { close($0) } }
}

private func beginConnecting(to port: Int) -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_port = in_port_t(port).bigEndian
    inet_pton(AF_INET, "127.0.0.1", &place.sin_addr)
    withUnsafePointer(to: &place) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            _ = connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    return descriptor
}
