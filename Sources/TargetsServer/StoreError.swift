internal import DatabaseFiles
internal import GRDB
internal import Health

/// What is wrong with the targets database. The text is for its fixtures: it names the file and says what to do.
package struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: Hashable, Sendable {
        /// Another program has locked it.
        case locked
        /// Too many writes wait already.
        case crowded
        case gone, walGone, cutShort, readOnly, diskFull, cannotOpen, inputOutput, notOurs, damaged, other
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
            let code = Code(DatabaseFailure(resultCode: error.resultCode.rawValue))
            self.init(code, path: path, detail: error.message ?? "code \(error.extendedResultCode.rawValue)")
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
    var passes: Bool { code == .locked || code == .crowded }

    package var description: String {
        let file = "the targets database \(displayText(path))"
        let more = detail.isEmpty ? "" : " (\(displayText(detail)))"
        return switch code {
        case .locked: "\(file) is locked by another program\(more)"
        case .crowded: "\(file) has as many changes waiting as it may"
        case .gone:
            "\(file) was deleted or replaced under the running server: put it back, or restart the server to begin a new one"
        case .walGone:
            "\(file): the file -wal or -shm beside it was removed or replaced under the running server: restart the server; what was committed is folded in"
        case .cutShort:
            "\(file) or its WAL was cut short under the running server: restore it from a backup, and restart the server"
        case .readOnly: "\(file) can't be written: check the permissions of the file and of its folder\(more)"
        case .diskFull: "\(file): the disk is full\(more)"
        case .cannotOpen: "\(file) can't be opened: check that its folder exists and may be read and written\(more)"
        case .inputOutput: "\(file): reading or writing failed\(more)"
        case .notOurs: "\(file) is not a database of targets\(more)"
        case .damaged: "\(file) is damaged: restore it from a backup\(more)"
        case .other: "\(file) can't be used\(more)"
        }
    }
}

extension StoreError.Code {
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
