internal import DatabaseFiles
internal import Glibc
internal import Health

/// The file as the system sees it, before SQLite touches it.
enum HistoryFile {
    /// "RFHS", in the header of every history database.
    static let applicationID: Int32 = 0x5246_4853

    enum State: Hashable { case new, ours }

    /// Reads the header (https://www.sqlite.org/fileformat2.html#the_database_header) without SQLite, because SQLite leaves files beside a
    /// database that it only read. The application id is written before the first table and outside the WAL, so it is always there.
    static func examine(_ path: String) throws(HistoryError) -> State {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return .new }
            throw HistoryError(.database(.cannotOpen), path: path, detail: String(cString: strerror(errno)))
        }
        defer { Glibc.close(descriptor) }
        var header = [UInt8](repeating: 0, count: 100)
        let count = pread(descriptor, &header, header.count, 0)
        guard count >= 0 else {
            throw HistoryError(.database(.inputOutput), path: path, detail: String(cString: strerror(errno)))
        }
        if count == 0 { return .new }
        let identifier = header[68..<72].reduce(Int32(0)) { $0 << 8 | Int32($1) }
        guard count == header.count, header.starts(with: Array("SQLite format 3\0".utf8)), identifier == applicationID else {
            throw HistoryError(.notOurs, path: path)
        }
        return .ours
    }

    /// Gives a database another name, with what stands beside it. Returns the name.
    static func setAside(_ path: String, at now: Timestamp) throws(HistoryError) -> String {
        let date = now.description.prefix(19).replacing(":", with: "-")
        let names = ["\(path).damaged-\(date)Z"] + (2...99).map { "\(path).damaged-\(date)Z-\($0)" }
        guard let name = names.first(where: { access($0, F_OK) != 0 }) else {
            throw HistoryError(.database(.damaged), path: path)
        }
        // The WAL first: a database without its WAL is an older state, but a database with the WAL of another is no database.
        for suffix in ["-wal", "-shm", ""] where access(path + suffix, F_OK) == 0 {
            guard rename(path + suffix, name + suffix) == 0 else {
                throw HistoryError(.database(.cannotOpen), path: path, detail: String(cString: strerror(errno)))
            }
        }
        return name
    }

    /// Debian's SQLite reads names that start with `file:` as URIs; a relative path must not become one.
    static func sqlitePath(_ path: String) -> String { path.hasPrefix("/") ? path : "./" + path }

    /// A URI that opens the file without locks and without a `-shm` beside it: right only while nobody writes.
    static func immutableURI(_ path: String) -> String {
        var uri = Array("file:".utf8)
        for byte in sqlitePath(path).utf8 {
            let isPlain = (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            if isPlain || byte == 0x2F || byte == 0x2E || byte == 0x2D || byte == 0x5F {
                uri.append(byte)
            } else {
                uri += Hex.percentEncoded(byte)
            }
        }
        return String(decoding: uri, as: UTF8.self) + "?immutable=1"
    }

    /// Whether a read-only connection must be immutable: a cleanly closed WAL database can't be opened where its `-shm` can't be made.
    static func mustBeImmutable(_ path: String) -> Bool {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        return access(path + "-wal", F_OK) != 0 && access(folder, W_OK) != 0
    }

    /// The bytes of the database and of its WAL; 0 for what isn't there.
    static func sizes(_ path: String) -> (database: Int64, wal: Int64) { (size(path), size(path + "-wal")) }

    private static func size(_ path: String) -> Int64 {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_size) : 0
    }
}
