internal import GRDBSQLite

/// What SQLite says of a WAL in the memory that all connections share: https://www.sqlite.org/walformat.html#the_wal_index_header.
struct WALIndex {
    /// Mapped at once.
    static let regionBytes: Int64 = 32_768

    let pageBytes: Int64
    /// Of the database, as of the last commit; 0 when none has been written since the database was opened.
    let pages: Int64
    /// Committed, and not overwritten since.
    private let frames: Int64

    /// What the WAL has to have at least: a header of 32 bytes, and each frame with one of 24.
    var walBytes: Int64 { frames == 0 ? 0 : 32 + frames * (24 + pageBytes) }

    /// By SQLite's own mapping. nil when it can't be had, and in the moment in which somebody writes it.
    init?(_ connection: OpaquePointer?) {
        var file: UnsafeMutablePointer<sqlite3_file>?
        guard sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK,
            let map = file?.pointee.pMethods?.pointee.xShmMap
        else { return nil }
        var region: UnsafeMutableRawPointer?
        guard map(file, 0, Int32(Self.regionBytes), 0, &region) == SQLITE_OK, let region else { return nil }
        // It is there twice; who writes it writes one after the other, so that who reads knows.
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
