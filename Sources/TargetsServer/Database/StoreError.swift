package import DatabaseFiles
internal import GRDB
internal import Health

/// What is wrong with the targets database. The text is for whoever runs the server: it names the file and says what to do.
package struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: Hashable, Sendable {
        /// Too many writes wait already.
        case crowded
        case gone, walGone, cutShort, newerSchema
        /// SQLite or the system failed at the file.
        case database(DatabaseFailure)
        /// None of these.
        case other
    }

    package let code: Code
    private let path: String
    /// SQLite's own words; may be empty.
    private let detail: String

    init(_ code: Code, path: String, detail: String = "") {
        (self.code, self.path, self.detail) = (code, path, detail)
    }

    init(_ error: any Error, path: String) {
        switch error {
        case let known as StoreError: self = known
        case let error as DatabaseError:
            self.init(
                .database(DatabaseFailure(resultCode: error.resultCode.rawValue)), path: path,
                detail: error.message ?? "code \(error.extendedResultCode.rawValue)")
        default: self.init(.other, path: path, detail: "\(error)")
        }
    }

    init(_ change: FileChange, path: String) {
        let code: Code =
            switch change {
            case .gone: .gone
            case .walGone: .walGone
            case .cutShort: .cutShort
            }
        self.init(code, path: path)
    }

    /// Whether it ends by itself, and soon.
    var passes: Bool { code == .database(.locked) || code == .crowded }

    /// Whether it is no trouble of the disk or of another program.
    var isFault: Bool {
        switch code {
        case .database(.notADatabase), .database(.damaged), .database(.other), .newerSchema, .other: true
        default: false
        }
    }

    package var description: String {
        let file = "the targets database \(displayText(path))"
        let more = detail.isEmpty ? "" : " (\(displayText(detail)))"
        return switch code {
        case .crowded: "\(file) has as many changes waiting as it may"
        case .gone:
            "\(file) was deleted or replaced under the running server: put it back, or restart the server to begin a new one"
        case .walGone:
            "\(file): the file -wal or -shm beside it was removed or replaced under the running server: restart the server; what was committed is folded in"
        case .cutShort:
            "\(file) or its WAL was cut short under the running server: restore it from a backup, and restart the server"
        case .newerSchema: "\(file) was written by a newer version of rangefinder\(more)"
        case .database(let failure): "\(file)\(failure.ending)\(more)"
        case .other: "\(file) can't be used\(more)"
        }
    }
}

extension DatabaseFailure {
    /// What follows the name of the file.
    fileprivate var ending: String {
        switch self {
        case .locked: " is locked by another program"
        case .readOnly: " can't be written: check the permissions of the file and of its folder"
        case .diskFull: ": the disk is full"
        case .cannotOpen: " can't be opened: check that its folder exists and may be read and written"
        case .inputOutput: ": reading or writing failed"
        case .notADatabase: " is not a database of targets"
        case .damaged: " is damaged: restore it from a backup"
        case .other: " can't be used"
        }
    }
}
