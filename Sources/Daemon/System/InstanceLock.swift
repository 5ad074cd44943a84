import Glibc
import Health
import Synchronization

/// Keeps a second daemon off a database: two would judge the same targets apart and write over each other's statuses.
///
/// There are two locks. The one on the database itself (flock(2)) can't be got around by another name of the file, nor by removing the other
/// lock's file. The one on an empty file beside it can be asked after without being taken (fcntl_locking(2), F_OFD_SETLK), so that whoever
/// asks is in no starting daemon's way. Both end with the process, however that ends. The empty file may stay.
package final class InstanceLock: Sendable {
    /// -1: it couldn't be made.
    private let descriptor: Int32
    /// Of the database, and of those that took its place.
    private let claims = Mutex<[ClaimedFile]>([])
    private let database: String

    /// Before SQLite opens the database, which is made when it isn't there.
    ///
    /// - Throws: ``Failure`` when another process holds either. A lock that can't be made at all is no reason not to run.
    package init?(besides database: String) throws {
        self.database = database
        descriptor = open(Self.path(database), O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        if descriptor >= 0 {
            var wanted = Self.wholeFile(F_WRLCK)
            let isTaken = fcntl(descriptor, Self.setLock, &wanted) != 0 && (errno == EAGAIN || errno == EACCES)
            // The descriptor is closed by deinit, also of what throws here.
            if isTaken { throw Self.taken(database) }
        }
        guard claim(making: O_CREAT) else { throw Self.taken(database) }
        guard descriptor >= 0 || claims.withLock({ !$0.isEmpty }) else { return nil }
    }

    private static func taken(_ database: String) -> Failure {
        Failure(
            database: database, description: "another rangefinder is running on \(displayText(database)); a database takes one")
    }

    deinit {
        release()
        if descriptor >= 0 { close(descriptor) }
    }

    /// Locks the file that the database's path leads to now; for the start, and for when another file has taken its place.
    ///
    /// - Returns: false when another process has locked it.
    @discardableResult
    package func claim(making flags: Int32 = 0) -> Bool {
        guard let claimed = ClaimedFile(database, making: flags) else { return true }
        // Also one that can't be locked: SQLite may have the file open by now.
        claims.withLock { $0.append(claimed) }
        return claimed.lock()
    }

    /// Lets the next daemon in. To close the files would not do: a child that was forked a moment ago has them open until it runs its program.
    package func release() {
        for claimed in claims.withLock({ $0 }) { claimed.unlock() }
        guard descriptor >= 0 else { return }
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

    /// Beside the file itself, whichever name it goes by.
    private static func path(_ database: String) -> String {
        guard let resolved = realpath(database, nil) else { return database + ".lock" }
        defer { free(resolved) }
        return String(cString: resolved) + ".lock"
    }

    private static func wholeFile(_ type: Int32) -> flock {
        var lock = flock()
        lock.l_type = Int16(type)
        lock.l_whence = Int16(SEEK_SET)
        return lock
    }

    package struct Failure: Error, CustomStringConvertible {
        package let database: String
        package let description: String
    }
}

/// A database's file as this process has it open beside SQLite.
///
/// It is closed after SQLite has closed the file: to close any descriptor of a file drops all POSIX locks that this process has on it, and so
/// SQLite's (https://www.sqlite.org/howtocorrupt.html, section 2.2). So it is closed with the last one of its file in this process.
private final class ClaimedFile: Sendable {
    private struct Identity: Hashable {
        var (device, inode): (UInt64, UInt64)
    }

    private struct Open {
        var users = 0
        var descriptors: [Int32] = []
    }

    private static let files = Mutex<[Identity: Open]>([:])

    private let descriptor: Int32
    private let identity: Identity

    /// nil when it can't be opened, which SQLite will say better.
    init?(_ path: String, making flags: Int32) {
        // As SQLite makes it.
        var descriptor = open(path, O_RDWR | flags | O_CLOEXEC, 0o644)
        if descriptor < 0 { descriptor = open(path, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { return nil }
        var facts = stat()
        fstat(descriptor, &facts)
        let identity = Identity(device: UInt64(facts.st_dev), inode: UInt64(facts.st_ino))
        (self.descriptor, self.identity) = (descriptor, identity)
        Self.files.withLock { files in
            files[identity, default: Open()].users += 1
            files[identity]?.descriptors.append(descriptor)
        }
    }

    /// False when another process has it.
    func lock() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK }

    func unlock() { _ = flock(descriptor, LOCK_UN) }

    deinit {
        let unused = Self.files.withLock { files -> [Int32] in
            files[identity]?.users -= 1
            guard let open = files[identity], open.users <= 0 else { return [] }
            files[identity] = nil
            return open.descriptors
        }
        for descriptor in unused { close(descriptor) }
    }
}
