internal import GRDBSQLite

/// What SQLite could not do, by its primary result code (https://www.sqlite.org/rescode.html).
package enum DatabaseFailure: Hashable, Sendable {
    case locked, readOnly, diskFull, damaged, notADatabase, cannotOpen, inputOutput, other

    /// - Parameter resultCode: a primary or an extended one.
    package init(resultCode: Int32) {
        self =
            switch resultCode & 0xff {
            case SQLITE_BUSY, SQLITE_LOCKED: .locked
            case SQLITE_READONLY: .readOnly
            case SQLITE_FULL: .diskFull
            case SQLITE_CORRUPT: .damaged
            case SQLITE_NOTADB: .notADatabase
            case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_AUTH: .cannotOpen
            case SQLITE_IOERR: .inputOutput
            default: .other
            }
    }
}
