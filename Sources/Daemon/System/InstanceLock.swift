import Glibc
import Health

/// Keeps a second daemon off a database: two would judge the same targets apart and write over each other's statuses.
///
/// An open file description's lock (fcntl_locking(2), F_OFD_SETLK): it ends with the process, however that ends, and unlike flock(2) it can be
/// asked after without being taken, so that whoever asks is in no starting daemon's way. The empty file that carries it may stay.
package final class InstanceLock: Sendable {
    private let descriptor: Int32

    /// - Throws: ``Failure`` when another process holds it. A lock that can't be made at all is no reason not to run.
    init?(besides database: String) throws {
        descriptor = open(Self.path(database), O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { return nil }
        var wanted = Self.wholeFile(F_WRLCK)
        guard fcntl(descriptor, Self.setLock, &wanted) == 0 else {
            let isHeld = errno == EAGAIN || errno == EACCES
            close(descriptor)
            if isHeld {
                throw Failure(description: "another rangefinder is running on \(displayText(database)); a database takes one")
            }
            return nil
        }
    }

    deinit {
        release()
        close(descriptor)
    }

    /// Lets the next daemon in. To close the file would not do: a child that was forked a moment ago has it open until it runs its program.
    func release() {
        var wanted = Self.wholeFile(F_UNLCK)
        _ = fcntl(descriptor, Self.setLock, &wanted)
    }

    /// Whether a daemon runs on a database; nil when this user can't tell.
    package static func isHeld(besides database: String) -> Bool? {
        let descriptor = open(path(database), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var asked = wholeFile(F_WRLCK)
        guard fcntl(descriptor, getLock, &asked) == 0 else { return nil }
        return Int32(asked.l_type) != F_UNLCK
    }

    // Linux' fcntl.h, which has them for GNU sources only; the same numbers on every architecture.
    private static let (getLock, setLock): (Int32, Int32) = (36, 37)

    private static func path(_ database: String) -> String { database + ".lock" }

    private static func wholeFile(_ type: Int32) -> flock {
        var lock = flock()
        lock.l_type = Int16(type)
        lock.l_whence = Int16(SEEK_SET)
        return lock
    }

    struct Failure: Error, CustomStringConvertible { let description: String }
}
