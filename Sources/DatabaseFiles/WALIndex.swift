internal import GRDBSQLite

/// SQLite's numbers about a WAL, in the memory that all connections share: https://www.sqlite.org/walformat.html#the_wal_index_header.
struct WALIndex {
    /// The part of the memory that is mapped at once.
    static let regionBytes: Int64 = 32_768

    let pageBytes: Int64
    /// How many pages the database has as of the last commit; 0 when nothing has been written since the database was opened.
    let pages: Int64
    /// Frames that are committed, and not overwritten since.
    private let frames: Int64

    /// The least length of the WAL: a header of 32 bytes, and each frame with a header of 24 bytes.
    var walBytes: Int64 { frames == 0 ? 0 : 32 + frames * (24 + pageBytes) }

    /// Reads SQLite's own mapping. nil when there is none, and in the moment in which another connection writes it.
    init?(_ connection: OpaquePointer?) {
        var file: UnsafeMutablePointer<sqlite3_file>?
        guard sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK,
            let map = file?.pointee.pMethods?.pointee.xShmMap
        else { return nil }
        var region: UnsafeMutableRawPointer?
        guard map(file, 0, Int32(Self.regionBytes), 0, &region) == SQLITE_OK, let region else { return nil }
        // The header is there twice. A writer changes one copy after the other, so a reader that finds them equal has a whole header.
        let words = (0..<24).map { region.load(fromByteOffset: 4 * $0, as: UInt32.self) }
        guard words[..<12] == words[12...] else { return nil }
        let sizeAndFlags = region.load(fromByteOffset: 14, as: UInt16.self)
        // 65,536 doesn't fit, and is written as 1.
        pageBytes = sizeAndFlags == 1 ? 65_536 : Int64(sizeAndFlags)
        (frames, pages) = (Int64(words[4]), Int64(words[5]))
    }
}

extension DatabaseFiles {
    /// The database's full name, links followed.
    static func name(_ connection: OpaquePointer?) -> String? {
        sqlite3_db_filename(connection, "main").map { String(cString: $0) }
    }
}
