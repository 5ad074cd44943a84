import Glibc
import Health

/// Keeps a second daemon off a database: two would judge the same targets apart and write over each other's statuses.
///
/// The lock is the kernel's and ends with the process, however that ends; the empty file that carries it may stay.
package final class InstanceLock: Sendable {
    private let descriptor: Int32

    /// - Throws: ``Failure`` when another process holds it. A lock that can't be made at all is no reason not to run.
    init?(besides database: String) throws {
        let path = database + ".lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { return nil }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let isHeld = errno == EWOULDBLOCK
            close(descriptor)
            if isHeld {
                throw Failure(description: "another rangefinder is running on \(displayText(database)); a database takes one")
            }
            return nil
        }
    }

    deinit { close(descriptor) }

    /// Whether a daemon runs on a database; nil when this user can't tell.
    package static func isHeld(besides database: String) -> Bool? {
        let descriptor = open(database + ".lock", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        if flock(descriptor, LOCK_SH | LOCK_NB) == 0 { return false }
        return errno == EWOULDBLOCK ? true : nil
    }

    struct Failure: Error, CustomStringConvertible { let description: String }
}
