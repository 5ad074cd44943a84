import Foundation
import Glibc

/// Stands for a service manager: a Unix socket that keeps the datagrams that come.
package final class DatagramSocket: Sendable {
    package let received = Watched<[String]>([])
    private let descriptor: Int32

    /// - Parameters:
    ///   - address: a path, or an abstract name after an `@`.
    ///   - reads: false for one that takes what its queue holds, and nothing more.
    package init(at address: String, reads: Bool = true) throws {
        let made = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard made >= 0 else { throw SupportError.system("socket") }
        descriptor = made
        var place = sockaddr_un()
        place.sun_family = sa_family_t(AF_UNIX)
        var name = Array(address.utf8)
        if name.first == UInt8(ascii: "@") { name[0] = 0 }
        withUnsafeMutableBytes(of: &place.sun_path) { $0.copyBytes(from: name) }
        let length = socklen_t(2 + name.count)
        let status = withUnsafePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(made, $0, length) }
        }
        guard status == 0 else { throw SupportError.system("bind") }
        guard reads else { return }
        let received = received
        Thread.detachNewThread {
            var buffer = [UInt8](repeating: 0, count: 8192)
            while case let count = recv(made, &buffer, buffer.count, 0), count > 0 {
                let text = String(decoding: buffer[..<count], as: UTF8.self)
                received.change { $0.append(text) }
            }
            close(made)
        }
    }

    /// Ends the thread that receives.
    deinit { shutdown(descriptor, Int32(SHUT_RDWR)) }
}
