internal import DatabaseFiles
internal import GRDB
internal import Health

/// What is wrong with a history database. The text names the file and what to do, and holds no foreign text that isn't escaped.
package struct HistoryError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: Hashable, Sendable {
        case missing, exists, gone, walGone, notOurs, newerSchema, olderSchema, readOnly, damaged, locked, diskFull, cannotOpen,
            inputOutput, other
    }

    package let code: Code
    package let path: String
    /// SQLite's or the system's own words; may be empty.
    package let detail: String

    init(_ code: Code, path: String, detail: String = "") {
        self.code = code
        self.path = path
        self.detail = detail
    }

    init(_ error: any Error, path: String) {
        if let known = error as? HistoryError {
            self = known
            return
        }
        guard let database = error as? DatabaseError else {
            self.init(.other, path: path, detail: String(describing: type(of: error)))
            return
        }
        self.init(
            Code(DatabaseFailure(resultCode: database.resultCode.rawValue)), path: path,
            detail: database.message ?? "code \(database.extendedResultCode.rawValue)")
    }

    init(_ change: FileChange, path: String) {
        switch change {
        case .gone: self.init(Code.gone, path: path)
        case .walGone: self.init(Code.walGone, path: path)
        case .cutShort: self.init(.damaged, path: path, detail: "it or its WAL was cut short while it was open")
        }
    }

    package var description: String {
        let file = "history database \(displayText(path))"
        let more = detail.isEmpty ? "" : " (\(displayText(detail)))"
        return switch code {
        case .missing: "\(file) does not exist: has the daemon run yet?"
        case .exists: "\(displayText(path)) is there already: name a file that isn't, nothing is written over"
        case .gone:
            "\(file) was deleted or replaced under the running daemon: put it back, or restart the daemon to begin a new one"
        case .walGone:
            "\(file): the file -wal or -shm beside it was removed or replaced under the running daemon; what was committed is folded in, and it is opened again"
        case .notOurs: "\(file) is not a history database of rangefinder; it was left as it is\(more)"
        case .newerSchema: "\(file) was written by a newer version of rangefinder\(more)"
        case .olderSchema: "\(file) is of an older version: start the daemon once, which brings it up to date\(more)"
        case .readOnly: "\(file) can't be written: check the permissions of the file and of its folder\(more)"
        case .damaged: "\(file) is damaged\(more)"
        case .locked: "\(file) is locked by another program\(more)"
        case .diskFull: "\(file): the disk is full\(more)"
        case .cannotOpen: "\(file) can't be opened: check that its folder exists and may be read\(more)"
        case .inputOutput: "\(file): reading or writing failed\(more)"
        case .other: "\(file) can't be used\(more)"
        }
    }
}

extension HistoryError.Code {
    fileprivate init(_ failure: DatabaseFailure) {
        self =
            switch failure {
            case .locked: .locked
            case .readOnly: .readOnly
            case .diskFull: .diskFull
            case .damaged: .damaged
            case .notADatabase: .notOurs
            case .cannotOpen: .cannotOpen
            case .inputOutput: .inputOutput
            case .other: .other
            }
    }
}
