import TestSupport

/// `rangefinder targets-server` on loopback, in a folder with its database and its one token.
struct TargetsServerProgram {
    let folder: TemporaryFolder
    let program: RunningProgram
    let port: Int

    var url: String { "http://127.0.0.1:\(port)" }
    var tokenFile: String { folder.file("token") }

    /// Returns once it listens.
    ///
    /// - Parameters:
    ///   - folder: one with the database of a server that was there before; nil for a new one.
    ///   - shell: what bash does first, in its process.
    init(token: String, in given: TemporaryFolder? = nil, shell: String? = nil) async throws {
        folder = try given ?? TemporaryFolder()
        try folder.write(token + "\n", to: "token")
        program = try RunningProgram(
            [
                "targets-server", "--listen", "127.0.0.1:0", "--database", folder.file("targets.db"), "--token-file",
                folder.file("token"),
            ], shell: shell)
        port = try await program.port(after: "the Targets API listens address=127.0.0.1:")
    }
}
