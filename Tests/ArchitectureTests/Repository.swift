import Foundation
import TestSupport

/// The files of this repository, by their paths below its root.
enum Repository {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Where the file of this repository at `path` is on this machine.
    static func path(of path: String) -> String { root.appending(path: path).path }

    static func text(of path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appending(path: path).path)
    }

    /// The names of the folders right below `path`, sorted.
    static func folders(in path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root.appending(path: path).path)
            .filter { name in
                var isFolder: ObjCBool = false
                let full = root.appending(path: "\(path)/\(name)").path
                return FileManager.default.fileExists(atPath: full, isDirectory: &isFolder) && isFolder.boolValue
            }
            .sorted()
    }

    /// The paths of the files below `path`, at any depth, whose names end in `suffix`, sorted.
    static func files(in path: String, named suffix: String = "") throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: path).path)
            .map { "\(path)/\($0)" }
            .filter { file in
                var isFolder: ObjCBool = false
                let full = root.appending(path: file).path
                return file.hasSuffix(suffix) && FileManager.default.fileExists(atPath: full, isDirectory: &isFolder)
                    && !isFolder.boolValue
            }
            .sorted()
    }

    static func swiftFiles() throws -> [String] {
        try ["Package.swift"] + ["Sources", "Tests"].flatMap { try files(in: $0, named: ".swift") }
    }

    /// Whether this file is a script of `interpreter`, by its first line.
    static func isScript(_ path: String, of interpreter: String) -> Bool {
        (try? text(of: path))?.split(separator: "\n").first.map { $0.hasPrefix("#!") && $0.hasSuffix(interpreter) } ?? false
    }
}

/// What a command did.
struct Finished {
    let status: Int32
    /// Standard output and standard error, in the order in which they were written.
    let output: String

    /// Runs a program to its end, with nothing on its standard input.
    init(_ program: String, _ arguments: [String], path: String? = nil) throws {
        let inherited = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let ended = try ChildProcess.run(program, arguments, environment: path.map { ["PATH": $0 + ":" + inherited] } ?? [:])
        (status, output) = (ended.status, ended.output)
    }
}
