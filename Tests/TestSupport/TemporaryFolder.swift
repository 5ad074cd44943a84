import Foundation

/// A folder that is gone after the test.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "rangefinder-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of the file `name`, whether it is there or not.
    package func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Replaces the file as a whole, makes the folders on the way to it, and answers its path.
    @discardableResult
    package func write(_ bytes: [UInt8], to name: String) throws -> String {
        let file = URL(filePath: file(name))
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file, options: .atomic)
        return file.path
    }

    @discardableResult
    package func write(_ text: String, to name: String, isExecutable: Bool = false) throws -> String {
        let file = try write(Array(text.utf8), to: name)
        if isExecutable { try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file) }
        return file
    }

    package func bytes(of name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: file(name)))) }

    /// The whole of a file.
    package func read(_ name: String) throws -> String { try String(contentsOfFile: file(name), encoding: .utf8) }
}
