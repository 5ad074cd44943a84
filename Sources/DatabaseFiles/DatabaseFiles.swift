// DatabaseFiles: what the two modules with a database, History and TargetsServer, both need to know of it.
// What lives here: whether the files that SQLite has open are still the files at their paths, what SQLite could not do, and how
// migrations are applied.
// What doesn't: the databases, their migrations, the sentences of their errors, opening and locking.
// An answer becomes an error of the module that asks: nothing is committed to files that are no longer the files at the path.
// The terms are defined in docs/glossary.md.

internal import Glibc

/// Which file a path leads to, however often it is renamed over.
package struct FileIdentity: Hashable, Sendable {
    private let device: UInt64
    private let inode: UInt64

    /// nil when the path leads nowhere.
    package init?(of path: String) {
        guard let status = fileStatus(path) else { return nil }
        self.init(status)
    }

    fileprivate init(_ status: stat) { (device, inode) = (UInt64(status.st_dev), UInt64(status.st_ino)) }
}

/// What was done to a database's files while they were open.
package enum FileChange: Hashable, Sendable {
    /// The database was deleted, renamed or replaced: the open one takes rows, and they are gone with its last connection.
    case gone
    /// `-wal` or `-shm` was removed or replaced. The open ones go on without a name; a checkpoint saves what was committed.
    case walGone
    /// The database or its WAL is shorter than what was committed to it.
    case cutShort
}

/// The files of one open database in WAL mode.
///
/// The files are examined by their names and never opened: closing a descriptor of a file drops all locks that SQLite has on it in this
/// process (https://www.sqlite.org/howtocorrupt.html, section 2.2).
package struct DatabaseFiles: Sendable {
    /// As it was given, perhaps a link. SQLite names the other two files after the file that a link leads to.
    private let path: String
    private let (wal, index): (String, String)
    private let opened: [FileIdentity?]
    /// How long the database was at the last check. Where a checkpoint was about to shorten it, the length that it was to get.
    private var leastBytes: Int64 = 0
    private var indexBytes: Int64 = 0

    /// - Parameter connection: an open one, by which the database has been read.
    package init(_ path: String, openedBy connection: OpaquePointer?) {
        self.path = path
        let name = DatabaseFiles.name(connection) ?? path
        (wal, index) = (name + "-wal", name + "-shm")
        opened = [path, wal, index].map { FileIdentity(of: $0) }
        _ = change(seenBy: connection)
    }

    /// Whether other files are at the paths by now. Costs three stat(2).
    package var replaced: FileChange? {
        let now = [path, wal, index].map { FileIdentity(of: $0) }
        if now[0] != opened[0] { return .gone }
        return now[1...] != opened[1...] ? .walGone : nil
    }

    /// Whether other files are at the paths by now, or whether the files are shorter than SQLite left them. A `-shm` that was cut is made as
    /// long as it was: SQLite finds it empty and fills it from the WAL. Reading a mapped file that was cut would end the process (mmap(2),
    /// SIGBUS).
    ///
    /// - Parameter connection: the open one, on its own thread.
    package mutating func change(seenBy connection: OpaquePointer?) -> FileChange? {
        if let replaced { return replaced }
        // The sizes are read before SQLite's own numbers: a checkpoint of another program writes its numbers before it cuts a file.
        let (bytes, walBytes, indexBytes) = (fileBytes(path), fileBytes(wal), fileBytes(index))
        guard indexBytes >= max(self.indexBytes, WALIndex.regionBytes) else {
            if self.indexBytes > 0 { truncate(index, off_t(self.indexBytes)) }
            return nil
        }
        self.indexBytes = indexBytes
        guard let index = WALIndex(connection) else { return nil }
        // SQLite doesn't count the pages there before the first write since the database was opened.
        let pagesBytes = index.pages > 0 ? index.pages * index.pageBytes : .max
        guard bytes >= min(leastBytes, pagesBytes), walBytes >= index.walBytes else { return .cutShort }
        leastBytes = min(bytes, pagesBytes)
        return nil
    }
}

func fileStatus(_ path: String) -> stat? {
    var status = stat()
    return stat(path, &status) == 0 ? status : nil
}

private func fileBytes(_ path: String) -> Int64 { fileStatus(path).map { Int64($0.st_size) } ?? 0 }
