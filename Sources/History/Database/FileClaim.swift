internal import DatabaseFiles
internal import Synchronization

/// Says for as long as it lives that this process has a database's file open in SQLite.
///
/// When this process opens and closes the file without SQLite, POSIX drops all locks that SQLite has on the file, whichever thread set
/// them. The next program that ends would then believe that it is the last one, and remove the WAL under our writer
/// (https://www.sqlite.org/howtocorrupt.html, section 2.2). So a file that is claimed isn't examined again: it is known to be ours.
final class FileClaim: Sendable {
    private static let counts = Mutex<[FileIdentity: Int]>([:])

    private let identity: FileIdentity?

    private init(_ identity: FileIdentity?) { self.identity = identity }

    /// What ``HistoryFile/examine(_:)`` says of a file, and a claim to it. A file that isn't there yet is claimed by ``init(created:)``.
    static func examine(_ path: String) throws(HistoryError) -> (state: HistoryFile.State, claim: FileClaim) {
        let examined = counts.withLock { counts in
            Result { () throws(HistoryError) in
                guard let identity = FileIdentity(of: path) else {
                    return (try HistoryFile.examine(path), FileClaim(nil))
                }
                let state = counts[identity] == nil ? try HistoryFile.examine(path) : .ours
                counts[identity, default: 0] += 1
                return (state, FileClaim(identity))
            }
        }
        return try examined.get()
    }

    /// A claim to a file that SQLite has just made.
    convenience init(created path: String) {
        let identity = FileIdentity(of: path)
        if let identity { Self.counts.withLock { $0[identity, default: 0] += 1 } }
        self.init(identity)
    }

    deinit {
        guard let identity else { return }
        Self.counts.withLock { counts in
            counts[identity, default: 1] -= 1
            if counts[identity] == 0 { counts[identity] = nil }
        }
    }
}
