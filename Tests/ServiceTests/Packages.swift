import Foundation
import TestSupport

/// What `scripts/package` has made of the release build, by the checksums that it wrote last.
struct Packages {
    static let isThere = environment("RANGEFINDER_PACKAGES") != nil
    static let whyNot = "scripts/test without --filter packs the program; run that"

    static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    let folder: String
    /// The files that SHA256SUMS lists, with their digests.
    let digests: [String: String]

    init() throws {
        guard let folder = environment("RANGEFINDER_PACKAGES") else { throw SupportError("RANGEFINDER_PACKAGES is not set") }
        self.folder = folder
        let lines = try String(contentsOfFile: "\(folder)/SHA256SUMS", encoding: .utf8).split(separator: "\n")
        digests = Dictionary(lines.map { (String($0.dropFirst(66)), String($0.prefix(64))) }) { first, _ in first }
    }

    /// The path of the one file whose name ends so.
    func path(_ suffix: String) throws -> String {
        let names = digests.keys.filter { $0.hasSuffix(suffix) }
        guard let name = names.first, names.count == 1 else { throw SupportError("SHA256SUMS lists \(names) as \(suffix)") }
        return "\(folder)/\(name)"
    }

    /// The program that was packed, where it was built: FOLDER/.build/release/rangefinder.
    static func program() throws -> String {
        guard let program = environment("RANGEFINDER_RELEASE") else { throw SupportError("RANGEFINDER_RELEASE is not set") }
        return program
    }

    /// The folder of the sources of that program.
    static func sources() throws -> URL {
        URL(filePath: try program()).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    }

    /// What the Debian package installs.
    func unpacked() async throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try await output("dpkg-deb", ["--extract", try path(".deb"), folder.path])
        return folder
    }
}

func environment(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }

/// Runs a program that must succeed, off the threads of the tests, and answers what it printed.
@discardableResult
func output(_ program: String, _ arguments: [String], in folder: String? = nil) async throws -> String {
    let ended = try await onThread { try ChildProcess.run(program, arguments, in: folder, errors: .apart) }
    guard ended.status == 0 else {
        throw SupportError("\(program) \(arguments): \(ended.status)\n\(ended.output)\(ended.errors)")
    }
    return ended.output
}

/// The SHA-256 of each of these files.
func digests(of paths: [String]) async throws -> [String] {
    try await output("sha256sum", paths).split(separator: "\n").map { String($0.prefix(64)) }
}
