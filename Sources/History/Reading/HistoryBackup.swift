internal import DatabaseFiles
internal import GRDB
internal import Glibc
internal import Health

/// A copy of a whole history in one file.
enum HistoryBackup {
    /// Writes all of it to a new file, as it is at this moment, while the daemon goes on (https://www.sqlite.org/backup.html). A copy
    /// that can't be finished is removed.
    static func write(_ reader: HistoryReader, to path: String) throws(HistoryError) {
        guard access(path, F_OK) != 0 else { throw HistoryError(.exists, path: path) }
        let partial = "\(path).partial-\(getpid())"
        // No more people may read the copy than the original.
        var original = stat()
        let mode = stat(reader.path, &original) == 0 ? original.st_mode & 0o777 : 0o600
        let descriptor = Glibc.open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else {
            throw HistoryError(.database(.cannotOpen), path: path, detail: String(cString: strerror(errno)))
        }
        close(descriptor)
        do {
            let copy = try DatabaseQueue(path: HistoryFile.sqlitePath(partial))
            // In one step: between two steps a writer's commit would make the copy begin anew.
            try reader.copy(to: copy)
            // One file that any tool opens, also where it may not write.
            try copy.writeWithoutTransaction { try $0.run("PRAGMA journal_mode = DELETE") }
            try copy.close()
            // Unlike a renaming, a link never takes another's place.
            guard link(partial, path) == 0 else {
                throw HistoryError(
                    errno == EEXIST ? .exists : .database(.cannotOpen), path: path, detail: String(cString: strerror(errno)))
            }
            unlink(partial)
            try syncFolder(of: path)
        } catch {
            for name in [partial, partial + "-wal", partial + "-shm", partial + "-journal"] { unlink(name) }
            throw HistoryError(error, path: path)
        }
    }

    /// A power failure could take the name of a new file away, whatever was made durable of its contents.
    private static func syncFolder(of path: String) throws(HistoryError) {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // A folder that may be written to and not read can't be synced.
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        // EINVAL: the file system can't sync a folder.
        guard fsync(descriptor) != 0, errno != EINVAL else { return }
        throw HistoryError(.database(.inputOutput), path: path, detail: String(cString: strerror(errno)))
    }
}
