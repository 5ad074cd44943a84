internal import GRDB
internal import GRDBSQLite
internal import Health

/// One value of a statement.
///
/// GRDB ends a text at its first NUL, in both directions: two targets whose ids differ after a NUL would become one. GRDB's own binding
/// costs three times as much as SQLite's. So values are bound and read here, by length.
enum Cell: Sendable {
    case null
    case integer(Int64)
    case text(String)
    case blob([UInt8])

    init(_ value: Int64?) { self = value.map { .integer($0) } ?? .null }
    init(_ value: Int?) { self = value.map { .integer(Int64($0)) } ?? .null }
    init(_ value: Timestamp?) { self = value.map { .integer($0.milliseconds) } ?? .null }
    init(_ value: Duration?) { self = value.map { .integer($0.wholeMicroseconds) } ?? .null }
    init(_ value: String?) { self = value.map { .text($0) } ?? .null }
    init(_ value: Bool) { self = .integer(value ? 1 : 0) }
}

/// A statement of GRDB's cache. It belongs to one transaction and is reset after every use.
struct Prepared {
    private let statement: Statement
    private let raw: SQLiteStatement
    private let connection: SQLiteConnection?

    init(_ db: Database, _ sql: String) throws {
        statement = try db.cachedStatement(sql: sql)
        raw = statement.sqliteStatement
        connection = db.sqliteConnection
    }

    func bind(_ cell: Cell, at index: Int32) {
        switch cell {
        case .null: sqlite3_bind_null(raw, index)
        case .integer(let value): sqlite3_bind_int64(raw, index, value)
        case .text(let text): bind(text, at: index)
        case .blob(let bytes) where bytes.isEmpty: sqlite3_bind_zeroblob(raw, index, 0)
        case .blob(let bytes): bind(bytes, at: index)
        }
    }

    /// Binds NULL when there are no bytes.
    func bind(_ bytes: [UInt8], at index: Int32) {
        let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        _ = bytes.withUnsafeBytes { sqlite3_bind_blob(raw, index, $0.isEmpty ? nil : $0.baseAddress, Int32($0.count), transient) }
    }

    func bind(_ value: Int64, at index: Int32) { sqlite3_bind_int64(raw, index, value) }

    func bind(_ value: Int64?, at index: Int32) {
        if let value { sqlite3_bind_int64(raw, index, value) } else { sqlite3_bind_null(raw, index) }
    }

    private func bind(_ text: String, at index: Int32) {
        // SQLITE_TRANSIENT, a macro that Swift can't import: SQLite makes its own copy.
        let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        var text = text
        text.withUTF8 { bytes in
            _ = bytes.withMemoryRebound(to: CChar.self) { characters in
                // An empty buffer may have no address, and a null address would bind NULL.
                if let start = characters.baseAddress {
                    sqlite3_bind_text(raw, index, start, Int32(characters.count), transient)
                } else {
                    sqlite3_bind_text(raw, index, "", 0, transient)
                }
            }
        }
    }

    /// Runs to the end, handing every row to `row`, which returns false to stop early.
    func run(_ row: (CellReader) throws -> Bool = { _ in true }) throws {
        defer { sqlite3_reset(raw) }
        while true {
            let code = sqlite3_step(raw)
            if code == SQLITE_DONE { return }
            guard code == SQLITE_ROW else {
                throw DatabaseError(
                    resultCode: ResultCode(rawValue: code), message: connection.map { String(cString: sqlite3_errmsg($0)) })
            }
            if try !row(CellReader(raw: raw)) { return }
        }
    }
}

/// The current row of a statement; columns count from 0.
struct CellReader {
    fileprivate let raw: SQLiteStatement

    /// No count and no time is greater. A damaged number that is greater must not make a sum of thousands overflow.
    private static let most: Int64 = 1 << 48

    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(raw, column) == SQLITE_NULL }
    /// The id of a row, which may be any number.
    func id(_ column: Int32) -> Int64 { sqlite3_column_int64(raw, column) }
    func integer(_ column: Int32) -> Int64? { isNull(column) ? nil : number(column) }
    /// The number in a column that is never NULL.
    func number(_ column: Int32) -> Int64 { max(-Self.most, min(sqlite3_column_int64(raw, column), Self.most)) }
    func int(_ column: Int32) -> Int? { integer(column).map { Int($0) } }
    func count(_ column: Int32) -> Int { Int(number(column)) }
    func bool(_ column: Int32) -> Bool { sqlite3_column_int64(raw, column) != 0 }
    func timestamp(_ column: Int32) -> Timestamp? { integer(column).map { Timestamp(milliseconds: $0) } }

    /// The bytes where SQLite has them, for as long as `body` runs.
    func withBlob(_ column: Int32, _ body: (UnsafeRawBufferPointer) -> Void) {
        guard let bytes = sqlite3_column_blob(raw, column) else { return }
        body(UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(raw, column))))
    }

    /// A copy of the bytes; nil of NULL.
    func blob(_ column: Int32) -> [UInt8]? {
        guard !isNull(column) else { return nil }
        var copy: [UInt8] = []
        withBlob(column) { copy = Array($0) }
        return copy
    }

    /// The bytes of a text where SQLite has them, for as long as `body` runs.
    func withText(_ column: Int32, _ body: (UnsafeRawBufferPointer) -> Void) {
        guard let bytes = sqlite3_column_text(raw, column) else { return }
        body(UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(raw, column))))
    }

    /// The value of a column that holds an id, a text or NULL.
    func cell(_ column: Int32) -> Cell {
        switch sqlite3_column_type(raw, column) {
        case SQLITE_INTEGER: .integer(sqlite3_column_int64(raw, column))
        case SQLITE_TEXT: .text(text(column) ?? "")
        default: .null
        }
    }

    /// The bytes as UTF-8, NULs included; bytes that aren't UTF-8 are repaired.
    func text(_ column: Int32) -> String? {
        guard let bytes = sqlite3_column_text(raw, column) else { return nil }
        let count = Int(sqlite3_column_bytes(raw, column))
        return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }
}

extension Database {
    /// Runs one statement; its rows, if any, go to `row`.
    func run(_ sql: String, _ cells: [Cell] = [], _ row: (CellReader) throws -> Bool = { _ in true }) throws {
        let statement = try Prepared(self, sql)
        for (index, cell) in cells.enumerated() { statement.bind(cell, at: Int32(index + 1)) }
        try statement.run(row)
    }

    /// The first column of the first row, when there is one that isn't NULL.
    func text(_ sql: String, _ cells: [Cell] = []) throws -> String? {
        var value: String?
        try run(sql, cells) {
            value = $0.text(0)
            return false
        }
        return value
    }

    /// The first column of the first row, when it is an integer.
    func integer(_ sql: String, _ cells: [Cell] = []) throws -> Int64? {
        var value: Int64?
        try run(sql, cells) {
            value = $0.isNull(0) ? nil : $0.id(0)
            return false
        }
        return value
    }
}
