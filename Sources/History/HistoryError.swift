package import DatabaseFiles
internal import GRDB
internal import Health

/// What is wrong with a history database. The text names the file and what to do, and holds no foreign text that isn't escaped.
package struct HistoryError: Error, Sendable, CustomStringConvertible {
    package enum Code: Hashable, Sendable {
        case missing, exists, gone, walGone, notOurs, newerSchema, olderSchema
        /// SQLite or the system failed at the file.
        case database(DatabaseFailure)
        /// None of these: the error's ``HistoryError/cause`` is what was thrown.
        case other
    }

    package let code: Code
    package let path: String
    /// SQLite's or the system's own words; may be empty.
    package let detail: String
    /// The error that was caught, when there was one.
    package let cause: (any Error)?

    init(_ code: Code, path: String, detail: String = "", cause: (any Error)? = nil) {
        self.code = code
        self.path = path
        self.detail = detail
        self.cause = cause
    }

    init(_ error: any Error, path: String) {
        switch error {
        case let known as HistoryError: self = known
        case let error as DatabaseError:
            let failure = DatabaseFailure(resultCode: error.resultCode.rawValue)
            self.init(
                failure == .notADatabase ? .notOurs : .database(failure), path: path,
                detail: error.message ?? "code \(error.extendedResultCode.rawValue)", cause: error)
        default: self.init(.other, path: path, detail: String(describing: type(of: error)), cause: error)
        }
    }

    init(_ change: FileChange, path: String) {
        switch change {
        case .gone: self.init(Code.gone, path: path)
        case .walGone: self.init(Code.walGone, path: path)
        case .cutShort: self.init(.database(.damaged), path: path, detail: "it or its WAL was cut short while it was open")
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
        case .database(let failure): "\(file)\(failure.ending)\(more)"
        case .other: "\(file) can't be used\(more)"
        }
    }
}

/// Two errors that say the same are equal, whatever caused them.
extension HistoryError: Hashable {
    package static func == (one: HistoryError, other: HistoryError) -> Bool {
        one.code == other.code && one.path == other.path && one.detail == other.detail
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(code)
        hasher.combine(path)
        hasher.combine(detail)
    }
}

extension DatabaseFailure {
    /// What follows the name of the file.
    fileprivate var ending: String {
        switch self {
        case .readOnly: " can't be written: check the permissions of the file and of its folder"
        case .damaged: " is damaged"
        case .locked: " is locked by another program"
        case .diskFull: ": the disk is full"
        case .cannotOpen: " can't be opened: check that its folder exists and may be read"
        case .inputOutput: ": reading or writing failed"
        case .notADatabase, .other: " can't be used"
        }
    }
}
