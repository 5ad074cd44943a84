import Glibc
import Health

/// Tells the service manager how the daemon is, in the words of sd_notify(3), over the datagram socket that it names. systemd's own library
/// would be one more dependency for a line of text.
package struct ServiceManager: Sendable {
    /// A path, or an abstract name after an `@`.
    private let address: String
    /// After so long without ``Word/watchdog`` the service counts as hung; nil when nobody watches.
    package let watchdog: Duration?

    package enum Word: Hashable, Sendable {
        case ready, stopping, watchdog
        /// In microseconds of CLOCK_MONOTONIC.
        case reloading(since: Int64)
        case status(String)

        var line: String {
            switch self {
            case .ready: "READY=1"
            case .stopping: "STOPPING=1"
            case .watchdog: "WATCHDOG=1"
            case .reloading(let moment): "RELOADING=1\nMONOTONIC_USEC=\(moment)"
            // One line: a line break would begin another assignment.
            case .status(let text): "STATUS=\(displayText(text, limit: 512))"
            }
        }
    }

    /// nil when nobody wants to be told, or its address is none of a Unix socket.
    package init?(environment: (String) -> String?) {
        guard let address = environment("NOTIFY_SOCKET"), address.hasPrefix("/") || address.hasPrefix("@"),
            address.utf8.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path)
        else { return nil }
        self.address = address
        let isOurs = environment("WATCHDOG_PID").map { $0 == "\(getpid())" } ?? true
        let microseconds = environment("WATCHDOG_USEC").flatMap { Int64($0) }.flatMap { $0 > 0 ? $0 : nil }
        watchdog = isOurs ? microseconds.map { .microseconds($0) } : nil
    }

    /// What can't be told is not worth waiting for, and a manager that doesn't read must not keep the daemon from ending.
    ///
    /// - Returns: whether it was taken.
    @discardableResult
    package func tell(_ words: Word...) -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var socketAddress = sockaddr_un()
        socketAddress.sun_family = sa_family_t(AF_UNIX)
        var name = Array(address.utf8)
        // An abstract name begins with a zero, and its length says where it ends (unix(7)).
        if name[0] == UInt8(ascii: "@") { name[0] = 0 }
        withUnsafeMutableBytes(of: &socketAddress.sun_path) { $0.copyBytes(from: name) }
        let length = socklen_t(MemoryLayout.offset(of: \sockaddr_un.sun_path) ?? 2) + socklen_t(name.count)
        let text = words.map(\.line).joined(separator: "\n")
        return withUnsafePointer(to: &socketAddress) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                sendto(descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT), address, length) >= 0
            }
        }
    }

    static func monotonicMicroseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}
