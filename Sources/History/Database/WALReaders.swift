internal import Glibc

/// Names the programs that read a database just now: a reader that stays in its transaction keeps the WAL from being folded in.
enum WALReaders {
    /// The bytes of the shared-memory file that readers lock (https://www.sqlite.org/walformat.html#locks).
    private static let readerBytes = 123...127

    /// As in `sqlite3 (process 4711)`; none where it can't be seen, as in a unit with ProcSubset=pid. From /proc/locks: opening and closing
    /// the file ourselves would give up SQLite's own locks on it (fcntl(2)).
    static func names(_ path: String) -> [String] {
        var status = stat()
        guard stat(path + "-shm", &status) == 0, let locks = contents(of: "/proc/locks") else { return [] }
        let own = getpid()
        let processes = locks.split(separator: "\n").compactMap { process(String($0), inode: UInt64(status.st_ino)) }
        return Set(processes).subtracting([own]).sorted().map { process in
            let name = contents(of: "/proc/\(process)/comm")?.split(separator: "\n").first.map(String.init)
            return "\(name ?? "a program") (process \(process))"
        }
    }

    /// The process in a line such as `2: POSIX  ADVISORY  READ 4711 08:01:131 124 124`, when it reads this file.
    static func process(_ line: String, inode: UInt64) -> pid_t? {
        let words = line.split(separator: " ")
        guard words.count >= 8, words[1] == "POSIX", words[3] == "READ", let process = pid_t(words[4]),
            words[5].split(separator: ":").last.flatMap({ UInt64($0) }) == inode, let first = Int(words[6]),
            readerBytes.contains(first)
        else { return nil }
        return process
    }

    /// Files of /proc have no length of their own.
    private static func contents(of path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0, bytes.count < 16 << 20 {
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
